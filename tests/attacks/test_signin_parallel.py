"""A hundred guesses at once over two processes: exactly the allowed number is looked at (A32, PR-01, LK-10)."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import Connection, insert, select

from doorward.clock import MINUTE, SECOND
from doorward.signin import Audience
from doorward.signin.answers import Held
from support import guesser
from support.door import Door, Somebody, Visitor
from support.processes import Place, start, stop, wait_until

pytestmark = pytest.mark.slow

Job = tuple[Visitor, str]


@dataclass(slots=True)
class Workers:
    """Two processes that wait for the signal and then guess all at once."""

    folder: Path
    door: Door

    @property
    def looked(self) -> Path:
        return self.folder / "looked"

    def looked_at(self) -> int:
        return self.looked.stat().st_size if self.looked.exists() else 0

    def go(self) -> None:
        (self.folder / "go").touch()

    def start(
        self, name: str, kind: str, audience: Audience, jobs: list[Job], *, slowly: float = 0.0
    ) -> tuple[subprocess.Popen[bytes], Path]:
        plan, result, ready = (self.folder / f"{name}.{what}" for what in ("plan", "result", "ready"))
        plan.write_text(
            json.dumps(
                {
                    "url": self.door.url,
                    "kind": kind,
                    "audience": audience.value,
                    "transactions": [(visitor.handle, visitor.address, tx) for visitor, tx in jobs],
                    "now": self.door.clock(),
                    "looked": str(self.looked),
                    "slowly": slowly,
                    "go": str(self.folder / "go"),
                    "ready": str(ready),
                    "result": str(result),
                }
            )
        )
        log = self.folder / f"{name}.log"
        process = start([sys.executable, guesser.__file__, plan], Place(self.folder, log))
        wait_until(ready.exists, process, log)
        return process, result


@pytest.fixture
def workers(tmp_path: Path, door_on_both: Door) -> Workers:
    return Workers(tmp_path, door_on_both)


def jobs_of(door: Door, who: Somebody, kind: str, count: int) -> list[Job]:
    visitors = [door.visitor() for _ in range(count)]
    if kind == "password":
        return [(visitor, door.begin(visitor, who.name, who.audience)) for visitor in visitors]
    # One goes to the page of the code; the others stand there with it, each in a browser of its own.
    table = who.audience.tables.transactions
    tx = door.to_code(visitors[0], who)

    def stand_beside(connection: Connection) -> None:
        row = dict(connection.execute(select(table).where(table.c.id == tx)).mappings().one())
        copies = [
            row | {"id": f"copy-{number}", "browser_hash": visitor.browser().handle_hash}
            for number, visitor in enumerate(visitors[1:])
        ]
        connection.execute(insert(table), copies)

    door.write(stand_beside)
    return [(visitors[0], tx), *((visitor, f"copy-{number}") for number, visitor in enumerate(visitors[1:]))]


@pytest.mark.parametrize(
    ("audience", "kind"), [(Audience.PERSON, "password"), (Audience.PERSON, "code"), (Audience.ADMIN, "code")]
)
def test_a32_of_a_hundred_parallel_guesses_exactly_the_allowed_number_is_looked_at(
    workers: Workers, audience: Audience, kind: str
) -> None:
    door = workers.door
    who = door.person("alice") if audience is Audience.PERSON else door.admin("root@acme.example")
    limit = 6 if audience is Audience.PERSON else 5
    jobs = jobs_of(door, who, kind, 100)
    running = [workers.start(name, kind, audience, jobs[side::2]) for side, name in enumerate(("one", "two"))]
    workers.go()
    answers: Counter[str] = Counter()
    for process, result in running:
        assert process.wait(120) == 0, (workers.folder / "one.log").read_text() + (
            workers.folder / "two.log"
        ).read_text()
        answers += Counter(json.loads(result.read_text()))
    assert workers.looked_at() == limit
    assert answers.total() == 100
    # One of the guesses that were looked at starts the pause; its answer is the pause already.
    assert answers["Shown"] == limit - 1
    visitor = door.visitor()
    assert isinstance(door.password(visitor, door.begin(visitor, who.name, audience), audience=audience), Held)
    door.clock.advance(15 * MINUTE)
    door.sign_in(door.visitor(), who)


@pytest.mark.parametrize("killed_after", [1, 3])
def test_a32_kill_9_in_the_middle_gives_no_guess_more(workers: Workers, killed_after: int) -> None:
    door = workers.door
    alice = door.person("alice")
    jobs = jobs_of(door, alice, "password", 60)
    victim, _ = workers.start("victim", "password", Audience.PERSON, jobs[:30], slowly=0.3)
    workers.go()
    wait_until(lambda: workers.looked_at() >= killed_after, victim, workers.folder / "victim.log")
    assert stop(victim, signal.SIGKILL) == -signal.SIGKILL
    second, _ = workers.start("second", "password", Audience.PERSON, jobs[30:45])
    assert second.wait(60) == 0
    door.clock.advance(31 * SECOND)
    third, result = workers.start("third", "password", Audience.PERSON, jobs[45:])
    assert third.wait(60) == 0
    assert workers.looked_at() <= 6
    # Claims that died with their worker stay counted: the name is paused now, and by no guess more.
    assert json.loads(result.read_text()) == {"Held": 15}
