"""An answer as JSON, written by templates: it may have tens of thousands of groups."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from .answers import Answer, Figures, Group
from .sums import FIGURES

Labels = Mapping[str, Mapping[str, str]]


def written(answer: Answer, labels: Labels, about: Mapping[str, Any]) -> bytes:
    """``labels`` are by grouping and value; ``about`` is what the answer says of itself."""
    head = json.dumps(about, ensure_ascii=False, separators=(",", ":"))
    asked = answer.asked
    flags = {"is_dated": asked.is_dated, "has_several": bool(asked.several)}
    whole = _whole(answer.whole, **flags)
    groups = ",".join(_groups(answer, labels, flags))
    return f'{head[:-1]},"total":{{{whole}}},"results":[{groups}]}}'.encode()


def _groups(answer: Answer, labels: Labels, flags: dict[str, bool]) -> Iterator[str]:
    asked = answer.asked
    # Of each grouping how a value is written, and its label: most come many times.
    values: list[dict[str | None, str]] = [{} for _ in asked.groupings]
    named: list[dict[str | None, str]] = [{} for _ in asked.groupings]
    for group in answer.groups:
        parts, in_words = [], []
        for place, value in enumerate(group.key):
            if value not in values[place]:
                name = asked.groupings[place]
                values[place][value] = f'"{name}":{_text(value)}'
                label = None if value is None else labels.get(name, {}).get(value, value)
                named[place][value] = f'"{name}":{_text(label)}' if name in labels else ""
            parts.append(values[place][value])
            in_words.append(named[place][value])
        words = ",".join(filter(None, in_words))
        yield (f'{{"group":{{{",".join(parts)}}},"labels":{{{words}}},{_whole(group, **flags)}}}')


def _text(value: str | None) -> str:
    return json.dumps(value, ensure_ascii=False)


def _whole(group: Group, *, is_dated: bool, has_several: bool) -> str:
    """The members that a group and the whole have."""
    n = group.incidents
    share = repr(round(group.could_move / n, 4)) if is_dated and n else "null"
    outcomes = ",".join(
        [f'"{outcome}":{_figures(figures)}' for outcome, figures in group.figures.items()]
    )
    return (
        f'"incidents":{n},"could_move":{group.could_move if is_dated else "null"},'
        f'"share_that_could_move":{share},"undated":{group.undated},'
        f'"shared":{group.shared if has_several else "null"},'
        f'"either_or":{group.either_or if has_several else "null"},'
        f'"from_parts":{json.dumps(group.from_parts) if group.from_parts else "{}"},'
        f'"totals":{{{outcomes}}}'
    )


@cache
def _template(buckets: tuple[str, ...]) -> str:
    one = ",".join(f'"{name}":%s' for name in FIGURES)
    return "{" + ",".join(f'"{bucket}":{{{one}}}' for bucket in buckets) + "}"


def _figures(figures: Figures) -> str:
    # By identity: 0 equals false.
    return _template(figures.buckets) % tuple(
        [
            "null" if v is None else "true" if v is True else "false" if v is False else v
            for v in figures.values
        ]
    )
