"""axe-core on a page in a real browser: what a reader with a disability would stumble over."""

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page

_STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"]
_SERIOUS = {"serious", "critical"}
_ALSO = {"heading-order", "landmark-unique", "page-has-heading-one"}
"""Of the best practices, those that this house keeps: the outline by which readers move."""
_RUN = """async ([standards, rules]) => {
    const runOnly = {type: 'tag', values: standards};
    const options = {runOnly, rules, resultTypes: ['violations'], preload: false};
    const found = await axe.run(document, options);
    const shown = nodes => nodes.map(node => node.html.slice(0, 160));
    return found.violations.map(({id, impact, nodes}) => [impact, id, shown(nodes)]);
}"""


def find_axe() -> str | None:
    """The script, or None where the package that carries it is not installed."""
    package = importlib.util.find_spec("axe_playwright_python")
    if package is None or package.origin is None:
        return None
    return (Path(package.origin).parent / "axe.min.js").read_text()


def load_axe(page: "Page", script: str) -> None:
    """Bring axe into an opened page through the debugger, past a policy that forbids it scripts."""
    page.evaluate(script)


def findings(page: "Page") -> list[str]:
    """What is serious or worse by WCAG 2.2 A and AA, a line each."""
    also = {rule: {"enabled": True} for rule in _ALSO}
    found = page.evaluate(_RUN, [_STANDARDS, also])
    return [
        f"{rule}: {node}"
        for impact, rule, nodes in found
        if impact in _SERIOUS or rule in _ALSO
        for node in nodes
    ]
