"""A worker that guesses: `guesser.py PLAN`. Plans, results and the signal to go are files. Not part of the product.

Every secret that is looked at is noted in a file at once, so that a worker that is killed has told what it did.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from doorward.signin import Audience, Method, perform
from doorward.signin.answers import Answer
from doorward.signin.factors import authenticator
from doorward.store import Vault, open_database
from support.clocks import SettableClock
from support.door import WRONG, CountingHasher, Means, Visitor


def _note(file: int) -> None:
    os.write(file, b"x")


async def _guess(means: Means, audience: Audience, visitor: Visitor, tx: str, kind: str) -> Answer:
    if kind == "password":
        return await perform.give_password(means, audience, visitor.browser(), tx, WRONG)
    return await perform.give_code(means, audience, visitor.browser(), tx, Method.TOTP, "000000")


async def _all(means: Means, plan: dict[str, object]) -> Counter[str]:
    audience = Audience(str(plan["audience"]))
    jobs = [
        _guess(means, audience, Visitor(handle, address=address), tx, str(plan["kind"]))
        for handle, address, tx in plan["transactions"]
    ]
    answers = await asyncio.gather(*jobs)
    await means.db.close()
    return Counter(type(answer).__name__ for answer in answers)


def main(path: Path) -> None:
    plan = json.loads(path.read_text())
    looked = os.open(plan["looked"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    hasher = CountingHasher()
    verify, check = hasher._verify_now, authenticator.AuthenticatorApps.check

    def noted_verify(phc: str | None, password: str) -> bool:
        _note(looked)
        time.sleep(plan["slowly"])
        return verify(phc, password)

    def noted_check(*arguments: object, **named: object) -> object:
        _note(looked)
        return check(*arguments, **named)

    hasher._verify_now = noted_verify
    authenticator.AuthenticatorApps.check = noted_check
    means = Means(open_database(plan["url"]), Vault(b"\x07" * 32), hasher, SettableClock(plan["now"]))
    Path(plan["ready"]).touch()
    while not Path(plan["go"]).exists():
        time.sleep(0.002)
    Path(plan["result"]).write_text(json.dumps(asyncio.run(_all(means, plan))))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
