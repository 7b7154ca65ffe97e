"""The whole history of a balance, a page at a time; home shows its newest rows."""

from flask import render_template, request, url_for

from marketplace import db
from marketplace.batches import queries as grants
from marketplace.enrolments import queries
from marketplace.web.identity import current_participant
from marketplace.web.participant.blueprint import pages
from marketplace.web.participant.home import by_month

_SIZE = 40


@pages.get("/riwayat")
def movements() -> str:
    """Every change of what could be spent, newest first. A page that is not there is the nearest one."""
    current, participant = db.session(), current_participant()
    rows = queries.history(current, participant.id)
    last = max(1, -(-len(rows) // _SIZE))
    number = min(max(1, request.args.get("halaman", 1, type=int)), last)
    first = (number - 1) * _SIZE
    return render_template(
        "participant/movements.html",
        months=by_month(rows[first : first + _SIZE], grants.find_grant(current, participant.id)),
        number=number,
        last=last,
        previous_href=url_for("participant.movements", halaman=number - 1) if number > 1 else None,
        next_href=url_for("participant.movements", halaman=number + 1) if number < last else None,
    )
