"""Commands about one object say it as the organisation file would, so that both obey the same rules."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

import click
from sqlalchemy import Connection

from doorward.audit import Actor, Caller
from doorward.cli.opened import Opened
from doorward.cli.options import Refused
from doorward.clock import Instant
from doorward.directory import DirectoryRefusal
from doorward.organization import current
from doorward.orgfile import Applied, BadFile, bring_about
from doorward.orgfile.accounts import password_refusal
from doorward.orgfile.desired import gather
from doorward.orgfile.problems import Where
from doorward.orgfile.read import Document, Plain
from doorward.signin import Audience, accounts
from doorward.signin.hashing import PasswordHasher
from doorward.store import Work

ACTOR: Final = Actor.system()

PASSWORD_FILE: Final[Callable[[Callable[..., None]], Callable[..., None]]] = click.option(
    "--password-file",
    type=click.Path(allow_dash=True, dir_okay=False, path_type=Path),
    help="A file with the password in its first line; - reads it from standard input.",
)


def say(door: Opened, section: str, said: Mapping[str, Plain]) -> Applied:
    """Bring about one object of `section`, in one transaction.

    Raises:
        Refused: a rule forbids it; every reason is told.
    """
    try:
        desired = replace(gather([Document(Where("", {}), {section: [dict(said)]})]), is_partial=True)
        return bring_about(door, desired, hash_password=hasher_of(door).hash_now, now=door.clock())
    except BadFile as bad:
        prefix = f"{section}[0]"
        reasons = [
            f"{problem.path.removeprefix(prefix).lstrip('.')}: {problem.sentence}".lstrip(": ")
            for problem in bad.problems
        ]
        raise Refused("\n".join(f"{reason}." for reason in reasons)) from bad


def carry_out(door: Opened, work: Work[None]) -> None:
    """Run a unit of work whose refusal is told as a sentence.

    Raises:
        Refused: the directory refused it.
    """
    try:
        door.run(work)
    except DirectoryRefusal as refused:
        raise Refused(f"{refused}.") from refused


def hasher_of(door: Opened) -> PasswordHasher:
    """Make the hasher with the deployment's parameters."""
    return PasswordHasher(door.deployment.argon2_memory_kib, door.deployment.argon2_time_cost)


def read_password(file: Path | None, prompt: str) -> str:
    """Read a password: from a file, from standard input, or twice from the terminal.

    Raises:
        Refused: the file cannot be read.
    """
    if file is None and sys.stdin.isatty():
        return click.prompt(prompt, hide_input=True, confirmation_prompt=True, err=True)  # pyright: ignore[reportAny] - a text
    try:
        if file is None or str(file) == "-":
            return sys.stdin.readline().removesuffix("\n").removesuffix("\r")
        lines = file.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise Refused(f"The password cannot be read from {file}: {error}.") from error
    return lines[0] if lines else ""


def judged_hash(door: Opened, password: str, words: list[str], *, mfa_required: bool | None) -> str:
    """Judge a new password for an account that is there, and hash it.

    Raises:
        Refused: the password rules forbid it.
    """
    organization = door.read(current)
    sentence = password_refusal(password, [*words, organization.name], organization, mfa_required)
    if sentence is not None:
        raise Refused(f"The password {sentence}.")
    return hasher_of(door).hash_now(password)


def change_password(
    connection: Connection, audience: Audience, owner_id: str, phc: str, caller: Caller, now: Instant
) -> None:
    """Change the password of an account to one that was judged and hashed; all its sessions end."""
    accounts.change_password(
        connection,
        audience,
        owner_id,
        phc,
        history=current(connection).settings.password.history,
        keep_session=None,
        keep_browser=None,
        actor=ACTOR,
        caller=caller,
        now=now,
    )


def local() -> Caller:
    """Name this command as the caller in the audit log."""
    return Caller.local()
