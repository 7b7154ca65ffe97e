"""`flask schemes`: the programme's terms, and the state's money for them."""

from decimal import Decimal

import click
from sqlalchemy.orm import Session

import ledger
from marketplace import chart
from marketplace.cli.console import (
    Commands,
    RupiahParameter,
    acting,
    as_json,
    as_person,
    print_json,
    print_table,
    refusals,
    rupiah,
)
from marketplace.db import run_in_transaction
from marketplace.db import session as db_session
from marketplace.schemes import queries, service
from marketplace.schemes.models import Scheme

schemes = Commands("schemes", help="The programme's terms and their money.")


@schemes.command("list")
@as_json
def list_command(as_json: bool) -> None:
    """Every scheme with what is left in its fund."""
    session = db_session()
    rows = [(scheme, _fund(session, scheme.code)) for scheme in queries.list_schemes(session)]
    if as_json:
        print_json(schemes=[_document(scheme, left) for scheme, left in rows])
        return
    print_table(
        ["scheme", "training balance", "reserve a grant", "fee", "ends", "left in the fund"],
        [
            [
                f"{scheme.code}{' (default)' if scheme.default else ''}",
                rupiah(scheme.training_balance),
                rupiah(scheme.reserve_per_grant),
                f"{scheme.fee_rate * 100:.1f}%",
                scheme.ends_on.isoformat(),
                rupiah(left),
            ]
            for scheme, left in rows
        ],
    )


@schemes.command("appropriate")
@click.argument("code")
@click.argument("amount", type=RupiahParameter())
@click.option("--reference", required=True, help="The document's number; the same one has one effect.")
@as_person
@as_json
def appropriate_command(
    code: str, amount: Decimal, reference: str, person: str | None, as_json: bool
) -> None:
    """Book AMOUNT rupiah of state money into the fund of scheme CODE."""

    def appropriate(session: Session) -> tuple[Decimal, Decimal]:
        actor = acting(session, person)
        booked = service.appropriate(session, code, amount, reference, actor)
        return booked.amount, _fund(session, code)

    with refusals():
        booked, left = run_in_transaction(appropriate)
    if as_json:
        print_json(scheme=code, reference=reference, amount=booked, fund=left)
    else:
        click.echo(f"{reference}: {rupiah(booked)} for scheme {code}; its fund holds {rupiah(left)}")


def _fund(session: Session, code: str) -> Decimal:
    try:
        return ledger.balance(session, chart.fund(code))
    except ledger.UnknownAccount:  # nothing has been appropriated yet
        return Decimal(0)


def _document(scheme: Scheme, left: Decimal) -> dict[str, object]:
    terms = {column.name: getattr(scheme, column.name) for column in Scheme.__table__.columns}
    return {**terms, "fund": left}
