"""Before anybody comes: the catalogue, its runs, the providers' people and accounts, the state's money."""

import json
from decimal import Decimal
from pathlib import Path

from marketplace.dev.demo import stage
from marketplace.dev.demo.playground import Playground
from marketplace.dev.demo.report import Step

_SHOWN = 6
_MARGIN = Decimal("1.1")


def import_catalogue(ground: Playground, file: Path) -> None:
    """Book the good rows, name the bad ones, and offer runs for courses that have none."""
    with ground.report.step("catalogue") as step:
        printed = ground.command("catalogue", "import", str(file), "--json", accept=(0, 1))
        outcome = json.loads(printed)
        refused = outcome["refused"]
        step.add(f"{file.name}: {outcome['created']} courses booked, {len(refused)} rows refused")
        _tell_refused(step, refused, file)
        runs = json.loads(ground.command("dev", "runs", "--most", str(ground.size.runs)))
        step.add(f"{runs['runs']} runs offered")


def add_providers(ground: Playground) -> None:
    """Staff of every provider that offers something; an account proposed by one, approved by another."""
    with ground.report.step("providers") as step:
        made = json.loads(ground.command("dev", "staff"))
        step.add(f"{made['providers']} with staff and an approved bank account")


def receive_money(ground: Playground, scheme: str = "2023") -> None:
    """Appropriate enough for everybody; the bank's statement must show the same deposit."""
    with ground.report.step("state money") as step:
        each = ground.reader.value(
            "SELECT training_balance + incentive_amount * incentive_times + survey_amount * survey_times"
            " FROM scheme WHERE code = %s",
            scheme,
        )
        amount = (each * ground.size.participants * _MARGIN).to_integral_value()
        number = ground.reader.value("SELECT count(*) + 1 FROM appropriation")
        reference = f"DIPA {ground.days.today.year} nomor {number}"
        options = ("--reference", reference, "--as", stage.SUBMITTER.contact)
        ground.command("schemes", "appropriate", scheme, str(amount), *options)
        stage.deposit(ground.bank_folder, f"demo-{number}", int(amount), reference, ground.days.today)
        ground.reader.wait_for(
            "the statement with the state's deposit",
            "SELECT count(*) = %s FROM bank_line WHERE amount > 0 AND state = 'explained'",
            number,
        )
        step.add(f"Rp{amount:,.0f} appropriated and found on the bank's statement".replace(",", "."))


def _tell_refused(step: Step, refused: list[dict[str, object]], file: Path) -> None:
    for row in refused[:_SHOWN]:
        problems = row["problems"]
        assert isinstance(problems, list)  # the command's own document
        for problem in problems:
            step.note(
                f"line {problem['line']}, {problem['column']}: {problem['value']!r}: {problem['reason']}"
            )
    if len(refused) > _SHOWN:
        step.note(
            f"... and {len(refused) - _SHOWN} more; all of them: flask catalogue import {file} --dry-run"
        )
