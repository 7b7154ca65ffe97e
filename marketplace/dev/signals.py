"""Ctrl-C and SIGTERM as one exception, so that `with` blocks stop what they started."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(BaseException):
    """A person or a service manager asked us to end."""


@contextmanager
def until_stopped() -> Iterator[None]:
    """Leave the block, orderly and without an error, at the first signal to stop.

    An impatient second one is ignored: it would interrupt the stopping itself.
    """

    def stop(number: int, frame: FrameType | None) -> None:
        for each in _STOPPING:
            signal.signal(each, signal.SIG_IGN)
        raise Stopped

    before = {each: signal.signal(each, stop) for each in _STOPPING}
    try:
        yield
    except Stopped:
        return
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
