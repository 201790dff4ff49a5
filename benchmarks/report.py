"""One table: each ratio with its goal beside it, and the same as JSON."""

from __future__ import annotations

import json
import platform
import statistics
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class Row:
    """One ratio. ``at_least``: it should not be below the goal; else not above it."""

    what: str
    ratio: float
    goal: float | None
    at_least: bool = True
    detail: dict[str, Any] = field(default_factory=dict)

    @property
    def is_met(self) -> bool | None:
        if self.goal is None:
            return None
        return self.ratio >= self.goal if self.at_least else self.ratio <= self.goal

    def line(self) -> str:
        sign = ">=" if self.at_least else "<="
        goal = "" if self.goal is None else f"{sign} {self.goal:g}"
        verdict = {True: "met", False: "NOT MET", None: ""}[self.is_met]
        return f"{self.what:<74} {self.ratio:8.2f}   {goal:<8} {verdict}"


class Report:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rows: list[Row] = []
        self.notes: list[str] = []

    def add(self, row: Row) -> None:
        self.rows.append(row)
        print("    " + row.line(), flush=True)

    def note(self, text: str) -> None:
        self.notes.append(text)
        print("    " + text, flush=True)

    def plan(self, name: str, text: str) -> None:
        folder = self.folder / "plans"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.txt").write_text(text, encoding="utf-8")

    def finish(self, **facts: Any) -> None:
        print(f"\n{'ratio':<74} {'measured':>8}   goal")
        for row in self.rows:
            print(row.line())
        met = [row.is_met for row in self.rows if row.goal is not None]
        print(f"\n{sum(map(bool, met))} of {len(met)} goals met.")
        self.folder.mkdir(parents=True, exist_ok=True)
        content = {
            **facts,
            "machine": platform.platform(),
            "python": platform.python_version(),
            "rows": [{**asdict(row), "met": row.is_met} for row in self.rows],
            "notes": self.notes,
        }
        path = self.folder / "results.json"
        path.write_text(json.dumps(content, indent=1, ensure_ascii=False), encoding="utf-8")
        print(f"Results and plans are in {self.folder}.")


def median(values: list[float]) -> float:
    return statistics.median(values)
