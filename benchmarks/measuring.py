"""What a benchmark hands back: figures of several rounds, each beside its baseline's."""

import statistics
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

LEAST_ROUNDS = 5

Say: TypeAlias = Callable[[str], None]
"""Tells whoever watches how far a benchmark has come: one line, shown at once."""


class UnevenRounds(Exception):
    """A row has fewer rounds than it needs, or not one baseline for each of its figures."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """What a row should reach, and which of its rounds decides."""

    words: str
    of_ratio: bool
    decides: Callable[[Sequence[float]], float]
    holds: Callable[[float], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One row of the table.

    Attributes:
        what: What was measured, in a few words.
        unit: Of ``figures`` and ``baselines``; empty for plain counts.
        figures: One a round.
        baselines: The baseline of the same round, in the same unit; none for an absolute figure.
        goals: What it should reach; none for a figure that is only told.
        beside: Programs that took part and their versions, such as ``PostgreSQL 18.0``.
    """

    what: str
    unit: str
    figures: Sequence[float]
    baselines: Sequence[float] = ()
    goals: Sequence[Goal] = ()
    beside: str = ""

    def __post_init__(self) -> None:
        if len(self.figures) < LEAST_ROUNDS:
            raise UnevenRounds(f"{self.what}: {len(self.figures)} rounds, not {LEAST_ROUNDS}")
        if self.baselines and len(self.baselines) != len(self.figures):
            raise UnevenRounds(f"{self.what}: not one baseline for each round")

    @property
    def ratios(self) -> Sequence[float]:
        """The figure of each round divided by its baseline; empty without baselines."""
        if not self.baselines:
            return ()
        return [mine / its for mine, its in zip(self.figures, self.baselines, strict=True)]

    @property
    def met(self) -> bool | None:
        """Whether every goal was reached; ``None`` where there is none."""
        if not self.goals:
            return None
        return all(self._reached(goal) for goal in self.goals)

    def _reached(self, goal: Goal) -> bool:
        return goal.holds(goal.decides(self.ratios if goal.of_ratio else self.figures))


class Benchmark(Protocol):
    """What every module ``benchmarks/p<n>_….py`` offers, as plain functions."""

    def measure(self, rounds: int, say: Say) -> Awaitable[Sequence[Measured]]:
        """Measure ``rounds`` times, baseline and ours in turn, and return the rows of the table.

        Whatever it starts (processes, files, servers) has ended when it returns or raises.
        """


def ratio_at_most(bound: float) -> Goal:
    """Ask that the median ratio is no greater."""
    return Goal(
        words=f"ratio ≤ {bound:g}",
        of_ratio=True,
        decides=statistics.median,
        holds=lambda found: found <= bound,
    )


def ratio_at_least(bound: float) -> Goal:
    """Ask that the median ratio is no smaller."""
    return Goal(
        words=f"ratio ≥ {bound:g}",
        of_ratio=True,
        decides=statistics.median,
        holds=lambda found: found >= bound,
    )


def at_most(bound: float, unit: str) -> Goal:
    """Ask that the median figure is no greater."""
    return Goal(
        words=f"≤ {bound:g} {unit}".strip(),
        of_ratio=False,
        decides=statistics.median,
        holds=lambda found: found <= bound,
    )


def never_above(bound: float, unit: str) -> Goal:
    """Ask that the figure of no round is greater."""
    return Goal(
        words=f"never > {bound:g} {unit}".strip(),
        of_ratio=False,
        decides=max,
        holds=lambda found: found <= bound,
    )


def never_below(bound: float, unit: str) -> Goal:
    """Ask that the figure of no round is smaller."""
    return Goal(
        words=f"never < {bound:g} {unit}".strip(),
        of_ratio=False,
        decides=min,
        holds=lambda found: found >= bound,
    )
