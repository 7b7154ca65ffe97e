"""Whatever is done to the ledger, in whatever order: it is what the paper says. In parts, to run abreast."""

from tests.ledger.playing import EXAMPLES, PARTS, play
from tests.servers import Servers


class TestFirstPart:
    def test_the_ledger_is_what_the_paper_says(self, servers: Servers, ledger_template: str) -> None:
        assert play(servers, ledger_template, luck=1) >= EXAMPLES // PARTS


class TestSecondPart:
    def test_the_ledger_is_what_the_paper_says(self, servers: Servers, ledger_template: str) -> None:
        assert play(servers, ledger_template, luck=2) >= EXAMPLES // PARTS


class TestThirdPart:
    def test_the_ledger_is_what_the_paper_says(self, servers: Servers, ledger_template: str) -> None:
        assert play(servers, ledger_template, luck=3) >= EXAMPLES // PARTS


class TestFourthPart:
    def test_the_ledger_is_what_the_paper_says(self, servers: Servers, ledger_template: str) -> None:
        assert play(servers, ledger_template, luck=4) >= EXAMPLES // PARTS
