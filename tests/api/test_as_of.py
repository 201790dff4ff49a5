"""The data as they stood: the same bytes for ever, but for what was redacted since."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harmtracker.history.acting import acting
from incidents.api.public.facets import names_of
from incidents.choices import State, Verb
from incidents.models import Incident, LedgerEntry, Place, PublishedReference
from incidents.publishing import references
from incidents.totals.grouping import GROUPINGS
from incidents.workflow import take_step
from sources.models import Article, Outlet
from tests.drafts import merge_into, publish_again
from tests.exports.reading import body
from tests.incidents.test_redaction import take, told
from tests.patience import EVERY
from tests.telling import tells

pytestmark = pytest.mark.usefixtures("committed")

Draft = Callable[..., Incident]
ROOT = "/api/v1/"
LISTS = ("incidents", "casualties", "claims", "victims")
REFERENCES = ("places", "actors", "outlets", "articles")
FORMATS = ("csv", "hxl", "ndjson", "geojson", "parquet", "xlsx")


def head(client: Client) -> int:
    position: int = client.get(ROOT).json()["position"]
    return position


def addresses(client: Client, at: int) -> Iterator[str]:
    """Every public answer that can be had as of a position, in every format."""
    for name in LISTS:
        yield f"{name}/?count=true"
        for form in FORMATS:
            yield f"{name}/?format={form}"
    yield "incidents/?detail=document&limit=2"
    yield "incidents/?format=ndjson&detail=document"
    yield "incidents/?q=laiza&ordering=code"
    yield "incidents/?changed_after=2000-01-01&limit=1"
    yield "incidents/facets/?facet=country,adm1,grading,actor_alleged_perpetrator"
    for form in ("json", "csv", "xlsx", "parquet"):
        yield f"totals/?group_by=month,actor,bucket&format={form}"
        yield f"totals/?group_by=place,dataset&format={form}&killed_civilian_min__gte=1"
    for name in GROUPINGS:
        yield f"totals/?group_by={name}"
    yield "totals/?q=shelling"
    yield "changes/?limit=1000"
    yield "changes/?after=1&limit=2&country=MMR"
    yield "changes/?format=ndjson"
    yield "changes/?format=ndjson&killed_civilian_min__gte=1"
    yield "changes/atom/"
    for name in REFERENCES:
        yield f"{name}/?count=true"
        for row in client.get(f"{ROOT}{name}/?as_of={at}&limit=3").json()["results"]:
            yield f"{name}/{row['id']}/"
    for row in client.get(f"{ROOT}incidents/?as_of={at}").json()["results"]:
        yield f"incidents/{row['code']}/"
        yield f"incidents/{row['code']}/versions/"
        yield f"incidents/{row['code']}/versions/1/"
        if row["version"] > 1:
            yield f"incidents/{row['code']}/diff/"
            yield f"incidents/{row['code']}/diff/?from=1&to={row['version']}"


def then(client: Client, address: str, at: object) -> Any:
    mark = "&" if "?" in address else "?"
    return client.get(f"{ROOT}{address}{mark}as_of={at}")


def everything(client: Client, at: int) -> dict[str, tuple[int, bytes, str]]:
    found = {}
    for address in addresses(client, at):
        answer = then(client, address, at)
        found[address] = (answer.status_code, body(answer), answer["ETag"])
        assert answer.status_code == 200, address
    return found


def rename(people: SimpleNamespace, word: str) -> None:
    with acting(people.administrator, "Renamed"):
        for model, field in ((Outlet, "name"), (Place, "name"), (Article, "title")):
            for row in model.objects.all():
                setattr(row, field, f"{getattr(row, field)} {word}"[:60])
                row.save(update_fields=[field])


def retract(incident: Incident, people: SimpleNamespace) -> None:
    take_step(
        Verb.PROPOSE_RETRACTION, incident_id=incident.pk, actor=people.verifier, reason="A hoax"
    )
    take_step(Verb.RETRACT, incident_id=incident.pk, actor=people.other_verifier)


def test_every_answer_stays_the_same_whatever_is_published_later(
    draft: Draft, people: SimpleNamespace, client: Client
) -> None:
    corrected, merged, withdrawn = (draft(State.PUBLISHED) for _ in range(3))
    target = draft()
    # What is there to be told already: a difference, a record that went, and one that came back.
    publish_again(corrected, people, title="Shelling of a bridge")
    retract(draft(State.PUBLISHED), people)
    back = draft(State.PUBLISHED)
    retract(back, people)
    publish_again(back, people, title="Shelling of a ferry")
    at = head(client)
    before = everything(client, at)
    assert sum("/diff/" in address for address in before) == 4

    rename(people, "renamed")
    publish_again(corrected, people, title="Shelling of a hamlet")
    assert everything(client, at) == before
    merge_into(merged, target, people)
    assert everything(client, at) == before
    retract(withdrawn, people)
    draft(State.PUBLISHED)
    assert everything(client, at) == before
    call_command("rebuild_published", verbosity=0)
    assert everything(client, at) == before
    # A redaction of something else alters no byte, though the ETags are new.
    take(told(draft, people), people)
    without_etags = {name: found[:2] for name, found in before.items()}
    assert {n: found[:2] for n, found in everything(client, at).items()} == without_etags
    # Now it is all different.
    now = client.get(f"{ROOT}outlets/?limit=1000").content
    assert b"renamed" in now
    assert b"renamed" not in before["outlets/?count=true"][1]


def test_a_redaction_reaches_every_former_answer(
    draft: Draft, people: SimpleNamespace, client: Client
) -> None:
    incident = told(draft, people)
    at = head(client)
    before = everything(client, at)
    assert any(b"Htwe" in text for _status, text, _etag in before.values())
    publish_again(incident, people, title="Shelling of a hamlet")
    later = head(client)
    take(incident, people)
    for position in (at, later):
        for address, (_status, text, etag) in everything(client, position).items():
            assert not tells(text.decode("utf-8", "replace"), "htwe"), address
            if address in before and before[address][1] != text:
                assert etag != before[address][2], address
    again = then(client, "incidents/?q=htwe", at).json()
    assert again["results"] == []


def test_a_redacted_outlet_is_redacted_in_every_former_list(
    draft: Draft, people: SimpleNamespace, client: Client
) -> None:
    first = told(draft, people)
    draft(State.PUBLISHED)
    at = head(client)
    publish_again(first, people, title="Shelling of a hamlet")
    take(first, people, "Gazette", everywhere=True)
    for position in range(1, head(client) + 1):
        assert b"gazette" not in then(client, "outlets/?limit=1000", position).content.lower()
    assert then(client, "outlets/", at).status_code == 200


def test_codes_lead_where_they_led_then(
    draft: Draft, people: SimpleNamespace, client: Client
) -> None:
    empty = head(client)
    source, target = draft(State.PUBLISHED), draft()
    address = f"incidents/{source.code}/"
    first = head(client)
    assert then(client, address, empty).status_code == 404
    assert then(client, f"{address}versions/", empty).status_code == 404
    assert then(client, f"{address}versions/1/", empty).status_code == 404
    merge_into(source, target, people)
    merged = head(client)
    moved = then(client, address, merged)
    target.refresh_from_db()
    assert moved.status_code == 301
    assert moved["Location"].endswith(f"/api/v1/incidents/{target.code}/?as_of={merged}")
    assert client.get(moved["Location"]).json()["merged_from"] == [source.code]
    retract(target, people)
    assert then(client, address, first).json()["version"] == 1
    assert then(client, f"incidents/{target.code}/", head(client)).status_code == 410
    assert then(client, f"incidents/{target.code}/", merged).status_code == 200
    assert then(client, f"{address}versions/2/", first).status_code == 404
    assert len(then(client, f"{address}versions/", first).json()["results"]) == 1


def test_a_moment_is_the_last_position_before_it(draft: Draft, client: Client) -> None:
    draft(State.PUBLISHED)
    entries = list(LedgerEntry.objects.using("default").order_by("seq"))
    for entry in entries:
        moment = entry.at.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        assert then(client, "incidents/", moment).json()["position"] == entry.seq
    east = entries[-1].at.astimezone(datetime.timezone(datetime.timedelta(hours=6, minutes=30)))
    # A plus that nobody escaped comes as a space.
    for text in (east.isoformat(), east.isoformat().replace("+", "%2B")):
        assert then(client, "incidents/", text).json()["position"] == entries[-1].seq
    early = then(client, "incidents/?count=true", "1999-01-01T00:00:00Z").json()
    assert (early["position"], early["count"], early["results"]) == (0, 0, [])
    assert then(client, "outlets/", 0).json()["results"] == []


@pytest.mark.parametrize(
    "value",
    [
        "999999",
        "-1",
        "01",
        "1.0",
        "٣",
        "now",
        "2024-01-01",
        "2024-01-01T00:00:00",
        "2024-13-01T00:00:00Z",
        "2999-01-01T00:00:00Z",
        "0001-01-01T00:00:00%2B14:00",
        "9999-12-31T23:59:59-14:00",
        "2024-01-01T00:00:00%2B25:00",
        "99999999999999999999",
        "",
    ],
)
@pytest.mark.parametrize(
    "address", ["incidents/", "claims/", "claims/?format=csv", "incidents/facets/", "places/"]
)
def test_what_is_no_time_of_the_ledger_is_refused(client: Client, address: str, value: str) -> None:
    answer = then(client, address, value)
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == ["as_of"]


def test_pages_of_a_former_time_follow_one_another(
    draft: Draft, people: SimpleNamespace, client: Client
) -> None:
    records = [draft(State.PUBLISHED) for _ in range(4)]
    at = head(client)
    whole = [row["code"] for row in then(client, "incidents/?limit=100", at).json()["results"]]
    retract(records[0], people)
    found: list[str] = []
    address = f"{ROOT}incidents/?limit=2&as_of={at}"
    while address:
        page = client.get(address).json()
        assert page["position"] == at
        found += [row["code"] for row in page["results"]]
        address = page["next"]
    assert found == whole


def test_an_unchanged_former_answer_is_304_for_ever(draft: Draft, client: Client) -> None:
    draft(State.PUBLISHED)
    at = head(client)
    for address in ("incidents/", "claims/?format=csv", "incidents/facets/", "outlets/"):
        etag = then(client, address, at)["ETag"]
        draft(State.PUBLISHED)
        mark = "&" if "?" in address else "?"
        again = client.get(f"{ROOT}{address}{mark}as_of={at}", headers={"If-None-Match": etag})
        assert again.status_code == 304, address


STEPS = ("enter", "correct", "rename", "retract", "merge")


@settings(
    max_examples=12 if EVERY else 4,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(steps=st.lists(st.sampled_from(STEPS), min_size=4, max_size=8))
def test_what_was_answered_at_each_position_is_answered_as_of_it(
    draft: Draft, people: SimpleNamespace, client: Client, steps: list[str]
) -> None:
    """Lists of all kinds, as they are at each step of a random history."""
    asked = ("incidents/", "claims/", "outlets/", "articles/", "places/", "incidents/facets/")
    kept: dict[int, dict[str, Any]] = {}
    records = [draft(State.PUBLISHED)]
    for number, step in enumerate(["enter", *steps]):
        if step == "enter" or not records:
            records.append(draft(State.PUBLISHED, title=f"Shelling {number}"))
        elif step == "correct":
            publish_again(records[0], people, title=f"Shelling, corrected {number}")
        elif step == "rename":
            rename(people, str(number))
        elif step == "retract":
            retract(records.pop(), people)
        elif step == "merge" and len(records) > 1:
            source, target = records.pop(), draft()
            merge_into(source, target, people)
            target.refresh_from_db()
            records.append(target)
        kept[head(client)] = {
            address: _rows(client.get(f"{ROOT}{address}").json()) for address in asked
        }
        # Of a position that several steps left as it was, the last is as good as the first.
    for at, answers in kept.items():
        for address, rows in answers.items():
            assert _rows(then(client, address, at).json()) == rows, (at, address)


def _rows(answer: dict[str, Any]) -> Any:
    return answer.get("results", answer.get("facets"))


def test_a_list_by_date_is_whole_where_it_starts_at_the_day_of_its_position(
    draft: Draft, people: SimpleNamespace, client: Client
) -> None:
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    for day in ("2024-02-07", today, "2024-02-08", "2024-02"):
        draft(State.PUBLISHED, date_edtf=day)
    at = head(client)
    draft(State.PUBLISHED)
    for ordering in ("date", "-date"):
        asked = f"incidents/?count=true&ordering={ordering}"
        answer = then(client, asked, at).json()
        assert len(answer["results"]) == answer["count"] == 7
        days = [row["date"]["earliest"] for row in answer["results"]]
        assert days == sorted(days, reverse=ordering == "-date")
        address, found = f"{ROOT}{asked}&limit=1&as_of={at}", []
        while address:
            page = client.get(address).json()
            found += [row["code"] for row in page["results"]]
            address = page["next"]
        assert found == [row["code"] for row in answer["results"]]


def test_facets_have_the_names_of_their_time(
    draft: Draft, people: SimpleNamespace, client: Client
) -> None:
    draft(State.PUBLISHED)
    at = head(client)
    asked = "incidents/facets/?facet=country,adm1"
    first = then(client, asked, at).content
    rename(people, "renamed")
    draft(State.PUBLISHED)
    assert then(client, asked, at).content == first
    values = then(client, asked, head(client)).json()["facets"]["adm1"]["values"]
    assert all("renamed" in value["label"] for value in values if value["code"])


def test_one_p_code_of_two_places_has_the_name_of_the_newer_one(client: Client) -> None:
    for key, name, position in (("1", "Newer", 3), ("2", "Older", 2), ("3", "Former", 1)):
        references.store(
            [
                PublishedReference(
                    kind="place",
                    key=key,
                    pcode="MMR999",
                    name=name,
                    document="{}",
                    search="",
                    valid_from=position,
                    valid_until=2 if name == "Former" else None,
                )
            ]
        )
    assert names_of(["MMR999"], 3)["MMR999"] == "Newer"
    assert names_of(["MMR999"], 2)["MMR999"] == "Older"
    assert names_of(["MMR999"], 1)["MMR999"] == "Former"


def _reference_rows() -> list[tuple[Any, ...]]:
    columns = ("kind", "key", "valid_from", "valid_until", "name", "document", "search")
    rows = PublishedReference.objects.using("default").order_by("kind", "key", "valid_from")
    return list(rows.values_list(*columns))


def test_rows_that_a_redaction_wrote_anew_are_those_of_a_rebuilt_index(
    draft: Draft, people: SimpleNamespace, client: Client
) -> None:
    first = told(draft, people)
    other = draft(State.PUBLISHED)
    rename(people, "renamed")
    publish_again(first, people, title="Shelling of a hamlet")
    retract(other, people)
    before = _reference_rows()
    call_command("rebuild_published", verbosity=0)
    assert _reference_rows() == before
    take(first, people, "Gazette", everywhere=True)
    redacted = _reference_rows()
    assert redacted != before
    assert not any("gazette" in str(row).lower() for row in redacted)
    call_command("rebuild_published", verbosity=0)
    assert _reference_rows() == redacted
