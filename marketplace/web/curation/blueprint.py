"""The blueprint that the curators' pages share."""

from flask import Blueprint

pages = Blueprint("curation", __name__, url_prefix="/kurasi")
