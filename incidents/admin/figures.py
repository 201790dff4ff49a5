"""Casualty figures as a grid of sex and age for each outcome and status, in people's own words.

Each cell is one row of :class:`CasualtyCount`: totals are rows of their own, and nothing is added
up. Rows of a role or an affiliation have no cell; they stay below the grid.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from harmtracker.admin_fields import ExactText
from harmtracker.codes import code_list, covers
from harmtracker.errors import DomainError, Invalid
from harmtracker.reading_back import ReadBack
from incidents import services
from incidents.figures_in_words import Figure, figure_of, read_figure, write_figure
from incidents.models import CasualtyCount, Claim, Incident

from .hints import figure_read

# What every grid has; others where a row is of them.
OUTCOMES = ("killed", "injured")
STATUSES = ("all", "civilian")
SEXES = ("all", "female", "male")
AGES = ("all", "adult", "child")
# A dimension of a group -> its code list.
SPARE = {
    "outcome": "outcome",
    "status": "person_status",
    "sex": "sex",
    "age_group": "age_group",
}
PART_WITHIN_WHOLE = "incidents_casualtycount_part_within_whole"
# A cell's text: a figure and the words of the source, quoted.
LONGEST = 560


def has_cell(count: CasualtyCount) -> bool:
    return count.role == "all" and count.affiliation_id is None


@dataclass(frozen=True)
class Group:
    """Whom a cell is of."""

    outcome: str
    status: str
    sex: str
    age_group: str

    @property
    def name(self) -> str:
        return f"figure-{self.outcome}-{self.status}-{self.sex}-{self.age_group}"

    @property
    def label(self) -> str:
        said = [code_list("outcome")[self.outcome].label, _status(self.status)]
        if self.sex != "all":
            said.append(code_list("sex")[self.sex].label)
        if self.age_group != "all":
            said.append(code_list("age_group")[self.age_group].label)
        return ", ".join(said)

    def takes_in(self, other: Group) -> bool:
        return (
            self != other
            and self.outcome == other.outcome
            and covers("person_status", self.status, other.status)
            and covers("sex", self.sex, other.sex)
            and covers("age_group", self.age_group, other.age_group)
        )


def _status(code: str) -> str:
    return code_list("person_status")[code].label


def group_of(count: CasualtyCount) -> Group:
    return Group(count.outcome, count.status, count.sex, count.age_group)


class FigureField(ExactText):
    """A number of persons as people write it; its value is a figure, or None."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            required=False,
            max_length=LONGEST,
            widget=ReadBack("figure", figure_read, {"class": "figure"}),
            **kwargs,
        )

    def to_python(self, value: Any) -> Any:
        try:
            return read_figure(super().to_python(value) or "")
        except Invalid as refusal:
            raise ValidationError(refusal.message) from refusal

    def run_validators(self, value: Any) -> None:
        """A figure was read already; what is asked of it, the database asks."""

    def validate(self, value: Any) -> None:
        pass

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return read_figure(data or "") != read_figure(initial or "")
        except Invalid:
            return True


@dataclass
class Line:
    """One age of a status: a cell for each sex."""

    label: str
    cells: list[Any]


@dataclass
class Part:
    """One status: a line for each age."""

    label: str
    lines: list[Line]


@dataclass
class Table:
    """One outcome: a column for each sex, the statuses below each other."""

    label: str
    sexes: list[str]
    parts: list[Part] = field(default_factory=list)


def _in_order(name: str, always: Iterable[str], used: Iterable[str]) -> list[str]:
    wanted = {*always, *used}
    return [code for code in code_list(name) if code in wanted]


