"""Totals are the plain sum over the published documents, whatever these hold."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

from incidents.models import PublishedVersion
from incidents.publishing.parts import PERSONS
from incidents.totals.grouping import GROUPINGS, clash
from tests.totals import plain

NOTHING: list[Any] = []
PLACES = st.sampled_from(["none", "here", "near", "far"])
DAYS = st.dates(datetime.date(2021, 11, 1), datetime.date(2023, 2, 28))
COUNT = st.one_of(st.none(), st.integers(0, 9))
GRADINGS = ("fair", "weak")


@st.composite
def dates(draw: Any) -> dict[str, Any]:
    first, length = draw(DAYS), draw(st.sampled_from([0, 0, 0, 2, 6, 40, 400]))
    earliest, latest = first.isoformat(), (first + datetime.timedelta(days=length)).isoformat()
    form = draw(st.sampled_from(["both", "both", "both", "both", "none", "from", "until"]))
    return {
        "earliest": earliest if form in ("both", "from") else None,
        "latest": latest if form in ("both", "until") else None,
    }


@st.composite
def counts(draw: Any) -> list[dict[str, Any]]:
    rows = {}
    for _ in range(draw(st.sampled_from([0, 1, 1, 2, 3, 4, 5]))):
        low, best, high = sorted([draw(COUNT) for _ in range(3)], key=lambda n: (n is None, n))
        if draw(st.booleans()):
            low, high = (None if best is None else low), high
        group = {
            "outcome": draw(st.sampled_from(["killed", "killed", "injured", "missing"])),
            "status": draw(
                st.sampled_from(
                    ["civilian", "civilian", "disputed", "unknown", "armed_group", "protected",
                     "civilian_military_role", "all"]
                )
            ),
            "role": draw(st.sampled_from(["all", "all", "cadet", "journalist"])),
            "sex": draw(st.sampled_from(["all", "all", "female", "male", "unknown"])),
            "age_group": draw(st.sampled_from(["all", "all", "child", "infant", "adult"])),
            "affiliation": draw(st.sampled_from([None, None, None, "a1", "a2"])),
        }  # fmt: skip
        rows[tuple(group.values())] = {**group, "min": low, "best": best, "max": high}
    return [*rows.values()]


WEAPONS = st.lists(
    st.tuples(
        st.sampled_from(["EXG-ART", "EXG-MOR", "EXA-BOM", "SAL-RIF", "EXG"]),
        st.sampled_from(["confirmed", "possible", "denied"]),
        st.sampled_from([None, None, 1, 2]),
    ),
    max_size=3,
    unique_by=lambda row: row[:2],
)
ACTORS = st.lists(
    st.tuples(
        st.sampled_from(["a1", "a2", "a3"]),
        st.sampled_from(["alleged_perpetrator", "alleged_perpetrator", "target"]),
        st.sampled_from(["likely", "alleged", "denied"]),
        st.sampled_from([None, 1, 1, 2]),
    ),
    max_size=4,
    unique_by=lambda row: row[:3],
)
DOCUMENT = st.fixed_dictionaries(
    {
        "date": dates(),
        "place": PLACES,
        "casualties": counts(),
        "weapons": WEAPONS,
        "involvement": ACTORS,
        "grading": st.sampled_from(GRADINGS),
        "record_type": st.sampled_from(["incident"] * 7 + ["aggregate_count"]),
        "link": st.sampled_from([None] * 7 + ["related", "duplicate_of", "merged_into"]),
        "datasets": st.lists(st.sampled_from(["ACLED", "UCDP"]), max_size=2, unique=True),
    }
)
ACTS = st.lists(
    st.tuples(st.sampled_from(["new"] * 5 + ["again", "retracted", "merged"]), DOCUMENT),
    min_size=4,
    max_size=12,
)


@st.composite
def questions(draw: Any) -> plain.Asked:
    names = draw(
        st.lists(st.sampled_from(GROUPINGS), max_size=3, unique=True).filter(
            lambda names: clash(names) is None
        )
    )
    first = draw(st.one_of(st.none(), DAYS))
    last = draw(st.one_of(st.none(), DAYS))
    if first and last and first > last:
        first, last = last, first
    return plain.Asked(
        tuple(names),
        first,
        last,
        draw(st.booleans()),
        draw(st.sampled_from([(), (), ("fair",)])),
    )


class World:
    """What was published, in order, and what it is made of."""

    def __init__(self) -> None:
        self.base = plain.template()
        self.acts: list[tuple[int, str, str, dict[str, Any]]] = []
        self.number = 0
        actor = self.base["involvement"][0]["actor"]
        self.actors = {
            name: {**actor, "id": f"00000000-0000-4000-8000-0000000000{name}", "name": name}
            for name in ("a1", "a2", "a3")
        }
        place = self.base["place"]
        others = [step for step in place["path"] if step["level"] == "country"]
        self.places = {
            "none": None,
            "here": place,
            "near": {**place, **place["path"][0], "path": place["path"][1:]},
            "far": {
                **place, "id": "00000000-0000-4000-8000-00000000000f", "pcode": None,
                "level": "adm1", "name": "Far", "path": others, "country": "THA",
            },
        }  # fmt: skip

    def act(self, verb: str, drawn: dict[str, Any]) -> None:
        current = sorted(self.at(self.acts[-1][0])) if self.acts else []
        if verb == "new" or not current:
            self.number += 1
            code, verb = f"MMR-2022-{self.number:04d}", "published"
        else:
            code = current[len(drawn["casualties"]) % len(current)]
            verb = "published" if verb == "again" else verb
        document = self.document(drawn)
        if verb != "published":
            document = {"shape": 1, "record_type": "incident", "note": "", "merged_into": code}
        self.acts.append((plain.publish(code, document, verb), code, verb, document))

    def document(self, drawn: dict[str, Any]) -> dict[str, Any]:
        count = self.base["casualties"][0]
        involvement, weapon = self.base["involvement"][0], self.base["weapons"][0]
        casualties = [
            {
                **count,
                **row,
                "bucket": plain.code_list("person_status")[row["status"]].mappings["bucket"],
                "affiliation": row["affiliation"] and self.actors[row["affiliation"]],
            }
            for row in drawn["casualties"]
        ]
        return plain.document_of(
            self.base,
            {
                "date": {**self.base["date"], **drawn["date"]},
                "place": self.places[drawn["place"]],
                "casualties": casualties,
                "weapons": [
                    {
                        **weapon, "code": code, "certainty": certainty, "alternative_group": group,
                        "parent": plain.weapon_types()[code]["parent"],
                    }
                    for code, certainty, group in drawn["weapons"]
                ],
                "involvement": [
                    {
                        **involvement, "actor": self.actors[name], "role": role,
                        "certainty": certainty, "alternative_group": group,
                    }
                    for name, role, certainty, group in drawn["involvement"]
                ],
                "grading": {**self.base["grading"], "code": drawn["grading"]},
                "record_type": drawn["record_type"],
                "links": [{"kind": drawn["link"], "code": "MMR-2014-0001"}]
                if drawn["link"]
                else [],
                "external_ids": [{"dataset": name, "value": "1"} for name in drawn["datasets"]],
            },
        )  # fmt: skip

    def at(self, position: int) -> dict[str, dict[str, Any]]:
        """Code -> document that was the current one."""
        found: dict[str, dict[str, Any]] = {}
        for seq, code, verb, document in self.acts:
            if seq > position:
                break
            found.pop(code, None)
            if verb == "published":
                found[code] = document
        return found

    def left_out(self, asked: plain.Asked, position: int) -> dict[str, int]:
        out = dict.fromkeys(("aggregate_count", "duplicate", "merged", "retracted"), 0)
        for document in self.at(position).values():
            if plain.is_found(asked, document) and not plain.is_counted(document):
                is_aggregate = document["record_type"] == "aggregate_count"
                out["aggregate_count" if is_aggregate else "duplicate"] += 1
        last = {code: verb for seq, code, verb, _ in self.acts if seq <= position}
        for code, verb in last.items():
            documents = [d for seq, c, v, d in self.acts if c == code and seq <= position
                         and v == "published"]  # fmt: skip
            if verb != "published" and plain.is_found(asked, documents[-1]):
                out[verb] += 1
        return out


@pytest.fixture
def world(committed: None) -> Iterator[World]:
    plain.unguard()
    world = World()
    # The three are in it from the start.
    for version in PublishedVersion.objects.using("default").order_by("pk"):
        document = plain.json.loads(version.document)
        world.acts.append((version.pk, version.code, "published", document))
    return world


@settings(
    max_examples=12,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=[*HealthCheck],
)
@given(ACTS, st.lists(questions(), min_size=6, max_size=10), st.data())
def test_totals_are_the_plain_sum(
    client: Client, world: World, acts: Any, asked: list[plain.Asked], data: st.DataObject
) -> None:
    for verb, drawn in acts:
        world.act(verb, drawn)
    head = world.acts[-1][0]
    for question in [plain.Asked((name,)) for name in PERSONS] + asked:
        position = data.draw(st.sampled_from([head, head, head - 2, head // 2]))
        compare(client, world, question, position)


def compare(client: Client, world: World, asked: plain.Asked, position: int) -> None:
    path = f"/api/v1/totals/?{asked.query}&as_of={position}".replace("?&", "?")
    note(path)
    response = client.get(path)
    assert response.status_code == 200, (path, response.content)
    answer = response.json()
    moment = datetime.datetime.fromisoformat(answer["moment"]) + datetime.timedelta(hours=14)
    documents = [*world.at(position).values()]
    expected = {
        key: plain.as_answered(asked, group)
        for key, group in plain.sums(asked, documents, moment.date()).items()
    }
    counts = ("incidents", "could_move", "shared", "either_or", "totals")
    if "bucket" in asked.groupings:
        # Nobody is civilian, nobody uncertain: said for the other buckets' sake.
        place = asked.groupings.index("bucket")
        answer["results"] = [row for row in answer["results"] if row["incidents"]]
        for row in answer["results"]:
            bucket = row["group"]["bucket"]
            row["totals"] = {
                outcome: figures
                for outcome, figures in row["totals"].items()
                if figures[bucket]["incidents"]
            }
        assert place >= 0
    came = {
        tuple(row["group"][name] for name in asked.groupings): {name: row[name] for name in counts}
        for row in answer["results"]
    }
    if asked.groupings:
        assert came == expected, path
    assert answer["left_out"] == world.left_out(asked, position), path
    once = plain.Asked((), asked.date_from, asked.date_to, asked.is_certain, asked.gradings)
    whole = plain.sums(once, documents, moment.date()).get((), plain.Group())
    total = answer["total"]
    assert total["incidents"] == len(whole.incidents), path
    # Of each incident the whole says what any of its groups says.
    sums = plain.sums(asked, documents, moment.date()).values()
    for name, members in (
        ("could_move", {n for group in sums for n in group.could_move}),
        ("shared", {n for group in sums for n in group.shared}),
        ("either_or", {n for group in sums for n in group.either_or}),
    ):
        assert total[name] in (None, len(members)), (path, name)
        assert (total[name] is None) == (plain.as_answered(asked, whole)[name] is None), path
    shown = plain.as_answered(once, whole)["totals"]
    for outcome, buckets in shown.items():
        for bucket, figure in buckets.items():
            assert total["totals"][outcome][bucket] == figure, path
