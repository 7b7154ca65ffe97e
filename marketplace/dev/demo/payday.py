"""Declaring completions, then from matured earnings to the bank and back, with two finance people."""

import json
import uuid
from dataclasses import replace
from datetime import date, datetime, time, timedelta

from marketplace.clock import ZONE
from marketplace.dev.demo import timetable
from marketplace.dev.demo.classes import School, send_lists
from marketplace.dev.demo.playground import Playground
from marketplace.dev.demo.report import Step
from marketplace.dev.demo.stage import APPROVER, SUBMITTER

_DECLARED_BY_PROVIDERS = 12
_OVERDUE_DAYS, _MATURITY_DAYS = 4, 6  # working days, one more than the scheme's
_JOB_SECONDS = 150.0

_SAID = {
    "reason": "Salah baca daftar: hanya sesi pertama yang dihadiri",
    "evidence": "Daftar hadir, halaman 2",
}
_CORRECTABLE = """
    SELECT e.id, (SELECT u.email FROM provider_staff f JOIN "user" u ON u.id = f.user_id
                  WHERE f.provider_id = e.provider_id ORDER BY f.added_at LIMIT 1)
    FROM enrolment e JOIN earning g ON g.enrolment_id = e.id
    WHERE e.state = 'completed' AND e.percent >= 50
        AND g.state = 'accrued' AND g.matures_at > ledger.now()
        AND NOT EXISTS (SELECT FROM earning o JOIN attendance a ON a.id = o.evidence_id
                        WHERE a.enrolment_id = e.id AND o.enrolment_id <> e.id)
    ORDER BY e.id LIMIT 1"""
_CORRECTED = "SELECT old_percent, new_percent FROM result_correction"
_PREPARED = "SELECT id FROM payout_run WHERE state = 'prepared' ORDER BY id"
_PREPARED_TODAY = """
    SELECT EXISTS (SELECT FROM payout_run WHERE state = 'prepared'
                   AND day = (ledger.now() AT TIME ZONE 'Asia/Jakarta')::date)"""
_NOTHING_MOVES = """
    SELECT NOT EXISTS (SELECT FROM payout WHERE state IN ('sending', 'sent', 'unknown'))
        AND NOT EXISTS (SELECT FROM payout p JOIN payout_run r ON r.id = p.run_id
                        WHERE r.state = 'approved' AND p.state = 'prepared')"""
_OUTCOMES = "SELECT state, count(*), sum(amount)::bigint FROM payout GROUP BY state ORDER BY state"
_REJECTED = """
    SELECT p.run_id, p.id FROM payout p
    WHERE p.state = 'failed' ORDER BY p.amount DESC LIMIT 1"""


def declare(ground: Playground, school: School) -> None:
    """Some providers declare at once; the programme declares the rest when their time is over."""
    with ground.report.step("completions") as step:
        runs = _to_declare(school)
        ground.sign_in_all(staff for _, staff in runs)
        ground.everybody(runs, lambda each: _declare(ground, *each), "declaring")
        _correct(ground, step)
        ground.travel(ground.days.at(timetable.LAST_DAY, 20))
        send_lists(ground, {run_id: each for run_id, each in school.coded.items() if each.is_long})
        ground.travel(_morning(_working_day(ground, ground.reader.now(), _OVERDUE_DAYS)))
        ground.reader.wait_for(
            "the declaration of overdue runs",
            "SELECT NOT EXISTS (SELECT FROM run WHERE state = 'open' AND ends_at < %s)",
            ground.days.at(timetable.LAST_DAY + 1, 0),
            seconds=_JOB_SECONDS,
        )
        overdue = ground.reader.value("SELECT count(*) FROM run WHERE state = 'settled'") - len(runs)
        step.add(f"{len(runs)} runs declared by providers, {overdue} by the programme")
        for state, count in ground.reader.rows(
            "SELECT state, count(*) FROM enrolment GROUP BY state ORDER BY count(*) DESC"
        ):
            step.add(f"{count} {state.replace('_', ' ')}")


