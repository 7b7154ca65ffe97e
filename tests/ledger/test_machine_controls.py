"""The machine sees a ledger that is wrong: each of these bugs is put into a database, and none passes."""

from collections.abc import Callable

import pytest
from sqlalchemy import Connection, text

from tests.ledger.playing import play_with_bug
from tests.servers import Servers

_EXAMPLES = 200


def _changed(name: str, *changes: tuple[str, str]) -> Callable[[Connection], None]:
    """A function of the database with another body."""

    def weaken(owner: Connection) -> None:
        body = owner.scalar(
            text("SELECT pg_get_functiondef(CAST(:name AS regproc))"), {"name": f"ledger.{name}"}
        )
        for old, new in changes:
            assert old in body, f"{name} no longer says {old}"
            body = body.replace(old, new)
        owner.exec_driver_sql(body, execution_options={"no_parameters": True})

    return weaken


def _without(statement: str) -> Callable[[Connection], object]:
    return lambda owner: owner.exec_driver_sql(f"ALTER TABLE ledger.{statement}")


def _editable(*tables: str) -> Callable[[Connection], None]:
    def weaken(owner: Connection) -> None:
        for table in tables:
            _without(f"{table} DISABLE TRIGGER keep_history")(owner)

    return weaken


_AGAIN = (
    "p_key || CASE WHEN EXISTS (SELECT FROM ledger.transaction a WHERE a.key = p_key) THEN '+' ELSE '' END"
)
SEEDED = {
    "no guard": (_without("balance DROP CONSTRAINT ck_balance_guard"), "insufficient_balance"),
    "a hold's end is ignored": (
        _changed("live_holds", ("h.expires_at >", "h.recorded_at <")),
        "are held, not",
    ),
    "a hold's end is never written down": (
        _changed("expire_holds", ("h.expires_at <= v_now", "false")),
        "(insufficient_balance|hold_expired) .*, not done",
    ),
    "no cap on what settles": (
        _changed("check_originals", ("WHERE used.spent >", "WHERE used.spent / 2 >")),
        "exceeds_original",
    ),
    "the tail is forgotten": (
        _changed(
            "sums", ("p.position >= coalesce(r.through, 0)", "p.position = coalesce(r.through, p.position)")
        ),
        " is .* and .*, not",
    ),
    "a repeat is done again": (
        _changed("post", ("p_kind, p_key,\n            v_hash", f"p_kind, {_AGAIN}, v_hash")),
        "is a repeat, or is none|gets another answer|exceeds_original|idempotency_conflict",
    ),
    "the sealer loses one": (
        _changed(
            "seal_leaves",
            (
                "t.position < v_through;\n    IF NOT FOUND",
                "t.position < v_through AND t.key NOT LIKE '%7';\n    IF NOT FOUND",
            ),
        ),
        "not sealed once|passed over",
    ),
    "history can be edited": (
        _editable("transaction", "posting", "hold", "hold_resolution", "leaf", "seal"),
        "done",
    ),
    "the past changes": (
        _changed(
            "sums_known",
            ("coalesce(r.through, 0), p_position)", "coalesce(r.through, 0), 9223372036854775807)"),
        ),
        "the past of .* has changed",
    ),
}


@pytest.mark.parametrize("name", SEEDED)
def test_the_machine_finds_the_bug(servers: Servers, ledger_template: str, name: str) -> None:
    weaken, what = SEEDED[name]
    with pytest.raises(AssertionError, match=what):
        play_with_bug(servers, ledger_template, weaken, luck=5, examples=_EXAMPLES)
