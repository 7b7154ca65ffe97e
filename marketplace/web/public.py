"""Pages for everybody: the front page, the language, health."""

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from marketplace import db
from marketplace.catalogue import queries as catalogue
from marketplace.identity import service as identity
from marketplace.schemes import queries as schemes
from marketplace.web.account import home_of, local_path
from marketplace.web.identity import current_user
from marketplace.web.language import choose_language, current_language

pages = Blueprint("public", __name__)


@pages.get("/")
def home() -> str | AnyResponse:
    """The front page for strangers; people who are signed in go to their own."""
    user = current_user()
    if user:
        return redirect(home_of(user))
    current = db.session()
    return render_template(
        "public/home.html",
        figures=catalogue.count_on_sale(current),
        scheme=schemes.get_default_scheme(current),
    )


@pages.get("/bahasa/<code>")
def language(code: str) -> AnyResponse:
    """Switch the language, of the pages and of later messages, and go back to the page."""
    choose_language(code)
    user = current_user()
    if user and user.locale != current_language():
        with db.transaction() as current:
            identity.choose_locale(current, user, current_language())
    return redirect(local_path(request.args.get("next")) or url_for("public.home"))
