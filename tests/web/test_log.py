"""The log: one line for one event, whatever it holds."""

from __future__ import annotations

import asyncio
import io
import json

from doorward.web.log import open_log


def test_json_keeps_an_event_on_one_line() -> None:
    stream = io.StringIO()
    log, _gathered = open_log("json", stream)
    log.info("request", path="/a\nb\x1b[2J", address="::1")
    (line,) = stream.getvalue().splitlines()
    told = json.loads(line)
    assert (told["event"], told["path"], told["level"]) == ("request", "/a\nb\x1b[2J", "info")


def test_a_terminal_is_not_written_to_by_what_a_client_sent() -> None:
    stream = io.StringIO()
    log, _gathered = open_log("console", stream)
    log.info("request", path="/a\nb\x1b[2J\u202e")
    assert len(stream.getvalue().splitlines()) == 1
    assert "\x1b" not in stream.getvalue()
    assert "\u202e" not in stream.getvalue()


def test_lines_are_gathered_and_errors_written_at_once() -> None:
    stream = io.StringIO()
    log, gathered = open_log("json", stream)

    async def work() -> None:
        log.info("one")
        assert stream.getvalue() == ""
        log.error("two")
        assert [json.loads(line)["event"] for line in stream.getvalue().splitlines()] == ["one", "two"]
        log.info("three")
        gathered.flush()
        await asyncio.sleep(0)

    asyncio.run(work())
    assert stream.getvalue().count("\n") == 3


def test_a_log_that_cannot_be_written_stops_nobody() -> None:
    stream = io.StringIO()
    log, _gathered = open_log("json", stream)
    stream.close()
    log.error("lost")
