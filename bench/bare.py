"""The floor of a page: Flask renders a template of ten kilobytes, without database, session or headers."""

from flask import Flask, render_template_string

_CARD = "<li><a href='/kursus/{{ number }}'>Kursus {{ number }}</a><p>{{ words }}</p></li>\n"
_PAGE = "<!doctype html><title>Kursus</title><ul>{% for number in numbers %}" + _CARD + "{% endfor %}</ul>"
_WORDS = "menjahit busana kerja " * 12
_CARDS = 31


def create_app() -> Flask:
    """One page."""
    app = Flask(__name__)
    app.add_url_rule("/", "page", lambda: render_template_string(_PAGE, numbers=range(_CARDS), words=_WORDS))
    return app
