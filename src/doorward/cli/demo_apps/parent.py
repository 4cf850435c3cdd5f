"""A child of the demo ends with its parent, even where that is killed."""

from __future__ import annotations

import os
import signal
import stat
import sys
import threading


def end_with_parent() -> None:
    """End this process when its standard input, where it is a pipe, comes to its end."""

    def wait() -> None:
        while os.read(sys.stdin.fileno(), 4096):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    if stat.S_ISFIFO(os.fstat(sys.stdin.fileno()).st_mode):
        threading.Thread(target=wait, name="end-with-parent", daemon=True).start()
