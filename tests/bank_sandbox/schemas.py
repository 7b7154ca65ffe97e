"""Validation against the registration authority's schemas, where they lie beside the checkout."""

import os
from functools import cache
from pathlib import Path

import pytest
from lxml import etree

_ROOT = Path(__file__).resolve().parents[2]


def iso20022_folder() -> Path:
    """Schemas and samples; skips the test where they are absent."""
    data = Path(os.environ.get("BEKAL_TEST_DATA", _ROOT.parent / "shared" / "data"))
    folder = data / "iso20022"
    if not folder.is_dir():
        pytest.skip(f"data: no ISO 20022 schemas in {folder}; set BEKAL_TEST_DATA")
    return folder


def validate(content: bytes) -> None:
    """Fails with the schema's words when a document is not valid for its own namespace."""
    document = etree.fromstring(content)
    name = (etree.QName(document).namespace or "none").rpartition(":")[2]
    _schema(name).assertValid(document)


@cache
def _schema(name: str) -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(iso20022_folder() / "xsd" / f"{name}.xsd"))
