"""`flask dev demo`: the real job from end to end, unattended, as people and jobs would do it.

Everything goes through pages, commands, the worker and the bank's process; SQL only looks, and judges.
"""

import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

from marketplace import clock
from marketplace.config import load_settings
from marketplace.dev.demo import arrivals, classes, opening, payday, shopping
from marketplace.dev.demo.mailbox import Mailbox, NoMessage
from marketplace.dev.demo.playground import Playground, Size
from marketplace.dev.demo.reading import Reader
from marketplace.dev.demo.report import Report, Say
from marketplace.dev.demo.stage import CATALOGUE
from marketplace.dev.demo.story import Days
from marketplace.dev.demo.visitors import PageFault
from marketplace.dev.errors import DevelopmentError
from marketplace.dev.signals import until_stopped
from marketplace.dev.stack import Stack, started
from marketplace.dev.supervisor import log_tail
from marketplace.dev.valkey import free_port

_TICK_SECONDS = "2"
_STEP_UP_SECONDS = "86400"
"""Everybody signs in once, however long a slow machine takes until they buy."""
_QUIET_SECONDS = 180.0
_WORDS = {
    "notification": "messages delivered",
    "bank_line": "lines of the bank's statements explained",
    "event": "events in the outbox",
}
_PROCESSES = ("web", "worker", "beat", "bank")


def run_demo(environ: Mapping[str, str], catalogue: Path | None, size: Size, say: Say) -> bool:
    """Whether the books balanced in the end. Raises DevelopmentError when a step failed.

    The data folder is a temporary one, kept for a look after a failure, unless BEKAL_HOME names another.
    """
    named = environ.get("BEKAL_HOME")
    home = Path(named or tempfile.mkdtemp(prefix="bekal-demo-")).resolve()
    if not named:
        home.chmod(0o711)  # as root, the engines' account must be able to walk through
    outcome: list[bool] = []
    keep = bool(named)
    try:
        with until_stopped(), _playground(home, environ, size, say) as ground:
            outcome.append(_play(ground, (catalogue or CATALOGUE).resolve(), say))
        keep = keep or outcome == [False]
    except BaseException:
        keep = True
        raise
    finally:
        if keep:
            # not among the results, whose last line is the verdict
            sys.stderr.write(f"data folder kept: {home}\n")
        else:
            shutil.rmtree(home)
    return outcome == [True]


def _play(ground: Playground, catalogue: Path, say: Say) -> bool:
    try:
        opening.import_catalogue(ground, catalogue)
        opening.add_providers(ground)
        opening.receive_money(ground)
        arrivals.register_everybody(ground)
        shopping.buy(ground)
        shopping.confirm_seats(ground)
        shopping.change_minds(ground)
        school = classes.hold_classes(ground)
        payday.declare(ground, school)
        payday.pay(ground)
        payday.retry(ground)
        _wait_for_quiet(ground)
    except (PageFault, NoMessage, OSError) as error:
        raise DevelopmentError(f"{error}\n{_tails(ground.stack)}") from error
    except DevelopmentError as error:
        raise DevelopmentError(f"{error}\n{_tails(ground.stack)}") from error
    return _judge(ground, say)


def _judge(ground: Playground, say: Say) -> bool:
    """The trial balance, and a verdict that also asks the bank's log."""
    lines = ground.command("ledger", "trial-balance", accept=(0, 1)).splitlines()
    for line in lines:
        if not line.startswith("books balance"):  # the verdict below says so, or not
            say(line)
    verdict = ground.command("dev", "books", accept=(0, 1)).rstrip()
    say(verdict)
    return verdict.endswith("yes")


def _wait_for_quiet(ground: Playground) -> None:
    """Nothing waits any more: no message, no payout under way, no file of the bank."""
    with ground.report.step("quiet") as step:
        reader = ground.reader
        reader.wait_for(
            "all messages to be delivered",
            "SELECT NOT EXISTS (SELECT FROM notification WHERE state = 'pending')",
            seconds=_QUIET_SECONDS,
        )
        reader.wait_for(
            "every payout to be settled",
            "SELECT NOT EXISTS (SELECT FROM payout WHERE state IN ('sending', 'sent', 'unknown'))",
        )
        for what in ("notification", "bank_line", "event"):
            step.add(f"{reader.count(what)} {_WORDS[what]}")


@contextmanager
def _playground(home: Path, environ: Mapping[str, str], size: Size, say: Say) -> Iterator[Playground]:
    own = {"BEKAL_TICK_SECONDS": _TICK_SECONDS, "STEP_UP_SECONDS": _STEP_UP_SECONDS} | dict(environ)
    own |= {"BEKAL_HOME": str(home), "BEKAL_ENV": "development"}
    report = Report(say)
    durable = bool(environ.get("BEKAL_HOME"))
    with started(home, own, say, port=free_port(), durable=durable) as stack:
        with report.step("start") as step:
            stack.start_processes()
            step.add(f"web on {stack.url}, worker, beat and the bank's sandbox")
        settings = load_settings(stack.environ)
        ground = Playground(
            stack=stack,
            size=size,
            report=report,
            reader=Reader(settings.database_url, lambda: ground.watch()),
            mailbox=Mailbox(settings.message_folder),
            bank_folder=settings.bank_folder,
            owner_url=settings.database_owner_url,
            days=Days(clock.wall_now()),
        )
        with closing(ground.reader):
            ground.days = Days(ground.reader.now())
            yield ground


def _tails(stack: Stack) -> str:
    """The ends of the processes' logs, for whoever must find out why."""
    folder = stack.supervisor.layout.log
    found = [(name, log_tail(folder / f"{name}.log")) for name in _PROCESSES]
    return "\n".join(f"--- {name}.log\n{tail}" for name, tail in found if tail)
