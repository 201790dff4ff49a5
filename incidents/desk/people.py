"""The people of a record as rows of a table. Labels are looked up once for all: there may be
hundreds of people."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.html import format_html_join

from harmtracker.codes import code_list


@dataclass(frozen=True)
class Person:
    """One person who was harmed. ``claims`` holds key and number of each that speaks of them."""

    pk: int
    names: str
    leaves: bool
    outcome: str
    who: str
    sex: str
    age: str
    claims: list[tuple[int, int]]
    note: str

    @property
    def links(self) -> str:
        """The numbers of the claims, each leading to it on the record's page."""
        return format_html_join(", ", '<a href="#claim-{}">{}</a>', self.claims)


def people_of(victims: Iterable[Any]) -> list[Person]:
    """Of victims with their claims numbered, see `incidents.admin.reading.record_to_read`."""
    outcome, status, role, sex, age_group = (
        {code: row.label for code, row in code_list(name).items()}
        for name in ("outcome", "person_status", "person_role", "sex", "age_group")
    )
    return [
        Person(
            pk=victim.pk,
            names=" / ".join(victim.names),
            leaves=victim.consent_basis is not None,
            outcome=outcome[victim.outcome],
            who=f"{status[victim.status]}, {role[victim.role]}",
            sex=sex[victim.sex],
            age=age_group[victim.age_group] if victim.age is None else str(victim.age),
            claims=victim.claim_numbers,
            note=victim.note,
        )
        for victim in victims
    ]
