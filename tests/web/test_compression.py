"""Pages are small on the way, and no page with a form's token is measured by its length."""

import gzip

from flask import Flask
from flask.testing import FlaskClient

from marketplace.web import compression

WANTED = {"Accept-Encoding": "gzip, br"}


def _answering(text: str) -> FlaskClient:
    app = Flask("sample")
    app.add_url_rule("/", "page", view_func=lambda: text)
    compression.install(app)
    return app.test_client()


def test_a_page_is_compressed_for_whoever_can_read_it() -> None:
    text = "<p>kursus</p>" * 1000
    client = _answering(text)
    answer = client.get("/", headers=WANTED)
    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.headers["Vary"] == "Accept-Encoding"
    assert len(answer.data) == int(answer.headers["Content-Length"]) < 200
    assert gzip.decompress(answer.data).decode() == text
    plain = client.get("/")
    assert plain.text == text
    assert "Content-Encoding" not in plain.headers


def test_a_page_with_a_token_is_not() -> None:
    form = '<input type="hidden" name="csrf_token" value="x">' + "<p>kursus</p>" * 1000
    assert "Content-Encoding" not in _answering(form).get("/", headers=WANTED).headers


def test_what_is_short_is_left_alone() -> None:
    assert "Content-Encoding" not in _answering("<p>kursus</p>").get("/", headers=WANTED).headers


def test_the_catalogue_travels_compressed(client: FlaskClient, session: object) -> None:
    answer = client.get("/kursus", headers=WANTED)
    assert answer.headers["Content-Encoding"] == "gzip"
    assert b"</html>" in gzip.decompress(answer.data)