class WithFigures:
    """Of a form on an incident or a claim: the fields of the grid, and how they are stored.

    The admin sets ``counts_of_page`` on the class that it makes for one page.
    """

    counts_of_page: list[CasualtyCount] | None = None
    refusal: DomainError | None
    sent: Mapping[str, Any]
    fields: dict[str, forms.Field]
    data: Mapping[str, Any]
    instance: Any
    cleaned_data: dict[str, Any]
    changed_data: list[str]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.groups: dict[str, Group] = {}
        self.rows: dict[str, CasualtyCount] = {}
        if self.counts_of_page is None:
            return
        for count in self.counts_of_page:
            if has_cell(count):
                self.rows[group_of(count).name] = count
        for group in self._shown([*map(group_of, self.rows.values()), *self._sent()]):
            row = self.rows.get(group.name)
            self.groups[group.name] = group
            cell = FigureField(
                label=group.label, initial="" if row is None else write_figure(figure_of(row))
            )
            cell.widget.attrs["aria-label"] = group.label
            self.fields[group.name] = cell
        self._add_spare()

    def _sent(self) -> Iterator[Group]:
        """Groups of which the form that came back has cells, so that no text of it is lost."""
        data = self.data or self.sent
        for name in data:
            said = name.removeprefix("figure-").split("-")
            if name.startswith("figure-") and len(said) == len(SPARE):
                listed = zip(said, SPARE.values(), strict=True)
                if data[name] and all(code in code_list(of) for code, of in listed):
                    yield Group(*said)

    def _shown(self, used: list[Group]) -> Iterator[Group]:
        for outcome in _in_order("outcome", OUTCOMES, (group.outcome for group in used)):
            of_outcome = [group for group in used if group.outcome == outcome]
            statuses = STATUSES if outcome in OUTCOMES else ()
            for status in _in_order("person_status", statuses, (g.status for g in of_outcome)):
                ages = _in_order(
                    "age_group", AGES, (g.age_group for g in of_outcome if g.status == status)
                )
                for age in ages:
                    for sex in _in_order("sex", SEXES, (g.sex for g in of_outcome)):
                        yield Group(outcome, status, sex, age)

    def _add_spare(self) -> None:
        """One more group of any kind, for what the grid has no cell of yet."""
        for name, listed in SPARE.items():
            blank = [("", "---------")] if name in ("outcome", "status") else []
            self.fields[f"figure_{name}"] = forms.ChoiceField(
                choices=[*blank, *((code.code, code.label) for code in code_list(listed).values())],
                required=False,
                label=name.replace("_", " "),
                initial="" if blank else "all",
            )
        self.fields["figure_of_group"] = FigureField(label="figure")

    def clean(self) -> dict[str, Any]:
        try:
            super().clean()  # type: ignore[misc]
        except ValidationError:
            if not self._placed():
                raise
        self._clean_spare()
        return self.cleaned_data

    def _clean_spare(self) -> None:
        said = {name: self.cleaned_data.get(f"figure_{name}") for name in SPARE}
        figure = self.cleaned_data.get("figure_of_group")
        if figure is None or "figure_of_group" in self.errors:  # type: ignore[attr-defined]
            return
        for name in ("outcome", "status"):
            if not said[name]:
                self.add_error(f"figure_{name}", "Say of whom the figure is.")  # type: ignore[attr-defined]
                return
        group = Group(**{name: str(code) for name, code in said.items()})
        if group.name in self.groups and self.cleaned_data.get(group.name) is not None:
            self.add_error("figure_of_group", f"The grid has a figure of it: {group.label}.")  # type: ignore[attr-defined]

    def _placed(self) -> bool:
        """Whether a refusal of the database is of cells, and said there.

        Only where it is shown is decided here; that it is refused, the database has said.
        """
        if self.refusal is None or self.refusal.rule != PART_WITHIN_WHOLE:
            return False
        figures = {
            name: figure
            for name in self.groups
            if isinstance(figure := self.cleaned_data.get(name), Figure)
        }
        is_placed = False
        for name, part in figures.items():
            for of_whole, whole in figures.items():
                if part.min is None or whole.max is None or part.min <= whole.max:
                    continue
                if self.groups[of_whole].takes_in(self.groups[name]):
                    self.add_error(  # type: ignore[attr-defined]
                        name,
                        f"A part has at least {part.min} persons, its whole at most {whole.max} "
                        f"({self.groups[of_whole].label}).",
                    )
                    is_placed = True
                    break
        return is_placed

    def save_figures(self, incident: Incident, claim: Claim | None) -> None:
        """Store what was changed in the grid: by the same functions as the API."""
        changed = set(self.changed_data)
        for name, group in self.groups.items():
            if name in changed:
                self._save_cell(group, self.cleaned_data[name], incident, claim)
        figure = self.cleaned_data.get("figure_of_group")
        if figure is not None:
            said = {name: self.cleaned_data[f"figure_{name}"] for name in SPARE}
            self._save_cell(Group(**said), figure, incident, claim)

    def _save_cell(
        self, group: Group, figure: Figure | None, incident: Incident, claim: Claim | None
    ) -> None:
        row = self.rows.get(group.name)
        if figure is None:
            if row is not None:
                services.remove(row)
        elif row is not None:
            services.change(row, **figure.fields)
        else:
            services.add_part(
                CasualtyCount, incident=incident, claim=claim, **vars(group), **figure.fields
            )

    def as_it_was(self, since: Any) -> dict[str, tuple[str, Any]]:
        """What the cells held when the page was opened, and who changed each last since then.

        ``since.entries`` are the entries of the record's history after that, the oldest first.
        """
        claim_id = self.instance.pk if isinstance(self.instance, Claim) else None
        was: dict[str, str] = {}
        by: dict[str, Any] = {}
        for entry in reversed(since.entries):
            row = entry.after or entry.before or {}
            if entry.table_name != CasualtyCount._meta.db_table or row["claim_id"] != claim_id:
                continue
            for side, text in ((entry.after, ""), (entry.before, None)):
                if side is None or side["role"] != "all" or side["affiliation_id"] is not None:
                    continue
                name = Group(*(side[column] for column in SPARE)).name
                if text is None:
                    columns = ("min", "best", "max", "qualifier", "reported_text")
                    text = write_figure(Figure(*(side[column] for column in columns)))
                was[name] = text
                by.setdefault(name, entry)
                since.used.add((entry.table_name, entry.row_id))
        return {name: (text, by[name]) for name, text in was.items() if name in self.fields}

    # --- For the page ---

    @property
    def tables(self) -> list[Table]:
        tables: dict[str, Table] = {}
        parts: dict[tuple[str, str], Part] = {}
        lines: dict[tuple[str, str, str], Line] = {}
        for name, group in self.groups.items():
            outcome = code_list("outcome")[group.outcome].label
            table = tables.setdefault(group.outcome, Table(outcome, []))
            sex = "in all" if group.sex == "all" else code_list("sex")[group.sex].label
            if sex not in table.sexes:
                table.sexes.append(sex)
            of_part = (group.outcome, group.status)
            if of_part not in parts:
                parts[of_part] = Part(_status(group.status), [])
                table.parts.append(parts[of_part])
            of_line = (*of_part, group.age_group)
            if of_line not in lines:
                age = code_list("age_group")[group.age_group].label
                lines[of_line] = Line("every age" if group.age_group == "all" else age, [])
                parts[of_part].lines.append(lines[of_line])
            lines[of_line].cells.append(
                {"field": self[name], "row": self.rows.get(name)}  # type: ignore[index]
            )
        return list(tables.values())

    @property
    def spare(self) -> list[Any]:
        names = [*(f"figure_{name}" for name in SPARE), "figure_of_group"]
        return [self[name] for name in names if name in self.fields]  # type: ignore[index]
