"""The Celery entry point: `celery -A celery_app worker|beat`."""

from marketplace.app import create_app

celery = create_app().extensions["celery"]
