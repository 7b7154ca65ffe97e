"""Users, sign-in, sessions, roles, the audit trail."""
