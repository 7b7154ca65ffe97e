"""The house keeps its own rules. Each rule is also shown a sample that breaks it."""

from collections.abc import Callable
from pathlib import Path, PurePosixPath

import pytest
from flask import Blueprint, Flask

from marketplace.app import create_app
from marketplace.config import load_settings
from marketplace.web.access import Access, declared, register
from tests import house_rules

Rule = Callable[[PurePosixPath, str], list[str]]

SOURCE_RULES: dict[Rule, tuple[str, ...]] = {
    house_rules.stray_commits: house_rules.CODE,
    house_rules.long_functions: (*house_rules.CODE, "tests"),
    house_rules.long_file: (*house_rules.CODE, "tests"),
    house_rules.forbidden_imports: house_rules.CODE,
}

BREACHES: list[tuple[Rule, str, str]] = [
    (
        house_rules.stray_commits,
        "marketplace/enrolments/service.py",
        "def buy(session):\n    session.commit()\n",
    ),
    (house_rules.long_functions, "marketplace/app.py", "def endless():\n" + "    act()\n" * 50),
    (house_rules.long_file, "marketplace/app.py", "act()\n" * 301),
    (house_rules.long_file, "tests/test_app.py", "act()\n" * 401),
    (
        house_rules.forbidden_imports,
        "marketplace/payouts/service.py",
        "from marketplace.payouts import tasks\n",
    ),
    (house_rules.forbidden_imports, "marketplace/payouts/models.py", "import flask\n"),
    (house_rules.forbidden_imports, "marketplace/payouts/incentive_models.py", "import flask\n"),
    (house_rules.forbidden_imports, "marketplace/payouts/queries.py", "from celery import shared_task\n"),
]

ALLOWED: list[tuple[Rule, str, str]] = [
    (house_rules.stray_commits, "marketplace/db.py", "def edge(session):\n    session.commit()\n"),
    (house_rules.long_functions, "marketplace/app.py", "def full():\n" + "    act()\n" * 49),
    (house_rules.long_file, "tests/test_app.py", "act()\n" * 400),
    (house_rules.forbidden_imports, "marketplace/payouts/tasks.py", "from celery import shared_task\n"),
]


@pytest.mark.parametrize("rule", SOURCE_RULES, ids=lambda rule: rule.__name__)
def test_the_source_keeps_the_rule(rule: Rule) -> None:
    broken = []
    for path in house_rules.python_files(*SOURCE_RULES[rule]):
        broken += rule(PurePosixPath(path.relative_to(house_rules.ROOT)), path.read_text())
    assert broken == []


@pytest.mark.parametrize(("rule", "path", "source"), BREACHES)
def test_a_breach_of_the_rule_is_seen(rule: Rule, path: str, source: str) -> None:
    assert len(rule(PurePosixPath(path), source)) >= 1


@pytest.mark.parametrize(("rule", "path", "source"), ALLOWED)
def test_what_the_rule_allows_is_let_through(rule: Rule, path: str, source: str) -> None:
    assert rule(PurePosixPath(path), source) == []


def test_half_of_all_functions_have_ten_lines_or_fewer() -> None:
    files = house_rules.python_files(*house_rules.CODE)
    assert house_rules.median_length(path.read_text() for path in files) <= 10
    assert house_rules.median_length(["def long():\n" + "    act()\n" * 10]) > 10


def test_every_folder_has_its_line_in_the_architecture_page() -> None:
    listed = house_rules.listed_folders((house_rules.ROOT / "docs" / "architecture.md").read_text())
    assert house_rules.unlisted_folders(house_rules.present_folders(house_rules.ROOT), listed) == []


def test_an_unlisted_folder_and_a_stale_line_are_seen(tmp_path: Path) -> None:
    for name in ("ledger", "marketplace/payouts", "marketplace/empty"):
        (tmp_path / name).mkdir(parents=True)
    for name in ("ledger/money.py", "marketplace/payouts/models.py"):
        (tmp_path / name).touch()
    present = house_rules.present_folders(tmp_path)
    assert present == {"ledger", "marketplace", "marketplace/payouts"}
    listed = house_rules.listed_folders("| `ledger/` | x |\n| `marketplace/` | x |\n| `attic/` | x |\n")
    problems = house_rules.unlisted_folders(present, listed)
    assert [problem.split()[-1] for problem in problems] == ["marketplace/payouts/", "there"]


def test_no_module_has_a_name_that_says_nothing() -> None:
    files = house_rules.python_files(*house_rules.CODE, "tests")
    assert [each for path in files for each in house_rules.vague_name(PurePosixPath(path))] == []
    assert house_rules.vague_name(PurePosixPath("marketplace/utils.py"))


@pytest.fixture(scope="module")
def bare_app() -> Flask:
    """The application without a database: routes are known before the first connection."""
    return create_app(
        load_settings({"BEKAL_ENV": "test", "DATABASE_URL": "postgresql+psycopg://nowhere/none"})
    )


def test_every_route_says_who_may_open_it(bare_app: Flask) -> None:
    assert house_rules.undeclared_routes(bare_app, declared(bare_app)) == []
    assert len(list(bare_app.url_map.iter_rules())) > 10


def test_an_undeclared_route_is_seen() -> None:
    app = Flask("sample")
    pages = Blueprint("pages", "sample")
    pages.add_url_rule("/open", view_func=str)
    register(app, pages, Access.PUBLIC)
    assert house_rules.undeclared_routes(app, declared(app)) == []
    forgotten = Blueprint("forgotten", "sample")
    forgotten.add_url_rule("/secret", view_func=str)
    app.register_blueprint(forgotten)
    app.add_url_rule("/bare", endpoint="bare", view_func=str)
    problems = house_rules.undeclared_routes(app, declared(app))
    assert [problem.split()[0] for problem in problems] == ["/secret", "/bare"]
