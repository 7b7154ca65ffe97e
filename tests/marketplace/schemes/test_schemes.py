"""The programme's terms as they ship, and the state's money."""

from decimal import Decimal

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

import ledger
from marketplace import chart
from marketplace.identity import audit
from marketplace.schemes import queries, service
from marketplace.schemes.errors import AmountInvalid, AppropriationConflict, SchemeNotFound


def test_two_schemes_ship_with_the_terms_of_the_rules(session: Session) -> None:
    default, other = queries.list_schemes(session)
    assert default == queries.get_default_scheme(session)
    assert (default.code, default.training_balance, default.reserve_per_grant) == ("2023", 3_500_000, 700_000)
    assert (other.code, other.training_balance, other.reserve_per_grant) == ("2020", 1_000_000, 2_550_000)
    assert (default.first_purchase_days, other.first_purchase_days) == (15, 30)
    assert (default.shortest_hours, other.shortest_hours) == (15, None)


def test_an_unknown_scheme_is_refused(session: Session) -> None:
    with pytest.raises(SchemeNotFound):
        queries.get_scheme(session, "1998")


def test_the_database_holds_the_chart_that_the_code_knows(session: Session) -> None:
    families = session.execute(text("SELECT name, kind, guard, mode FROM ledger.family")).all()
    flows = session.execute(text("SELECT kind, debit_family, credit_family, settles FROM ledger.flow")).all()
    assert {tuple(row) for row in families} == set(chart.FAMILIES)
    assert {tuple(row) for row in flows} == set(chart.FLOWS)


def test_an_appropriation_fills_the_fund(session: Session) -> None:
    booked = service.appropriate(session, "2023", Decimal(5_000_000), "DIPA-1")
    assert booked.amount == 5_000_000
    assert ledger.balance(session, "fund:2023") == ledger.balance(session, "bank:treasury") == 5_000_000
    assert audit.list_entries(session, "scheme:2023")[0].details == {"amount": 5_000_000}


def test_the_same_reference_has_one_effect(session: Session) -> None:
    first = service.appropriate(session, "2023", Decimal(5_000_000), "DIPA-1")
    assert service.appropriate(session, "2023", Decimal(5_000_000), "DIPA-1") is first
    assert ledger.balance(session, "fund:2023") == 5_000_000
    assert len(audit.list_entries(session, "scheme:2023")) == 1


@pytest.mark.parametrize(("scheme", "amount"), [("2023", 6_000_000), ("2020", 5_000_000)])
def test_a_reference_used_for_something_else_is_a_conflict(
    session: Session, scheme: str, amount: int
) -> None:
    service.appropriate(session, "2023", Decimal(5_000_000), "DIPA-1")
    with pytest.raises(AppropriationConflict):
        service.appropriate(session, scheme, Decimal(amount), "DIPA-1")


@pytest.mark.parametrize("amount", ["0", "-1", "0.5", "NaN", "Infinity", "1e16", "100.01"])
def test_an_amount_is_whole_rupiah_above_zero(session: Session, amount: str) -> None:
    with pytest.raises(AmountInvalid):
        service.appropriate(session, "2023", Decimal(amount), "DIPA-1")


def test_floats_are_refused(session: Session) -> None:
    with pytest.raises(AmountInvalid):
        service.appropriate(session, "2023", 1e6, "DIPA-1")  # type: ignore[arg-type] # what is tested


@pytest.mark.parametrize("reference", ["", "  ", "a\nb", "x" * 151])
def test_a_reference_is_one_line(session: Session, reference: str) -> None:
    with pytest.raises(AmountInvalid):
        service.appropriate(session, "2023", Decimal(1), reference)