def _to_declare(school: School) -> list[tuple[uuid.UUID, str]]:
    """(run, staff) of some short classes of both kinds; the long ones are not over yet."""
    coded = [(run_id, each.staff) for run_id, each in school.coded.items() if not each.is_long]
    listed = [(run_id, each.staff) for run_id, each in school.listed.items()]
    chosen = coded[:_DECLARED_BY_PROVIDERS] + listed[: _DECLARED_BY_PROVIDERS // 2]
    return [each for each in chosen if each[0] != school.stopped]


def pay(ground: Playground) -> None:
    """Beat prepares at night; one submits, another approves; the bank pays, rejects and returns."""
    with ground.report.step("payouts") as step:
        ground.travel(_morning(_working_day(ground, ground.reader.now(), _MATURITY_DAYS)))
        runs = _let_go(ground)
        payouts, amount = ground.reader.rows(
            "SELECT count(*), coalesce(sum(amount), 0)::bigint FROM payout WHERE run_id = ANY(%s)", runs
        )[0]
        step.add(f"{payouts} payouts of {_rupiah(amount)}, {len(runs)} runs submitted and approved")
        for reason, count in ground.reader.rows(
            "SELECT hold_code, count(*) FROM earning WHERE state = 'held' GROUP BY 1"
        ):
            step.add(f"{count} earnings held ({reason})")
    with ground.report.step("bank") as step:
        _settle(ground)
        for state, count, total in ground.reader.rows(_OUTCOMES):
            step.add(f"{count} {state} {_rupiah(total)}")


def retry(ground: Playground) -> None:
    """The bank mends its mistake about one account, and finance tries its payout again."""
    with ground.report.step("retry of a rejection") as step:
        rejected = ground.reader.rows(_REJECTED)
        if not rejected:
            step.add("nothing was rejected")
            return
        run_id, payout_id = rejected[0]
        _mend_account(ground, payout_id)
        visitor = ground.sign_in(SUBMITTER.contact)
        page = visitor.open(f"/keuangan/pembayaran/{run_id}/{payout_id}")
        visitor.must(page.form("/ulangi"))
        _let_go(ground)
        _settle(ground)
        paid = ground.reader.value(
            "SELECT count(*) FROM payout p JOIN payout f ON f.provider_id = p.provider_id"
            " WHERE f.id = %s AND p.state = 'paid'",
            payout_id,
        )
        step.add(f"prepared anew, submitted, approved, {'paid' if paid else 'not paid'}")


def _declare(ground: Playground, run_id: uuid.UUID, staff: str) -> None:
    visitor = ground.sign_in(staff)
    visitor.must(visitor.open(f"/lembaga/jadwal/{run_id}/selesai").form("/selesai"))


def _correct(ground: Playground, step: Step) -> None:
    """One provider finds a mistake in what it has declared."""
    found = ground.reader.rows(_CORRECTABLE)
    if not found:
        return
    enrolment_id, staff = found[0]
    visitor = ground.sign_in(staff)
    form = visitor.open(f"/lembaga/pendaftaran/{enrolment_id}/koreksi").form("/koreksi/tinjau")
    kept = [value for _, value in form.choices][:1]
    visitor.send(form, _SAID, kept).form("/koreksi")  # the page that says what follows
    visitor.must(replace(form, action=form.action.removesuffix("/tinjau")), _SAID, kept)
    old, new = ground.reader.rows(_CORRECTED)[0]
    step.add(f"1 result corrected from {old} % to {new} %")


def _let_go(ground: Playground) -> list[uuid.UUID]:
    """Submit what is prepared and approve it as somebody else."""
    ground.reader.wait_for("today's prepared payout run", _PREPARED_TODAY, seconds=_JOB_SECONDS)
    runs = [row[0] for row in ground.reader.rows(_PREPARED)]
    for desk, action in ((SUBMITTER, "/ajukan"), (APPROVER, "/setujui")):
        visitor = ground.sign_in(desk.contact)
        for run_id in runs:
            visitor.must(visitor.open(f"/keuangan/pembayaran/{run_id}").form(action))
    ground.reader.wait_for(
        "the approval of the payout run",
        "SELECT count(*) = %s FROM payout_run WHERE id = ANY(%s) AND state = 'approved'",
        len(runs),
        runs,
    )
    return runs


def _settle(ground: Playground) -> None:
    """Wait until the bank has answered everything, its returns included."""
    ground.reader.wait_for("the bank's answers", _NOTHING_MOVES, seconds=_JOB_SECONDS)
    ground.reader.wait_for(
        "the bank's returns",
        "SELECT NOT EXISTS (SELECT FROM payout p JOIN bank_account b ON b.id = p.bank_account_id"
        " WHERE p.state = 'paid' AND b.number_ending = '9902')",
    )


def _mend_account(ground: Playground, payout_id: uuid.UUID) -> None:
    """Tell the sandbox to pay the account of a payout that it rejected. Its log knows the number."""
    log = (ground.bank_folder / "bank" / "log.jsonl").read_text(encoding="utf-8")
    orders = [json.loads(line)["data"] for line in log.splitlines() if '"received"' in line]
    numbers = {each["end_to_end_id"]: each["account"] for order in orders for each in order["transfers"]}
    told = {"accounts": {numbers[payout_id.hex]: {"action": "pay"}}}
    draft = ground.bank_folder / ".behaviour"
    draft.write_text(json.dumps(told), encoding="utf-8")
    draft.replace(ground.bank_folder / "behaviour.json")


def _working_day(ground: Playground, after: datetime, count: int) -> date:
    """The `count`-th working day after an instant."""
    holidays = {row[0] for row in ground.reader.rows("SELECT day FROM holiday")}
    day = after.astimezone(ZONE).date()
    while count:
        day += timedelta(days=1)
        count -= day.weekday() < 5 and day not in holidays
    return day


def _morning(day: date) -> datetime:
    return datetime.combine(day, time(9), ZONE)


def _rupiah(amount: int) -> str:
    return f"Rp{amount:,}".replace(",", ".")
