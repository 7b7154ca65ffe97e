"""Form fields that are read as the cells of a catalogue file are: one reading, one set of reasons."""

from collections.abc import Callable, Mapping
from typing import Any

from marshmallow import ValidationError, fields

from marketplace.catalogue import csv_cells as cells
from marketplace.catalogue.csv_words import reason_in
from marketplace.web.forms import REQUIRED
from marketplace.web.language import current_language


class Cell(fields.Field[Any]):
    """What a cell's parser makes of the text. `ask` is what to tell whoever left out what is required."""

    def __init__(self, parse: Callable[[str], Any], ask: object = REQUIRED, **options: Any) -> None:
        options.setdefault("required", True)
        messages: dict[str, Any] = {"required": ask, "blank": ask}
        super().__init__(error_messages=messages, **options)
        self.parse = parse

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> Any:
        text = str(value).strip()
        if not text and self.required:
            raise self.make_error("blank")
        try:
            cells.check_characters(text)
            return self.parse(text)
        except cells.CellError as error:
            words = reason_in(current_language(), error.code, error.reason)
            raise ValidationError(words[:1].upper() + words[1:] + ".") from error
