"""How a message leaves the house: a folder in development, SMTP in production."""

import json
import smtplib
import ssl
import sys
from collections.abc import Callable
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import TypeAlias
from urllib.parse import unquote, urlsplit

from marketplace import clock
from marketplace.config import Settings
from marketplace.notifications.models import Channel

_TIMEOUT_SECONDS = 20


class TransportError(Exception):
    """The message was not taken; the text says why and names no address."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A message on its way out: plain values, since it travels outside any transaction."""

    id: str
    channel: Channel
    to: str
    subject: str
    body: str


Transport: TypeAlias = Callable[[Letter], None]


def choose(settings: Settings, channel: Channel) -> Transport:
    """The transport of this installation for a channel."""
    if not settings.is_production:
        return lambda letter: write_to_folder(settings.message_folder, letter)
    if channel is Channel.EMAIL:
        return lambda letter: send_by_smtp(settings.smtp_url, settings.mail_from, letter)
    return _refuse_sms


def write_to_folder(folder: Path, letter: Letter) -> None:
    """One JSON file a message, and a line on the console. Written aside first: nobody reads a half."""
    content = {
        "id": letter.id,
        "channel": letter.channel.value,
        "to": letter.to,
        "subject": letter.subject,
        "body": letter.body,
        "sent_at": clock.wall_now().isoformat(),
    }
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f".{letter.id}.tmp"
    draft.write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")
    draft.replace(folder / f"{letter.id}.json")
    first_line = letter.body.partition("\n")[0]
    sys.stdout.write(f"[inbox] {letter.to}: {letter.subject}: {first_line}\n")
    sys.stdout.flush()


def send_by_smtp(url: str, sender: str, letter: Letter) -> None:
    """Hand over to a mail server: `smtp://user:password@host:587` (STARTTLS, required) or `smtps://host:465`.

    Raises TransportError when no server is named, or when it or Python's mail library (an address or
    a subject with a line break) does not take the message.
    """
    server = urlsplit(url)
    if server.scheme not in ("smtp", "smtps") or not server.hostname:
        raise TransportError("SMTP_URL names no mail server")
    try:
        with _connect(server.scheme, server.hostname, server.port) as connection:
            if server.username:
                connection.login(unquote(server.username), unquote(server.password or ""))
            connection.send_message(_mail(sender, letter))
    except (smtplib.SMTPException, OSError, ValueError) as error:
        raise TransportError(f"the mail server did not take it: {type(error).__name__}") from error


def _connect(scheme: str, host: str, port: int | None) -> smtplib.SMTP:
    if scheme == "smtps":
        context = ssl.create_default_context()
        return smtplib.SMTP_SSL(host, port or 465, timeout=_TIMEOUT_SECONDS, context=context)
    connection = smtplib.SMTP(host, port or 587, timeout=_TIMEOUT_SECONDS)
    connection.starttls(context=ssl.create_default_context())
    return connection


def _mail(sender: str, letter: Letter) -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, letter.to, letter.subject
    mail["Message-ID"] = f"<{letter.id}@{sender.rpartition('@')[2]}>"
    mail.set_content(letter.body)
    return mail


def _refuse_sms(letter: Letter) -> None:
    """No SMS gateway is built yet: the message stays visible as undelivered and is given up in the end."""
    raise TransportError("no SMS gateway is configured")
