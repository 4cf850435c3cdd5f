"""What was measured, as Markdown: each figure beside its floor, each bar with its verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bench.processes import Cost


@dataclass(frozen=True, slots=True)
class Row:
    """One kind of request. `floor` is what it is compared with, None for a floor itself."""

    name: str
    workers: int
    cost: Cost
    floor: Cost | None = None


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of the product, and what was measured."""

    name: str
    measured: str
    bar: str
    is_met: bool


def costs(rows: Sequence[Row]) -> str:
    """Write the table of requests."""
    lines = [
        "| request | workers | requests/s | p50 ms | p99 ms | CPU ms | CPU, times its floor | answers | generator |",
        "| --- | --: | --: | --: | --: | --: | --: | --- | --: |",
    ]
    for row in rows:
        measured = row.cost.measured
        ratio = "" if row.floor is None else f"{row.cost.cpu_ms / row.floor.cpu_ms:.2f}"
        answers = ", ".join(f"{count} x {status}" for status, count in sorted(measured.statuses.items()))
        lines.append(
            f"| {row.name} | {row.workers} | {measured.per_second:,.0f} | {measured.p50:.2f} | {measured.p99:.2f} "
            f"| {row.cost.cpu_ms:.3f} | {ratio} | {answers} | {measured.generator_cpu_share:.0%} |"
        )
    return "\n".join(lines)


def bars(found: Sequence[Bar]) -> str:
    """Write the table of bars."""
    lines = ["| bar | measured | allowed | |", "| --- | --- | --- | --- |"]
    lines += [
        f"| {bar.name} | {bar.measured} | {bar.bar} | {'met' if bar.is_met else '**not met**'} |" for bar in found
    ]
    return "\n".join(lines)
