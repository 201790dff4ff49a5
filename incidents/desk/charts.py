"""Bars drawn on the server: numbers in, positions out. Colours and words are the template's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

HEIGHT = 160
# Room for the numbers of the axis, left, and for the labels, below.
LEFT = 36
BELOW = 22
ABOVE = 10
GROUP = 26


@dataclass(frozen=True)
class Bar:
    """One bar, in units of the drawing; ``series`` counts from 1."""

    series: int
    x: float
    y: float
    width: float
    height: float
    said: str


@dataclass(frozen=True)
class Mark:
    """A line of the axis, or a label below it."""

    at: float
    text: str


@dataclass(frozen=True)
class Chart:
    """Groups of bars side by side, with the axis that they are read by."""

    width: int
    height: int
    bars: Sequence[Bar]
    lines: Sequence[Mark]
    labels: Sequence[Mark]

    @property
    def left(self) -> int:
        return LEFT

    @property
    def foot(self) -> int:
        return ABOVE + HEIGHT


def steps(largest: int) -> list[int]:
    """Round numbers from 0 to the first one that is no less than the largest."""
    size = 1
    while size * 4 < largest:
        text = str(size)
        size = size * 5 // 2 if text.startswith("2") else size * 2
    return [size * n for n in range(-(-max(largest, 1) // size) + 1)]


def grouped(
    labels: Sequence[str],
    series: Sequence[tuple[str, Sequence[int]]],
    *,
    group: int = GROUP,
    each: int = 1,
) -> Chart:
    """A chart of some series over the same labels; of the labels each so-manieth is written."""
    axis = steps(max((n for _, numbers in series for n in numbers), default=0))
    scale = HEIGHT / axis[-1]
    width = group * 0.8 / len(series)
    bars = [
        Bar(
            series=number,
            x=round(LEFT + at * group + group * 0.1 + (number - 1) * width, 1),
            y=round(ABOVE + HEIGHT - n * scale, 1),
            width=round(width - 0.5, 1),
            height=round(n * scale, 1),
            said=f"{label}: {n} {name}",
        )
        for number, (name, numbers) in enumerate(series, 1)
        for at, (label, n) in enumerate(zip(labels, numbers, strict=True))
    ]
    return Chart(
        width=LEFT + group * len(labels) + 16,
        height=ABOVE + HEIGHT + BELOW,
        bars=bars,
        lines=[Mark(round(ABOVE + HEIGHT - n * scale, 1), str(n)) for n in axis],
        labels=[
            Mark(round(LEFT + (at + 0.5) * group, 1), label)
            for at, label in enumerate(labels)
            if (len(labels) - 1 - at) % each == 0
        ],
    )
