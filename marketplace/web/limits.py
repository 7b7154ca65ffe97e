"""How often one may send a form: by account, and by the network that somebody comes from.

The services count by number: codes sent to a contact, tries of a code, wrong codes of a class. What
is counted here is one pair of hands with many numbers. A network is a whole neighbourhood (an
operator's customers share addresses), so its limits are wide, and an address alone has none.
"""

from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any

from flask import Flask, Response, request
from flask_limiter import Limiter

from marketplace.broker import IMPATIENT
from marketplace.config import Settings
from marketplace.web.identity import current_user

_PREFIX_4, _PREFIX_6 = 24, 48


def account() -> str:
    """Who is signed in. Only pages behind signing in are counted by it."""
    user = current_user()
    return f"account:{user.id}" if user else network()


def network() -> str:
    """The neighbourhood of an address: what an operator hands to a district, or to one customer."""
    address = ip_address(request.remote_addr or "")
    length = _PREFIX_6 if isinstance(address, IPv6Address) else _PREFIX_4
    return f"network:{ip_network((address, length), strict=False)}"


def is_nowhere() -> bool:
    """An address that is not of the internet (loopback, a proxy of ours) tells nothing about who asks."""
    try:
        return not ip_address(request.remote_addr or "").is_global
    except ValueError:
        return True


def is_refused(response: Response) -> bool:
    """The form came back: a wrong code, typically."""
    return response.status_code != 302


@dataclass(frozen=True, slots=True)
class Rule:
    """At most so many; `counts` tells by the answer which ones are counted, all when there is none."""

    endpoint: str
    limit: str
    key: Callable[[], str]
    counts: Callable[[Response], bool] | None = None


RULES = (
    Rule("account.send_code", "600 per 15 minutes", network),
    Rule("account.check_code", "200 per 15 minutes", network, is_refused),
    Rule("registration.register", "60 per hour", account),
    Rule("participant.buy", "120 per minute", account),
    Rule("participant.open_complaint", "20 per hour", account),
    Rule("participant.reply_complaint", "30 per hour", account),
    Rule("participant.insist_complaint", "30 per hour", account),
    Rule("provider.open_complaint", "20 per hour", account),
    Rule("provider.reply_complaint", "30 per hour", account),
    Rule("provider.insist_complaint", "30 per hour", account),
    Rule("people.find", "300 per hour", account),
    Rule("provider.request_export", "30 per hour", account),
    Rule("provider.send_message", "20 per hour", account),
    Rule("provider.keep_upload", "120 per hour", account),
    Rule("provider.add_member", "30 per hour", account),
    Rule("applying.add_document", "60 per hour", account),
)


def install(app: Flask, settings: Settings) -> None:
    """Count in Redis; while that is away, in this process alone. Call when the views are registered."""
    limiter = Limiter(
        network,
        strategy="moving-window",
        key_prefix="limits",
        storage_uri=settings.redis_url or "memory://",
        storage_options=IMPATIENT if settings.redis_url else {},
        in_memory_fallback_enabled=True,
    )
    limiter.init_app(app)
    for rule in RULES:
        exempt = is_nowhere if rule.key is network else None
        view: Callable[..., Any] = app.view_functions[rule.endpoint]
        limit = limiter.limit(rule.limit, key_func=rule.key, deduct_when=rule.counts, exempt_when=exempt)
        app.view_functions[rule.endpoint] = limit(view)
