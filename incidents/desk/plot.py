"""The figures of all claims against ours, as positions on a line: the template draws them as SVG.

A range is a bar from least to most, the best figure a mark on it; a most that is not known is an
arrow to the right. Nothing is drawn for a claim that gives no figure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from harmtracker.codes import code_list
from incidents.models import CasualtyCount

from .comparison import group_in_words, in_figures, range_of

# Units of the drawing.
LEFT, RIGHT, ROW, TOP = 330, 860, 24, 34
# Room for the figures in words, right of the bars.
SAID = 260
_LONGEST = 44
_STEPS = (1, 2, 5)


@dataclass(frozen=True)
class Bar:
    """One claim's figure. Positions are units of the drawing."""

    label: str
    said: str
    y: int
    x_low: float
    x_high: float
    x_best: float | None
    is_open: bool
    is_ours: bool = False

    @property
    def middle(self) -> int:
        return self.y + ROW // 2

    @property
    def width(self) -> float:
        return round(max(3.0, self.x_high - self.x_low), 1)

    @property
    def arrow(self) -> str:
        x, y = self.x_high, self.middle
        return f"{x},{y - 6} {x + 10},{y} {x},{y + 6}"


@dataclass(frozen=True)
class Plot:
    """One outcome: our bar first, then the claims' in their order."""

    outcome: str
    of: str
    bars: list[Bar]
    ticks: list[tuple[int, float]]
    height: int
    width: int = RIGHT + SAID

    @property
    def names_end(self) -> int:
        return LEFT - 10

    @property
    def said_begins(self) -> int:
        return RIGHT + 20

    @property
    def ours(self) -> Bar | None:
        return self.bars[0] if self.bars and self.bars[0].is_ours else None

    @property
    def bottom(self) -> int:
        return self.height - 6


def plots_of(
    counts: Sequence[CasualtyCount], claims: Sequence[Any], outcomes: Sequence[str]
) -> list[Plot]:
    """A plot of each outcome of which any claim gives a figure."""
    found = (_plot(outcome, counts, claims) for outcome in outcomes)
    return [plot for plot in found if plot is not None]


def _whole(counts: Sequence[CasualtyCount], outcome: str) -> CasualtyCount | None:
    """The widest count of an outcome: of everybody, else of all civilians."""
    wide = [
        c
        for c in counts
        if c.outcome == outcome
        and (c.sex, c.age_group, c.role) == ("all", "all", "all")
        and c.affiliation_id is None
        and (c.min, c.best, c.max) != (None, None, None)
    ]
    for status in ("all", "civilian"):
        for count in wide:
            if count.status == status:
                return count
    return None


def _plot(outcome: str, counts: Sequence[CasualtyCount], claims: Sequence[Any]) -> Plot | None:
    ours = _whole(counts, outcome)
    said = [
        (f"{number}. {claim.attributed_outlet or claim.attributed_actor}", count)
        for number, claim in enumerate(claims, 1)
        if (count := _whole(claim.counts, outcome)) is not None
    ]
    if not said:
        return None
    rows = [*([("our assessment", ours)] if ours is not None else []), *said]
    most = max(value for _label, c in rows for value in (c.min, c.best, c.max) if value is not None)
    step = _step(most)
    end = max(step, -(-most // step) * step)

    def x(value: int) -> float:
        return round(LEFT + (RIGHT - LEFT) * value / end, 1)

    bars = []
    for place, (label, count) in enumerate(rows):
        low, high = range_of(count)
        start = low if low is not None else 0
        ends = high if high is not None else max(v for v in (low, count.best) if v is not None)
        of = group_in_words(count)
        text = in_figures(count.min, count.best, count.max)
        bars.append(
            Bar(
                label if len(label) <= _LONGEST else f"{label[: _LONGEST - 1]}…",
                f"{text} ({of})" if of else text,
                TOP + place * ROW,
                x(start),
                x(ends),
                None if count.best is None else x(count.best),
                high is None,
                is_ours=ours is not None and place == 0,
            )
        )
    ticks = [(value, x(value)) for value in range(0, end + 1, step)]
    label = code_list("outcome")[outcome].label
    return Plot(label, "", bars, ticks, TOP + len(rows) * ROW + 12)


def _step(most: int) -> int:
    """A round distance of at most six ticks."""
    power = 1
    while True:
        for factor in _STEPS:
            if most <= factor * power * 6:
                return factor * power
        power *= 10
