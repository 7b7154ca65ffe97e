"""Workers that run in environments of their own, where nothing of Bekal's requirements is installed."""
