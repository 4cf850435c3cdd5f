"""The log of the server: one line for each event, JSON or for a terminal, never a secret.

Lines are gathered and written ten times a second, because a write for each answer costs as much as a look-up.
Errors are written at once.
"""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from collections.abc import MutableMapping
from typing import Final, Protocol, TextIO, TypeAlias, cast

import structlog
from structlog.typing import EventDict, FilteringBoundLogger, Processor

Log: TypeAlias = FilteringBoundLogger

_PAUSE_SECONDS: Final = 0.1
_MOST_LINES: Final = 512
_INFO: Final = 20
_ENCODE: Final = json.JSONEncoder(ensure_ascii=False, default=str).encode
"""Made once: `json.dumps` with arguments makes an encoder for each line, which costs more than the line."""
_AT_ONCE: Final = frozenset({"warning", "error", "critical", "exception"})


class _Maker(Protocol):
    """What structlog's stubs leave out of a bound logger: how one is made."""

    def __call__(self, logger: object, processors: list[Processor], context: dict[str, object]) -> Log: ...


class Gathered:
    """Writes lines in batches. Each process has one; what structlog calls is `info`, `error` and so on."""

    def __init__(self, stream: TextIO) -> None:
        """Write to `stream`."""
        self._stream: Final = stream
        self._lines: list[str] = []
        self._lock: Final = threading.Lock()
        self._waiting = False

    def gather(self, line: str) -> None:
        """Keep a line for the next batch; without a running loop write it at once."""
        with self._lock:
            self._lines.append(line)
            if self._waiting and len(self._lines) < _MOST_LINES:
                return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self.flush()
            return
        if self._waiting:
            self.flush()
            return
        self._waiting = True
        loop.call_later(_PAUSE_SECONDS, self.flush)

    def at_once(self, line: str) -> None:
        """Write a line now, after those that wait."""
        with self._lock:
            self._lines.append(line)
        self.flush()

    def flush(self) -> None:
        """Write what waits. A log that cannot be written is no reason to answer nobody."""
        with self._lock:
            lines, self._lines = self._lines, []
            self._waiting = False
            if not lines:
                return
            try:
                self._stream.write("\n".join(lines) + "\n")
                self._stream.flush()
            except (OSError, ValueError):
                return

    msg = debug = info = gather
    warning = error = critical = exception = failure = fatal = at_once


def open_log(log_format: str, stream: TextIO | None = None) -> tuple[Log, Gathered]:
    """Open the log on standard error, with what must be flushed at the end. `log_format` is auto, json or console."""
    target = stream or sys.stderr
    is_console = log_format == "console" or (log_format == "auto" and target.isatty())
    # Colours only where somebody reads them; rich tracebacks would import a tenth of a second.
    renderer: Processor = (
        structlog.dev.ConsoleRenderer(
            colors=target.isatty(), exception_formatter=structlog.dev.plain_traceback, sort_keys=False
        )
        if is_console
        else _json
    )
    processors: list[Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if is_console:
        processors.append(_safe)
    wrapper = cast("_Maker", structlog.make_filtering_bound_logger(_INFO))
    gathered = Gathered(target)
    return wrapper(gathered, [*processors, renderer], {}), gathered


def _json(_logger: object, _method: str, event: EventDict) -> str:
    return _ENCODE(event)


def _safe(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Keep a value from breaking out of its line on a terminal; JSON escapes by itself, a trace has many lines."""
    for name, value in cast("MutableMapping[str, object]", event).items():
        if name != "trace" and isinstance(value, str) and not value.isprintable():
            event[name] = value.encode("unicode_escape", "surrogatepass").decode("ascii", "replace")
    return event
