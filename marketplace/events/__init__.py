"""The outbox: what happened."""
