"""SIGTERM and SIGUSR1, by which a cluster says that it will take the machine away."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

SIGNALS = (signal.SIGTERM, signal.SIGUSR1)


@contextmanager
def stop_requests() -> Iterator[threading.Event]:
    """Yield an event that one of SIGNALS sets, in place of its usual effect.

    After the first signal, others are ignored to the end of the process, so that they
    cannot change its exit status.
    """
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield asked  # only the main thread may handle signals
        return
    before = {number: signal.getsignal(number) for number in SIGNALS}
    for number in SIGNALS:
        signal.signal(number, lambda *_: asked.set())
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_IGN if asked.is_set() else handler)
