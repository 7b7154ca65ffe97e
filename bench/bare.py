"""The floors of a page and of a purchase: Flask alone, and Flask with one call of the ledger."""

import os
import uuid
from decimal import Decimal

from flask import Flask, redirect, render_template_string, request
from sqlalchemy import create_engine
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from ledger import Posting, post

_CARD = "<li><a href='/kursus/{{ number }}'>Kursus {{ number }}</a><p>{{ words }}</p></li>\n"
_PAGE = "<!doctype html><title>Kursus</title><ul>{% for number in numbers %}" + _CARD + "{% endfor %}</ul>"
_WORDS = "menjahit busana kerja " * 12
_CARDS = 31
_PRICE = Decimal(1)


def create_app() -> Flask:
    """A page of ten kilobytes, without database, session or headers; a form that posts once and commits."""
    app = Flask(__name__)
    engine = create_engine(os.environ["DATABASE_URL"])

    @app.get("/")
    def page() -> str:
        return render_template_string(_PAGE, numbers=range(_CARDS), words=_WORDS)

    @app.post("/")
    def buy() -> Response:
        with Session(engine) as session, session.begin():
            posting = Posting(request.form["debit"], request.form["credit"], _PRICE)
            post(session, uuid.uuid4().hex, "purchase", [posting])
        return redirect("/")

    return app
