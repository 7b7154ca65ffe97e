"""Free text of providers as it may stand on a page: paragraphs and lists, never an address, never code."""

import re

import nh3
from markupsafe import Markup, escape

from marketplace.catalogue.csv_cells import has_html

_TAGS = {"p", "br", "ul", "ol", "li", "strong", "b", "em", "i", "h3", "h4"}
"""No links: a page of ours leads nowhere that we do not know."""

_DROPPED_WITH_CONTENT = {"script", "style", "title", "textarea", "iframe", "noscript", "template"}
_BLOCK = re.compile(r"</?(?:p|br|div|[ou]l|li|h[1-6]|t[rdh])\b[^>]*>", re.IGNORECASE)
_PARAGRAPH = re.compile(r"\n\s*\n")


def rich(text: str) -> Markup:
    """HTML with everything taken out but its paragraphs, lists and emphasis; plain text as paragraphs."""
    if has_html(text):
        clean = nh3.clean(text, tags=_TAGS, attributes={}, clean_content_tags=_DROPPED_WITH_CONTENT)
        return Markup(clean)  # noqa: S704 - what nh3 leaves is markup of ours
    parts = [escape(part.strip()).replace("\n", Markup("<br>")) for part in _PARAGRAPH.split(text)]
    return Markup("").join(Markup("<p>{}</p>").format(part) for part in parts if part)


def excerpt(text: str, most: int) -> str:
    """The first `most` characters of the text without any markup, cut between words."""
    if has_html(text):
        dropped = nh3.clean(_BLOCK.sub(" ", text), tags=set(), clean_content_tags=_DROPPED_WITH_CONTENT)
        text = Markup(dropped).unescape()  # noqa: S704 - no markup is left in it
    line = " ".join(text.split())
    if len(line) <= most:
        return line
    return line[: most - 1].rsplit(" ", 1)[0] + "…"
