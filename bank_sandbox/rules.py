"""What the bank does with a payment: told by a file, else by the end of the account number."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ACTIONS = ("pay", "reject", "return", "delay", "never", "repeat", "pay-then-drop")
SILENT = ("never", "pay-then-drop")
_KEYS = {"default", "end_to_end", "accounts", "suffix_rules"}


class RulesError(Exception):
    """The behaviour file cannot be used; the text names the key."""


@dataclass(frozen=True, slots=True)
class Behaviour:
    """`code` is the reason of a rejection or return; `seconds` how long a delay or return waits."""

    action: str
    code: str = ""
    seconds: float = 0

    @property
    def is_silent(self) -> bool:
        """The bank gives no word on such a payment, not even when asked."""
        return self.action in SILENT

    def as_json(self) -> dict[str, Any]:
        return {"action": self.action, "code": self.code, "seconds": self.seconds}


PAY = Behaviour("pay")
SUFFIXES = {
    "9901": Behaviour("reject", "AC01"),
    "9902": Behaviour("return", "AC04"),
    "9903": Behaviour("delay", seconds=5),
    "9904": Behaviour("never"),
    "9905": Behaviour("repeat"),
    "9906": Behaviour("pay-then-drop"),
}


@dataclass(frozen=True, slots=True)
class Rules:
    """Looked up from the closest to the widest: EndToEndId, account, end of the account, default."""

    default: Behaviour = PAY
    end_to_end: Mapping[str, Behaviour] = field(default_factory=dict)
    accounts: Mapping[str, Behaviour] = field(default_factory=dict)
    suffixes: Mapping[str, Behaviour] = field(default_factory=lambda: SUFFIXES)

    def behaviour(self, end_to_end_id: str, account: str) -> Behaviour:
        return (
            self.end_to_end.get(end_to_end_id)
            or self.accounts.get(account)
            or self.suffixes.get(account[-4:])
            or self.default
        )


def load_rules(path: Path) -> Rules:
    """Rules from a JSON file, or the usual ones where there is none. Raises RulesError."""
    if not path.exists():
        return Rules()
    try:
        told = json.loads(path.read_bytes())
    except ValueError as error:
        raise RulesError(f"{path.name} is not JSON: {error}") from error
    if not isinstance(told, dict) or told.keys() - _KEYS:
        raise RulesError(f"{path.name}: an object with the keys {', '.join(sorted(_KEYS))} is expected")
    return Rules(
        default=read_behaviour(told.get("default", {"action": "pay"}), "default"),
        end_to_end=_table(told, "end_to_end"),
        accounts=_table(told, "accounts"),
        suffixes=SUFFIXES if told.get("suffix_rules", True) else {},
    )


def _table(told: Mapping[str, Any], key: str) -> dict[str, Behaviour]:
    table = told.get(key, {})
    if not isinstance(table, dict):
        raise RulesError(f"{key} is not an object")
    return {name: read_behaviour(rule, f"{key}.{name}") for name, rule in table.items()}


def read_behaviour(rule: Any, where: str) -> Behaviour:
    """A behaviour from its JSON; raises RulesError naming the place."""
    if not isinstance(rule, dict) or rule.keys() - {"action", "code", "seconds"}:
        raise RulesError(f"{where}: an object with action, code and seconds is expected")
    action, seconds = rule.get("action"), rule.get("seconds", 0)
    if action not in ACTIONS:
        raise RulesError(f"{where}: action {action!r} is none of {', '.join(ACTIONS)}")
    if not isinstance(seconds, int | float) or seconds < 0:
        raise RulesError(f"{where}: seconds {seconds!r} is not a duration")
    usual = {"reject": "AC01", "return": "AC04"}.get(action, "")
    return Behaviour(action, rule.get("code") or usual, seconds)
