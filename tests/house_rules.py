"""The rules of the house as checks over source text. Each returns sentences that name what breaks it."""

import ast
import re
import statistics
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path, PurePosixPath

from flask import Flask

ROOT = Path(__file__).resolve().parents[1]
CODE = ("ledger", "marketplace", "bank_sandbox", "bench")
LONGEST_FUNCTION = 50
LONGEST_MODULE = 300
LONGEST_TEST = 400
_VAGUE = frozenset({"util.py", "utils.py", "helper.py", "helpers.py", "common.py", "misc.py"})
_PURE = ("models.py", "queries.py", "service.py")
_FRAMEWORKS = frozenset({"flask", "flask_sqlalchemy", "flask_babel", "marshmallow", "celery"})
_LISTED = re.compile(r"^\| `([a-z_/]+)/` \|", re.MULTILINE)
_UNKEPT = frozenset({"var", "node_modules"})


@cache
def _walk(source: str) -> list[ast.AST]:
    """Everything in a source text, read once for all rules."""
    return list(ast.walk(ast.parse(source)))


def python_files(*folders: str) -> Iterator[Path]:
    """Source files below folders of the checkout."""
    for folder in folders:
        yield from sorted((ROOT / folder).rglob("*.py"))


def listed_folders(page: str) -> set[str]:
    """Folders that have their line in the table of docs/architecture.md."""
    return set(_LISTED.findall(page))


def present_folders(root: Path) -> set[str]:
    """Folders that hold something: at the top, and one below `marketplace`."""
    candidates = [*root.iterdir(), *(root / "marketplace").iterdir()]
    kept = (path for path in candidates if path.is_dir() and path.name not in _UNKEPT)
    return {
        path.relative_to(root).as_posix()
        for path in kept
        if not path.name.startswith((".", "__")) and any(each.is_file() for each in path.rglob("[!.]*.*"))
    }


def unlisted_folders(present: Collection[str], listed: Collection[str]) -> list[str]:
    """Both ways: a folder without its line, and a line without its folder."""
    missing = [f"docs/architecture.md has no line for {name}/" for name in sorted(set(present) - set(listed))]
    gone = [
        f"docs/architecture.md lists {name}/, which is not there"
        for name in sorted(set(listed) - set(present))
    ]
    return missing + gone


def stray_commits(path: PurePosixPath, source: str) -> list[str]:
    """Services flush, edges commit, and one module does it for them."""
    if path == PurePosixPath("marketplace/db.py"):
        return []
    calls = (node for node in _walk(source) if isinstance(node, ast.Call))
    return [
        f"{path}:{call.lineno} commits; only marketplace/db.py may"
        for call in calls
        if isinstance(call.func, ast.Attribute) and call.func.attr == "commit"
    ]


def long_functions(path: PurePosixPath, source: str) -> list[str]:
    """Functions that no longer fit on a screen."""
    return [
        f"{path}:{node.lineno} {node.name} has {length} lines, more than {LONGEST_FUNCTION}"
        for node, length in function_lengths(source)
        if length > LONGEST_FUNCTION
    ]


def function_lengths(source: str) -> list[tuple[ast.FunctionDef | ast.AsyncFunctionDef, int]]:
    """Every function with its number of lines, signature and docstring included."""
    functions = (node for node in _walk(source) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return [(node, (node.end_lineno or node.lineno) - node.lineno + 1) for node in functions]


def median_length(sources: Iterable[str]) -> float:
    """The median of all functions' lengths."""
    return statistics.median(length for source in sources for _, length in function_lengths(source))


def long_file(path: PurePosixPath, source: str) -> list[str]:
    """Modules above 300 lines, test files above 400."""
    limit = LONGEST_TEST if path.parts[0] == "tests" else LONGEST_MODULE
    lines = len(source.splitlines())
    return [f"{path} has {lines} lines, more than {limit}"] if lines > limit else []


def vague_name(path: PurePosixPath) -> list[str]:
    """A name that says nothing attracts everything."""
    return [f"{path} has a name that says nothing"] if path.name in _VAGUE else []


def forbidden_imports(path: PurePosixPath, source: str) -> list[str]:
    """Models, queries and services name no framework and no task."""
    if path.parts[0] != "marketplace" or not path.name.endswith(_PURE):
        return []
    return [
        f"{path}:{line} imports {module}"
        for module, line in _imports(source)
        if module.partition(".")[0] in _FRAMEWORKS or module.endswith(".tasks")
    ]


def _imports(source: str) -> Iterator[tuple[str, int]]:
    for node in _walk(source):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module, node.lineno
            yield from ((f"{node.module}.{alias.name}", node.lineno) for alias in node.names)


def undeclared_routes(app: Flask, declared: Mapping[str, object]) -> list[str]:
    """Routes of no blueprint, or of one that was registered without saying who may open it."""
    problems = []
    for rule in app.url_map.iter_rules():
        blueprint = rule.endpoint.rpartition(".")[0]
        if rule.endpoint != "static" and blueprint not in declared:
            problems.append(f"{rule.rule} ({rule.endpoint}) does not say who may open it")
    return problems
