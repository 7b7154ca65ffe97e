"""What can go wrong on a laptop, in words that say what to do next."""


class DevelopmentError(RuntimeError):
    """The embedded mode cannot do what was asked; the message is for the person at the terminal."""


class RefusedInProduction(DevelopmentError):
    """Somebody asked for embedded engines or demo data where real money may be."""

    def __init__(self) -> None:
        super().__init__("refused: BEKAL_ENV=production; embedded engines are for laptops, CI and demos")


class FolderInUse(DevelopmentError):
    """Another supervisor holds this data folder."""


class PortTaken(DevelopmentError):
    """Another program listens where the web server should."""


class EngineFailed(DevelopmentError):
    """PostgreSQL or Valkey did not come up; the message carries the end of its log."""
