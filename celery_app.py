"""The Celery entry point: `celery -A celery_app worker|beat`."""

from marketplace.core import build_core, refuse_old_database

core = build_core()
refuse_old_database(core)
celery = core.extensions["celery"]
