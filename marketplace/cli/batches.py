"""`flask batches`: award the benefit and credit it."""

import click
from sqlalchemy.orm import Session

from marketplace.batches import queries, service
from marketplace.batches.errors import NotEnoughFunds
from marketplace.cli.console import Commands, acting, as_json, as_person, dry_run, print_json, refusals
from marketplace.db import run_in_transaction
from marketplace.db import session as db_session
from marketplace.identity import audit

batches = Commands("batches", help="Grants: the benefit of a scheme, person by person.")

_AT_ONCE = 1000


@batches.command("award")
@click.option("--most", type=click.IntRange(1), help="At most this many people; everybody unless given.")
@as_person
@dry_run
@as_json
def award_command(most: int | None, person: str | None, dry_run: bool, as_json: bool) -> None:
    """Promise the benefit to registered people without one, first come first, and credit it.

    What the funds do not cover stays promised, is said, and exits with 1.
    """
    awarded = credited = 0
    if not dry_run:
        with refusals():
            awarded = _award(most, person)
            credited = _credit()
    counts = queries.count_by_state(db_session())
    waiting, without = counts.get("awarded", 0), queries.count_without(db_session())
    if as_json:
        print_json(awarded=awarded, credited=credited, waiting=waiting, without=without, states=counts)
    else:
        click.echo(f"awarded {awarded}, credited {credited}, waiting for funds {waiting}, without {without}")
    if waiting and not dry_run:
        raise click.exceptions.Exit(1)


def _award(most: int | None, person: str | None) -> int:
    """In portions, each a transaction of its own: a repeat carries on where this one stopped."""
    done = 0

    def portion(session: Session) -> int:
        actor = acting(session, person)
        size = min(_AT_ONCE, most - done) if most else _AT_ONCE
        grants = service.award(session, queries.list_without(session, size))
        if grants:
            audit.record(session, actor, "grants.awarded", "batches", count=len(grants))
        return len(grants)

    while (most is None or done < most) and (count := run_in_transaction(portion)):
        done += count
    return done


def _credit() -> int:
    done = 0
    try:
        while count := run_in_transaction(lambda session: service.activate_awarded(session, _AT_ONCE)):
            done += count
    except NotEnoughFunds as error:
        click.echo(f"{error.code}: {error}", err=True)
    return done
