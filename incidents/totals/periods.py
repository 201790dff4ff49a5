"""Months and weeks as whole numbers, so that the database compares and divides them.

A week is that of ISO 8601: from Monday, of the year that its Thursday lies in.
"""

from __future__ import annotations

import datetime
from functools import lru_cache

# Unit -> how many months it has; weeks are counted apart, since a week may lie in two months.
MONTHS = {"year": 12, "quarter": 3, "month": 1}
WEEK = "week"
PERIODS = (*MONTHS, WEEK)


def month_of(day: datetime.date) -> int:
    return day.year * 12 + day.month - 1


def week_of(day: datetime.date) -> int:
    return (day.toordinal() - 1) // 7


def index_of(unit: str, day: datetime.date) -> int:
    """The number of the period that a day lies in."""
    return week_of(day) if unit == WEEK else month_of(day) // MONTHS[unit]


# Of at most some hundred thousand weeks, and the same ones all the time.
@lru_cache(maxsize=100_000)
def label_of(unit: str, index: int) -> str:
    """As it is written: 2023, 2023-Q4, 2023-10, 2023-W41."""
    if unit == WEEK:
        year, week, _weekday = datetime.date.fromordinal(index * 7 + 1).isocalendar()
        return f"{year:04d}-W{week:02d}"
    year, part = divmod(index, 12 // MONTHS[unit])
    return {
        "year": f"{year:04d}",
        "quarter": f"{year:04d}-Q{part + 1}",
        "month": f"{year:04d}-{part + 1:02d}",
    }[unit]
