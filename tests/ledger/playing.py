"""Runs the state machine: always the same examples in `make test`, other ones every time in `make faults`."""

import os
from collections.abc import Callable
from random import Random

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.errors import Flaky
from hypothesis.stateful import run_state_machine_as_test
from sqlalchemy import Connection

from tests.ledger.machine import Machine
from tests.ledger.stage import Stage
from tests.servers import Servers
from tests.thorough import THOROUGH

PARTS = 4
STEPS = 50
_USUAL = "200" if THOROUGH else "28"
EXAMPLES = int(os.environ.get("FAULT_EXAMPLES", _USUAL)) // PARTS
TIMEOUT_SECONDS = 600 + 10 * max(0, EXAMPLES - 50)


def play(servers: Servers, template: str, part: int) -> int:
    """Play a part of the examples; return how many steps that were.

    `FAULT_EXAMPLES` asks for more, and for others every time; a failure names the `FAULT_SEED` for it.
    """
    luck = part if "FAULT_EXAMPLES" not in os.environ else Random().getrandbits(32)
    luck = int(os.environ.get("FAULT_SEED", luck))
    stage = Stage(servers, template)
    try:
        # Hypothesis cuts some short, so there is a second helping
        while (missing := EXAMPLES * STEPS - stage.steps) > 0:
            _run(stage, luck + stage.plays, -(-missing // STEPS), [Phase.generate, Phase.shrink])
    except BaseException as error:
        error.add_note(f"FAULT_SEED={luck}")
        raise
    return stage.steps


def play_with_bug(
    servers: Servers, template: str, weaken: Callable[[Connection], object], luck: int, examples: int
) -> None:
    """Play on databases with a bug put there on purpose, which is not reduced to the smallest example.

    Raises what the first bad example found. That it may not find it again is no news: how much there is to
    seal and to roll up depends on who else is at work on the server.
    """
    stage = Stage(servers, template, weaken)
    try:
        _run(stage, luck, examples, [Phase.generate])
    except Flaky:
        if stage.found is None:
            raise
    if stage.found is not None:
        raise stage.found


def _run(stage: Stage, luck: int, examples: int, phases: list[Phase]) -> None:
    options = settings(
        max_examples=examples,
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        phases=phases,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )

    @seed(luck)
    def machine() -> Machine:
        return Machine(stage)

    try:
        run_state_machine_as_test(machine, settings=options)  # type: ignore[arg-type] # a function will do
    finally:
        stage.close()
