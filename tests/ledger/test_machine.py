"""Whatever is done to the ledger, in whatever order: it is what the paper says. In parts, to run abreast."""

import pytest

from tests.ledger.playing import EXAMPLES, STEPS, TIMEOUT_SECONDS, play
from tests.servers import Servers

pytestmark = [pytest.mark.long, pytest.mark.timeout(TIMEOUT_SECONDS)]


class TestFirstPart:
    def test_the_ledger_is_what_the_paper_says(self, servers: Servers, ledger_template: str) -> None:
        assert play(servers, ledger_template, 1) >= EXAMPLES * STEPS


class TestSecondPart:
    def test_the_ledger_is_what_the_paper_says(self, servers: Servers, ledger_template: str) -> None:
        assert play(servers, ledger_template, 2) >= EXAMPLES * STEPS


class TestThirdPart:
    def test_the_ledger_is_what_the_paper_says(self, servers: Servers, ledger_template: str) -> None:
        assert play(servers, ledger_template, 3) >= EXAMPLES * STEPS


class TestFourthPart:
    def test_the_ledger_is_what_the_paper_says(self, servers: Servers, ledger_template: str) -> None:
        assert play(servers, ledger_template, 4) >= EXAMPLES * STEPS
