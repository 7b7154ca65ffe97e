"""Reading the bank's XML without trusting it: each refusal names the file, the element and the line."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import ClassVar

from lxml import etree

from marketplace.clock import ZONE
from marketplace.errors import MarketplaceError

MAX_FILE_BYTES = 32 * 1024 * 1024
"""Largest file that is read at all; a statement of 30.000 lines stays below it."""

MAX_TEXT = 500
"""Longest text of the messages (Max500Text). Longer ones would be refused by an index of the database."""

_DECLARATION = re.compile(rb"<!(DOCTYPE|ENTITY)", re.IGNORECASE)
_NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:"
_AMOUNT = re.compile(r"[0-9]{1,18}(\.[0-9]{1,5})?")
_DATE = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(Z|[+-][0-9]{2}:[0-9]{2})?")


class BankFileError(MarketplaceError):
    """A file of the bank that cannot be used; nothing of it may be booked.

    `file` is its name, `where` the element with its line, `problem` what is wrong there.
    """

    code: ClassVar[str] = "bank_file_unusable"

    def __init__(self, file: str, where: str, problem: str) -> None:
        super().__init__(f"{file}: {where}: {problem}", file=file, where=where, problem=problem)
        self.file, self.where, self.problem = file, where, problem


@dataclass(frozen=True, slots=True)
class Element:
    """An element of a message, looked into by local names; other namespaces are not seen."""

    file: str
    node: etree._Element
    namespace: str
    path: str

    def error(self, problem: str) -> BankFileError:
        line = f", line {self.node.sourceline}" if self.node.sourceline else ""
        return BankFileError(self.file, f"{self.path}{line}", problem)

    def each(self, name: str) -> Iterator["Element"]:
        """All children of this name, numbered in their path."""
        for number, node in enumerate(self.node.findall(f"{self.namespace}{name}"), start=1):
            yield Element(self.file, node, self.namespace, f"{self.path}/{name}[{number}]")

    def find(self, path: str) -> "Element | None":
        """The first element on a path such as `Acct/Id/IBAN`, or None."""
        steps = "/".join(f"{self.namespace}{name}" for name in path.split("/"))
        node = self.node.find(steps)
        return None if node is None else Element(self.file, node, self.namespace, f"{self.path}/{path}")

    def get(self, path: str) -> "Element":
        found = self.find(path)
        if found is None:
            raise self.error(f"element {path} is missing")
        return found

    def find_text(self, *paths: str) -> str | None:
        """Text of the first of these paths that is there and not empty."""
        for path in paths:
            found = self.find(path)
            if found is not None and (text := (found.node.text or "").strip()):
                return found.bounded(text)
        return None

    def bounded(self, text: str) -> str:
        """This text of ours, unless no message may hold one as long."""
        if len(text) > MAX_TEXT:
            raise self.error(f"{len(text)} characters; at most {MAX_TEXT} are read")
        return text

    def text(self, *paths: str) -> str:
        text = self.find_text(*paths)
        if text is None:
            raise self.error(f"{' or '.join(paths)} is missing or empty")
        return text


def open_message(content: bytes, file: str, message: str) -> Element:
    """The message element (such as `BkToCstmrStmt`) of a document.

    Refused with BankFileError: too large, not well formed, with a document type or entities (so no
    bombs and no look into other files), another message, or a namespace that is not ISO 20022's.
    A document without a namespace is accepted: banks send such.
    """
    root = _parse(content, file)
    name = etree.QName(root)
    if name.localname != "Document" or not (name.namespace or _NAMESPACE).startswith(_NAMESPACE):
        raise BankFileError(file, "Document", f"root element is {name.text}, not an ISO 20022 Document")
    prefix = f"{{{name.namespace}}}" if name.namespace else ""
    return Element(file, root, prefix, "Document").get(message)


def _parse(content: bytes, file: str) -> etree._Element:
    if len(content) > MAX_FILE_BYTES:
        raise BankFileError(file, "file", f"{len(content)} bytes; at most {MAX_FILE_BYTES} are read")
    if _DECLARATION.search(content):
        raise BankFileError(file, "file", "document types and entities are refused")
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True
    )
    try:
        root = etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise BankFileError(file, "file", f"not well-formed XML: {error}") from error
    if root.getroottree().docinfo.internalDTD is not None:
        # An encoding can hide the declaration from the search above, never from the parser.
        raise BankFileError(file, "file", "document types and entities are refused")
    return root


def read_amount(parent: Element, path: str, currency: str, decimals: int) -> Decimal:
    """An amount without sign, in `currency`, exact to `decimals` places (further zeros are fine)."""
    element = parent.get(path)
    text = (element.node.text or "").strip()
    found = element.node.get("Ccy")
    if found != currency:
        raise element.error(f"currency {found or 'is missing'}, expected {currency}")
    if not _AMOUNT.fullmatch(text):
        raise element.error(f"{text!r} is not an amount")
    amount = Decimal(text)
    exact = amount.quantize(Decimal(1).scaleb(-decimals))
    if exact != amount:
        raise element.error(f"{text} has more than {decimals} decimal places")
    return exact


def read_date(parent: Element, path: str) -> date:
    """A choice of `Dt` and `DtTm`; of an instant, the day as the bank wrote it."""
    element = parent.get(path)
    day, instant = element.find_text("Dt"), element.find_text("DtTm")
    if day is None and instant is not None:
        return _instant(element, instant).date()
    match = _DATE.fullmatch(day or "")
    if match is None:
        raise element.error(f"{day!r} is not a date")
    try:
        return date.fromisoformat(match[1])
    except ValueError as error:
        raise element.error(f"{day!r} is not a date") from error


def read_instant(parent: Element, path: str) -> datetime:
    """A date and time; without an offset it is the programme's zone, Asia/Jakarta."""
    instant = _instant(parent.get(path), parent.text(path))
    return instant if instant.tzinfo else instant.replace(tzinfo=ZONE)


def _instant(element: Element, text: str) -> datetime:
    try:
        if not re.match(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T", text):
            raise ValueError("no time of day")
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise element.error(f"{text!r} is not a date and time") from error
