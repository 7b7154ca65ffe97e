"""The blueprint that the pages about people share."""

from flask import Blueprint

pages = Blueprint("people", __name__, url_prefix="/kantor")
