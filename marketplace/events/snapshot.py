"""Business values as JSON: what outbox and audit trail keep of a thing as it was."""

import uuid
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any


def snapshot(values: Mapping[str, object]) -> dict[str, Any]:
    """A JSON object: ids and dates as text, whole rupiah as integers."""
    return {name: _json(value) for name, value in values.items()}


def _json(value: object) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else str(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, uuid.UUID):
        return str(value)
    if isinstance(value, Mapping):
        return snapshot(value)
    if isinstance(value, list | tuple):
        return [_json(item) for item in value]
    return value
