"""Grants: award, activation, revocation."""
