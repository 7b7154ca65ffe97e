"""Forms: a marshmallow schema, what was typed, and what is wrong with it, field by field."""

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from flask import request
from flask_babel import lazy_gettext as _l
from marshmallow import RAISE, Schema, ValidationError, fields

from marketplace.catalogue.csv_cells import DIRECTION

_CSRF_FIELD = "csrf_token"
"""Checked by Flask-WTF before any view runs."""

_MOST_DIGITS = 15

_LINE = "\u2028"
"""Stands for a line's end while the rest of a text is looked through: it is no control character."""

_NOT_OF_A_KEY = re.compile(r"[^0-9a-f]")

_LEFT_TO_RIGHT = re.compile("[\u200e\u202a\u202c\u202d\u2066\u2068\u2069]")
"""The direction marks that change nothing around a number or an address."""

REQUIRED = _l("Isian ini wajib diisi.")
UNREADABLE = _l("Isian ini tidak bisa dibaca. Muat ulang halaman, lalu isi lagi.")
_UNKNOWN = _l("Isian ini tidak ada di formulir yang sekarang. Muat ulang halaman, lalu isi lagi.")


class Text(fields.String):
    """A required line of text: trimmed, never blank, without NUL or other control characters, and without
    marks that turn its direction, which can make one name look like another.

    `ask` is what to tell whoever left it empty, so that a summary of errors says which field it means.
    """

    default_error_messages = {  # noqa: RUF012 - how marshmallow's fields declare theirs
        "required": REQUIRED,
        "blank": REQUIRED,
        "control": _l("Ada karakter yang tidak bisa dipakai."),
        "direction": _l(
            "Ada tanda pembalik arah tulisan yang tidak terlihat; hapus isian ini, lalu ketik lagi."
        ),
    }

    def __init__(self, ask: object = REQUIRED, **options: Any) -> None:
        options.setdefault("required", True)
        options["error_messages"] = {"required": ask, "blank": ask} | options.get("error_messages", {})
        super().__init__(**options)

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> str:
        text = str(super()._deserialize(value, attr, data, **kwargs)).strip()
        if not text and self.required:
            raise self.make_error("blank")
        if any(ord(character) < 32 or 0xD800 <= ord(character) <= 0xDFFF for character in text):
            raise self._named("control")
        if DIRECTION.search(text):
            raise self._named("direction")
        return text

    def _named(self, fault: str) -> ValidationError:
        """What is wrong, after what the field asks for: a summary has no other name for it."""
        ask, words = str(self.error_messages["blank"]), str(self.error_messages[fault])
        return ValidationError(words if ask == str(REQUIRED) else f"{ask} {words}")


class Copied(Text):
    """A line that people copy from address books, which put marks from left to right around it."""

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> str:
        return super()._deserialize(_LEFT_TO_RIGHT.sub("", str(value)), attr, data, **kwargs)


class Paragraphs(Text):
    """Text of several lines, at most `most` characters: trimmed, with line breaks of one kind, without other
    control characters or marks that turn its direction.
    """

    default_error_messages = {"long": _l("Terlalu panjang: paling banyak %(most)s huruf.")}  # noqa: RUF012

    def __init__(self, ask: object = REQUIRED, most: int = 20_000, **options: Any) -> None:
        self._most = most
        super().__init__(ask, **options)

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> str:
        one_line = DIRECTION.sub("", str(value)).replace("\r\n", "\n")
        one_line = one_line.replace("\n", _LINE).replace("\t", " ")
        text = str(super()._deserialize(one_line, attr, data, **kwargs)).replace(_LINE, "\n").strip()
        if len(text) > self._most:
            raise ValidationError(str(self.error_messages["long"]) % {"most": self._most})
        return text


class Digits(Text):
    """A required whole number written with the digits 0 to 9 only: no sign, sen, exponent or grouping."""

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> Any:
        text = super()._deserialize(value, attr, data, **kwargs)
        if not (text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS):
            raise self.make_error("invalid")
        return int(text)


class FormSchema(Schema):
    """A field that the form does not have is refused, never ignored.

    What marshmallow itself would say, it says in English: a page says it in its reader's language.
    """

    class Meta:
        unknown = RAISE

    error_messages = {"unknown": _UNKNOWN}  # noqa: RUF012 - how marshmallow's schemas declare theirs

    def on_bind_field(self, field_name: str, field_obj: fields.Field[Any]) -> None:
        """Words of our own are translated when they are shown, and so no `str`."""
        for name, words in field_obj.error_messages.items():
            if isinstance(words, str):
                own = REQUIRED if name == "required" else UNREADABLE
                field_obj.error_messages = field_obj.error_messages | {name: own}


@dataclass
class Form:
    """One submission: `data` is clean where `errors` has no entry; `typed` is shown again as it was."""

    typed: Mapping[str, str]
    data: dict[str, Any] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def is_valid(self) -> bool:
        return not self.errors

    def refuse(self, name: str, words: object) -> None:
        """Add what a rule behind the form found wrong."""
        self.errors[name] = str(words)

    @property
    def summary(self) -> list[tuple[str, str]]:
        """(field, words) for the error summary that links to the fields."""
        return list(self.errors.items())


def new_key() -> str:
    """What makes two sendings of one form one act."""
    return uuid.uuid4().hex


def key_of(form: Form) -> str:
    """A form's key; one that has none gets its own."""
    return _NOT_OF_A_KEY.sub("", form.data["key"])[:64] or new_key()


def empty(**typed: str) -> Form:
    """A form nobody has sent yet, perhaps with fields filled in."""
    return Form(typed=typed)


def submitted(schema: Schema) -> Form:
    """The form that was sent, checked."""
    form = Form(typed={name: value for name, value in request.form.items() if name != _CSRF_FIELD})
    try:
        form.data = schema.load(form.typed)
    except ValidationError as error:
        form.data = error.valid_data if isinstance(error.valid_data, dict) else {}
        messages = cast(dict[str, Any], error.messages)
        form.errors = {name: _first(found) for name, found in messages.items()}
    return form


def _first(found: Any) -> str:
    """A field's first complaint. A translated one is no `str`, so marshmallow leaves it without a list."""
    return str(found[0] if isinstance(found, list) else found)
