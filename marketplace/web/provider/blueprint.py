"""The blueprint that the provider's pages share."""

from flask import Blueprint

pages = Blueprint("provider", __name__, url_prefix="/lembaga")
