"""Runs the state machine: always the same examples in `make test`, other ones every time in `make faults`."""

import os
from collections.abc import Callable

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test
from sqlalchemy import Connection

from tests.ledger.machine import Machine
from tests.ledger.stage import Stage
from tests.servers import Servers

PARTS = 4
STEPS = 50
EXAMPLES = int(os.environ.get("FAULT_EXAMPLES", "200"))
IS_NEW_EACH_TIME = "FAULT_EXAMPLES" in os.environ


def play(
    servers: Servers,
    template: str,
    luck: int,
    examples: int = EXAMPLES // PARTS,
    weaken: Callable[[Connection], object] | None = None,
) -> int:
    """Play so many examples and return how many that were; a seeded bug makes them fail.

    A bug is not reduced to its smallest example where it was put there on purpose.
    """
    stage = Stage(servers, template, weaken)
    phases = [Phase.generate] if weaken else [Phase.generate, Phase.shrink]
    options = settings(
        max_examples=examples,
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        phases=phases,
        print_blob=False,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )

    def machine() -> Machine:
        return Machine(stage)

    try:
        fixed = weaken is not None or not IS_NEW_EACH_TIME
        run_state_machine_as_test(seed(luck)(machine) if fixed else machine, settings=options)  # type: ignore[arg-type]
    finally:
        stage.close()
    return stage.plays
