"""What docs/entering.md says of dates and figures is what the forms read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from harmtracker.dates_in_words import read_date
from harmtracker.errors import Invalid
from incidents.figures_in_words import read_figure

DOCUMENT = Path(__file__).parents[2] / "docs" / "entering.md"


def rows(heading: str) -> list[tuple[list[str], str]]:
    """(What is written, the cell beside it) of the table below a heading."""
    section = DOCUMENT.read_text().split(f"## {heading}\n")[1].split("\n## ")[0]
    lines = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("| `")]
    return [(re.findall(r"`([^`]+)`", line[0]), line[1].strip()) for line in lines]


DATES = [(text, said) for texts, said in rows("Dates") for text in texts]


@pytest.mark.parametrize(("text", "said"), DATES, ids=[row[0] for row in DATES])
def test_dates(text: str, said: str) -> None:
    if said == "refused":
        with pytest.raises(Invalid):
            read_date(text)
    else:
        assert read_date(text) in re.findall(r"`([^`]+)`", said)


FIGURES = [(text, said) for texts, said in rows("Figures") for text in texts]


@pytest.mark.parametrize(("text", "said"), FIGURES, ids=[row[0] for row in FIGURES])
def test_figures(text: str, said: str) -> None:
    if said == "refused":
        with pytest.raises(Invalid):
            read_figure(text)
        return
    figure = read_figure(text)
    assert figure is not None
    numbers = (figure.min, figure.best, figure.max)
    assert " / ".join("–" if number is None else str(number) for number in numbers) == said


def test_the_tables_are_found() -> None:
    assert len(DATES) > 20
    assert len(FIGURES) > 20
