"""A child of the demo ends with its parent, even where that is killed."""

from __future__ import annotations

import os
import signal
import sys
import threading


def end_with_parent() -> None:
    """End this process when its standard input, a pipe that the demo holds, comes to its end."""

    def wait() -> None:
        while os.read(sys.stdin.fileno(), 4096):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    if not sys.stdin.isatty():
        threading.Thread(target=wait, name="end-with-parent", daemon=True).start()
