"""`python -m bench`: floors and Doorward in one run, side by side, as two tables in Markdown."""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
from pathlib import Path

from bench import acme, floor, measures, table
from bench.measures import Argon, Floors, Ours, Scale
from bench.table import Bar

_WHOLE = Scale(seconds=6.0, sign_ins=500, timed_names=200)
_QUICK = Scale(seconds=1.0, sign_ins=60, timed_names=30)
_WORKERS = (1, 2)


class _Given(argparse.Namespace):
    """The flags as argparse writes them."""

    quick: bool = False


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _bars_of_launches(workers: int, ours: Ours, least: Floors) -> list[Bar]:
    oidc = ours.oidc.cpu_ms / least.insert.cpu_ms
    saml = ours.saml.cpu_ms / least.saml2.cpu_ms
    return [
        Bar(f"OIDC launch, CPU over its floor, {workers} worker(s)", f"{oidc:.2f}", "2 at most", oidc <= 2),
        Bar(f"SAML launch, CPU over its floor, {workers} worker(s)", f"{saml:.2f}", "1.6 at most", saml <= 1.6),
    ]


def _bars_of_passwords(workers: int, ours: Ours, argon: Argon) -> list[Bar]:
    price = ours.password.cpu_ms / argon.cpu_ms
    share = ours.password.measured.per_second / argon.per_second
    meanwhile = ours.portal_p99
    return [
        Bar(f"password sign-in, CPU over argon2's, {workers} worker(s)", f"{price:.2f}", "1.15 at most", price <= 1.15),
        Bar(f"password sign-ins, share of argon2's, {workers} worker(s)", f"{share:.2f}", "0.8 at least", share >= 0.8),
        Bar(
            f"portal p99 while passwords saturate, {workers} worker(s)",
            f"{meanwhile:.1f} ms",
            "under 50 ms",
            meanwhile < 50,
        ),
    ]


def _bars_at_rest(folder: Path, somebody: list[acme.Someone], scale: Scale) -> list[Bar]:
    _say("names by time, memory, start …")
    known, unknown = measures.names_by_time(folder, somebody, scale)
    apart = abs(known - unknown)
    memory, start = measures.idle_memory(folder), measures.start_seconds(folder)
    return [
        Bar(
            f"known and unknown names, medians of 2 x {scale.timed_names}",
            f"{known:.2f} and {unknown:.2f} ms",
            "3 ms or 5 % apart",
            apart <= max(3.0, 0.05 * known),
        ),
        Bar("idle memory of serve (PSS, all processes)", f"{memory:.1f} MiB", "under 75 MiB", memory < 75),
        Bar("start to first answer", f"{start:.2f} s", "under 0.6 s", start < 0.6),
    ]


def run(folder: Path, scale: Scale) -> str:
    """Measure everything and write the report."""
    each = measures.CONNECTIONS + scale.sign_ins
    everybody = acme.people(len(_WORKERS) * each + scale.timed_names)
    _say(f"an organisation of {len(everybody)} people …")
    acme.found(folder / "data", everybody)
    handles = floor.fill(folder / "floor.db")
    _say("argon2 …")
    one, both = measures.argon(1, scale.seconds), measures.argon(2, scale.seconds)
    rows: list[table.Row] = []
    found: list[Bar] = []
    for number, workers in enumerate(_WORKERS):
        _say(f"floors and Doorward, {workers} worker(s) …")
        least, ours = measures.both(folder, handles, everybody[number * each : (number + 1) * each], workers, scale)
        rows += [*least.rows(workers), *ours.rows]
        found += [*_bars_of_passwords(workers, ours, both), *_bars_of_launches(workers, ours, least)]
    found += _bars_at_rest(folder, everybody[len(_WORKERS) * each :], scale)
    return "\n\n".join(
        [
            f"Python {platform.python_version()}, {os.cpu_count()} cores, generator on the same machine.",
            (
                f"argon2id alone: {one.per_second:.1f}/s at {one.cpu_ms:.1f} ms CPU on one thread, "
                f"{both.per_second:.1f}/s at {both.cpu_ms:.1f} ms CPU on two."
            ),
            table.costs(rows),
            table.bars(found),
        ]
    )


def main() -> None:
    """Run the bench."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure Doorward beside its floors.")
    parser.add_argument("--quick", action="store_true", help="a short run that only shows that everything works")
    given = parser.parse_args(namespace=_Given())
    with tempfile.TemporaryDirectory(prefix="doorward-bench-") as folder:
        print(run(Path(folder), _QUICK if given.quick else _WHOLE))


if __name__ == "__main__":
    main()
