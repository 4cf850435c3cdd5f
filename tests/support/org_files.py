"""Applying organisation files in a test."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from doorward.orgfile import Applied, BadFile, Desired, Prune, bring_about, export
from doorward.orgfile.desired import gather
from doorward.orgfile.read import read_text
from doorward.store import Vault
from doorward.store.engine import Work
from support.clocks import START
from support.store import Store

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Organisation:
    """An organisation that is told what it should be."""

    store: Store
    vault: Vault
    environ: dict[str, str] = field(default_factory=dict)

    def run(self, work: Work[T]) -> T:
        return self.store.write(work)

    def read(self, work: Work[T]) -> T:
        return self.store.read(work)

    def apply(self, *texts: str, prune: frozenset[Prune] = frozenset(), dry: bool = False) -> Applied:
        """Apply texts as files called org.yaml, org2.yaml and so on."""
        desired = desired_of(*texts, environ=self.environ)
        return bring_about(
            self,
            desired,
            hash_password=lambda password: f"hash of {password}",
            now=START,
            prune=prune,
            is_rehearsal=dry,
        )

    def lines(self, *texts: str, prune: frozenset[Prune] = frozenset()) -> list[str]:
        """Apply and tell the plan."""
        return self.apply(*texts, prune=prune).plan.lines()

    def problems(self, *texts: str, prune: frozenset[Prune] = frozenset()) -> list[str]:
        """Apply what is bad, and tell why."""
        try:
            applied = self.apply(*texts, prune=prune)
        except BadFile as bad:
            return [str(problem) for problem in bad.problems]
        raise AssertionError(f"was accepted: {applied.plan.lines()}")

    def export(self) -> str:
        """Write it as a file."""
        return self.store.read(export)


def desired_of(*texts: str, environ: dict[str, str] | None = None, folder: Path = Path()) -> Desired:
    """Read texts as files. Raises BadFile."""
    names = [f"org{'' if number == 1 else number}.yaml" for number in range(1, len(texts) + 1)]
    return gather([read_text(name, text, folder, environ or {}) for name, text in zip(names, texts, strict=True)])
