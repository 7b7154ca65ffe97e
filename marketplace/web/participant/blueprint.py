"""The blueprint that the participant's pages share."""

from flask import Blueprint

pages = Blueprint("participant", __name__)
