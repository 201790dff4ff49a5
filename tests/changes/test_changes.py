"""The list of changes: kinds, order, going on, filters, formats."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from harmtracker.history.acting import acting
from incidents.models import Incident, LedgerEntry, Place, PublishedChange
from tests import builders
from tests.changes.conftest import (
    PATH,
    Draft,
    by_kind,
    count_again,
    head,
    lines_of,
    page,
    retract,
)
from tests.drafts import publish_again
from tests.incidents.test_redaction import NAME, WHY, take, told
from tests.telling import tells

CODES_OF_THREE = ["MMR-2014-0001", "MMR-2023-0001", "MMR-2024-0001"]


def test_every_kind_says_what_was_done(history: SimpleNamespace, client: Client) -> None:
    found = page(client, after=history.start, limit=100)
    kinds = by_kind(found["results"])
    assert kinds.keys() == {"created", "corrected", "merged", "retracted"}
    created = kinds["created"][0]
    assert (created["code"], created["version"]) == (history.one.code, 1)
    assert created["title"] == "Shelling of a village"
    (figure,) = [f for f in created["figures"] if f["bucket"] == "civilian"]
    assert figure["from"] is None
    assert figure["to"] == {"min": 2, "best": 2, "max": 2, "at_least": False}
    (corrected,) = [c for c in kinds["corrected"] if c["code"] == history.one.code]
    (figure,) = [f for f in corrected["figures"] if f["bucket"] == "civilian"]
    assert (figure["from"]["best"], figure["to"]["best"]) == (2, 5)
    assert corrected["note"] == "The number was wrong."
    assert corrected["claims_added"] == corrected["claims_removed"] == []
    (merged,) = kinds["merged"]
    assert (merged["code"], merged["merged_into"]) == (history.other.code, history.target.code)
    assert all(f["to"] is None for f in merged["figures"])
    (retracted,) = kinds["retracted"]
    assert (retracted["code"], retracted["note"]) == (history.gone.code, "It did not happen.")
    assert retracted["figures"]


def test_an_earlier_form_has_no_entries_and_migrate_writes_them(history: SimpleNamespace) -> None:
    rows = PublishedChange.objects.using("default")
    before = list(rows.values_list())
    rows.all().delete()
    call_command("rebuild_published", "--if-outdated", verbosity=0)
    assert list(rows.values_list()) == before
    assert len(before) == head()


def test_entries_are_those_of_the_ledger_in_its_order(
    history: SimpleNamespace, client: Client
) -> None:
    found = page(client, limit=1000)
    entries = LedgerEntry.objects.order_by("seq").values_list("seq", "code", "version")
    assert [(e["seq"], e["code"], e["version"]) for e in found["results"]] == list(entries)
    assert found["position"] == found["resume"] == head()
    assert found["next"] is None


@pytest.mark.parametrize("limit", [1, 2, 3, 1000])
def test_going_on_gives_each_entry_once(
    history: SimpleNamespace, client: Client, limit: int
) -> None:
    seen: list[int] = []
    after = 0
    while True:
        found = page(client, after=after, limit=limit)
        seen += [entry["seq"] for entry in found["results"]]
        after = found["resume"]
        if found["next"] is None:
            break
        assert f"after={after}" in found["next"]
        assert client.get(found["next"]).json() == page(client, after=after, limit=limit)
    assert seen == list(range(1, head() + 1))
    assert page(client, after=after)["results"] == []


def test_beyond_the_head_nothing_is_given_and_nothing_is_skipped(
    three: None, client: Client
) -> None:
    found = page(client, after=head() + 5)
    assert (found["results"], found["resume"]) == ([], head() + 5)
    assert found["position"] == head()


def test_a_page_ends_early_rather_than_be_long(
    history: SimpleNamespace, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harmtracker.api.paging.MAX_PAGE_BYTES", 1)
    for asked in ({}, {"country": "MMR"}):
        seen, after = [], 0
        for _ in range(head() + 1):
            found = page(client, after=after, **asked)
            assert len(found["results"]) <= 1
            seen += [entry["seq"] for entry in found["results"]]
            after = found["resume"]
        assert seen == list(range(1, head() + 1))


def test_filters_of_entries(history: SimpleNamespace, client: Client) -> None:
    def found(**asked: Any) -> list[tuple[str, str]]:
        results = page(client, after=history.start, limit=1000, **asked)["results"]
        return [(entry["kind"], entry["code"]) for entry in results]

    one, gone = history.one.code, history.gone.code
    assert found(kind="retracted") == [("retracted", gone)]
    assert {kind for kind, _code in found(kind=["created", "merged"])} == {"created", "merged"}
    assert found(code=one) == [("created", one), ("corrected", one)]
    assert found(code=one, kind="corrected") == [("corrected", one)]
    assert found(moved="killed_civilian_best", kind="corrected")[0] == ("corrected", one)
    assert found(moved="injured_civilian") == []
    assert found(moved="grading") == []
    resumed = page(client, after=history.start, code=one)
    assert resumed["resume"] == head()


@pytest.fixture
def elsewhere(committed: None, people: SimpleNamespace) -> Place:
    """Another place than the one that a draft has."""
    with acting(people.researcher):
        return builders.place(name="Elsewhere")


def test_a_record_that_leaves_the_filter_is_told(
    elsewhere: Place, draft: Draft, people: SimpleNamespace, client: Client
) -> None:
    start = head()
    laiza = Place.objects.get(slug="laiza")
    incident = publish_again(draft("published"), people, place=elsewhere)
    incident = publish_again(incident, people, title="Shelling of a hamlet")
    incident = publish_again(incident, people, place=laiza)
    retract(incident, people)

    def seen(**asked: Any) -> list[tuple[int, bool]]:
        results = page(client, after=start, limit=1000, **asked)["results"]
        return [(entry["version"], entry["within"]) for entry in results]

    assert seen(place=laiza.uuid) == [(1, True), (2, False), (4, True), (5, False)]
    assert seen(place=elsewhere.uuid) == [(2, True), (3, True), (4, False)]
    assert seen(not_place=laiza.uuid) == [(2, True), (3, True), (4, False)]
    assert seen(country="MMR") == [(1, True), (2, True), (3, True), (4, True), (5, False)]
    assert seen(country="THA") == []
    assert seen(killed_civilian_best__gte=2) == seen(country="MMR")
    assert seen(place=laiza.uuid, kind="corrected") == [(2, False), (4, True)]
    assert seen(place=laiza.uuid, moved="place") == [(2, False), (4, True)]
    assert [e["version"] for e in following(client, start, limit=1, place=laiza.uuid)] == [
        1, 2, 4, 5,
    ]  # fmt: skip


def following(client: Client, after: int, **asked: Any) -> list[dict[str, Any]]:
    """Every entry, page by page."""
    entries: list[dict[str, Any]] = []
    found: dict[str, Any] = {"next": "", "resume": after}
    while found["next"] is not None:
        found = page(client, after=found["resume"], **asked)
        entries += found["results"]
    return entries


def test_a_redaction_is_told_to_whoever_was_told_of_the_version(
    elsewhere: Place, draft: Draft, people: SimpleNamespace, client: Client
) -> None:
    incident = publish_again(told(draft, people), people, place=elsewhere)
    start = head()
    done = take(incident, people)
    (first, second) = page(client, after=start)["results"]
    assert [first["seq"], second["seq"]] == done.entries
    assert (first["kind"], first["reason"], first["version"]) == ("redacted", WHY, 1)
    assert ["title"] in first["taken"]
    assert ["nonce"] not in first["taken"]
    laiza = Place.objects.get(slug="laiza")
    for place, within in ((laiza, False), (elsewhere, True)):
        results = page(client, after=start, place=place.uuid)["results"]
        assert [entry["within"] for entry in results] == [within, within]
    assert page(client, after=start, country="THA")["results"] == []


def test_a_version_that_came_after_a_redaction_does_not_alter_what_was_told(
    elsewhere: Place, draft: Draft, people: SimpleNamespace, client: Client
) -> None:
    incident = draft("published", title="Shelling of Zqtown")
    start = head()
    take(incident, people, text="Zqtown")
    asked = {"after": start, "as_of": head(), "place": elsewhere.uuid}
    before = client.get(PATH, asked).content
    assert page(client, **asked)["results"] == []
    publish_again(incident, people, title="Shelling of a town", place=elsewhere)
    assert client.get(PATH, asked).content == before
    told_here = page(client, after=start, place=Place.objects.get(slug="laiza").uuid)["results"]
    assert [entry["kind"] for entry in told_here] == ["redacted", "corrected"]


@pytest.mark.parametrize(
    "name",
    ["q", "bbox", "near", "dataset", "article_url", "changed_after", "ordering", "cursor"],
)
def test_what_cannot_be_followed_is_refused(three: None, client: Client, name: str) -> None:
    answer = client.get(PATH, {name: "1"})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == name


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"after": "-1"}, "after"),
        ({"after": "x"}, "after"),
        ({"limit": "1001"}, "limit"),
        ({"kind": "published"}, "kind"),
        ({"moved": "killed"}, "moved"),
        ({"code": "x"}, "code"),
        ({"country": "x"}, "country"),
        ({"format": "csv"}, "format"),
        ({"format": "ndjson", "limit": "5"}, "limit"),
    ],
)
def test_bad_values_are_named(
    three: None, client: Client, asked: dict[str, str], field: str
) -> None:
    answer = client.get(PATH, asked)
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == [field]


def test_lines_are_the_same_entries(
    history: SimpleNamespace, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("incidents.api.public.changes.LINES_AT_ONCE", 2)
    for asked in ({}, {"grading": "weak"}, {"kind": "corrected"}, {"country": "THA"}):
        wanted = page(client, after=2, limit=1000, **asked)
        answer = client.get(PATH, {**asked, "after": 2, "format": "ndjson"})
        assert lines_of(answer) == wanted["results"]
        assert answer["Harmtracker-Position"] == str(wanted["position"])
        assert answer["Content-Type"] == "application/x-ndjson"
    by_header = client.get(PATH, headers={"accept": "application/x-ndjson"})
    assert len(lines_of(by_header)) == head()


def test_nothing_changed_is_304(committed: None, draft: Draft, client: Client) -> None:
    for asked in ({}, {"format": "ndjson"}, {"country": "MMR"}):
        etag = client.get(PATH, asked)["ETag"]
        assert client.get(PATH, asked, headers={"if-none-match": etag}).status_code == 304
    draft("published")
    assert client.get(PATH, asked, headers={"if-none-match": etag}).status_code == 200


def test_as_of_a_position_the_answer_stays(
    history: SimpleNamespace, draft: Draft, client: Client
) -> None:
    at = head() - 2
    for asked in ({}, {"country": "MMR"}, {"format": "ndjson"}, {"limit": 2}):
        before = client.get(PATH, {**asked, "as_of": at})
        content = before.getvalue()
        draft("published")
        after = client.get(PATH, {**asked, "as_of": at})
        assert after.getvalue() == content
        assert after["ETag"] == before["ETag"]
    found = page(client, as_of=at, limit=1000)
    assert (found["position"], found["resume"], len(found["results"])) == (at, at, at)
    assert page(client, as_of=3, after=5)["results"] == []
    assert client.get(PATH, {"as_of": head() + 1}).status_code == 400


def test_what_is_stored_is_what_is_answered(three: None, client: Client) -> None:
    stored = PublishedChange.objects.order_by("seq").values_list("change", flat=True)
    body = client.get(PATH).content.decode()
    assert f'"results":[{",".join(stored)}]' in body


def test_a_record_that_came_back_after_a_retraction_is_corrected(
    committed: None, draft: Draft, people: SimpleNamespace, client: Client
) -> None:
    incident = retract(draft("published"), people)
    start = head()
    publish_again(incident, people, title="Shelling of a hamlet")
    (entry,) = page(client, after=start)["results"]
    assert (entry["kind"], entry["version"], entry["values"]) == ("corrected", 3, [])
    assert all(figure["from"] is None for figure in entry["figures"])
    (entry,) = page(client, after=start, grading="weak")["results"]
    assert entry["within"] is True


# --- After a redaction ---


@pytest.fixture
def cut(committed: None, draft: Draft, people: SimpleNamespace) -> Incident:
    """A record with a name in titles and notes, corrected, retracted, and then redacted."""
    incident = told(draft, people)
    incident = publish_again(incident, people, summary=f"{NAME}’s house was hit.")
    incident = retract(incident, people)
    take(incident, people)
    return incident


def test_no_earlier_entry_holds_what_was_taken_out(cut: Incident, client: Client) -> None:
    answers = [
        client.get(PATH, {"limit": 1000}).content,
        client.get(PATH, {"limit": 1000, "country": "MMR"}).content,
        b"".join(client.get(PATH, {"format": "ndjson"}).streaming_content),
        client.get(f"{PATH}atom/").content,
        *(
            client.get(f"/api/v1/incidents/{cut.code}/diff/?from={one}&to={other}").content
            for one in (1, 2, 3)
            for other in (1, 2, 3)
        ),
        *(row.encode() for row in PublishedChange.objects.values_list("change", flat=True)),
    ]
    for answer in answers:
        assert cut.code.encode() in answer or len(answers) > 10
        assert not tells(answer.decode(), "htwe")
    texts = page(client, code=cut.code, limit=1000)["results"]
    assert [entry["kind"] for entry in texts][:3] == ["created", "corrected", "retracted"]
    assert [entry["title"] for entry in texts[:3]] == [None, None, None]


def test_rebuilding_after_a_redaction_gives_the_same_entries(cut: Incident) -> None:
    rows = PublishedChange.objects.using("default").order_by("seq")
    before = list(rows.values_list())
    assert sum(row[-1] is not None for row in before) == 3
    call_command("rebuild_published", verbosity=0)
    assert list(rows.values_list()) == before


def test_a_name_that_was_cut_from_a_place_is_null_in_what_moved(
    committed: None, draft: Draft, people: SimpleNamespace, client: Client
) -> None:
    with acting(people.researcher):
        place = builders.place(name="Zqhamlet")
    incident = publish_again(draft("published"), people, place=place)
    again = page(client, code=incident.code, kind="corrected")["results"][0]
    (moved,) = [value for value in again["values"] if value["name"] == "place"]
    assert moved["to"]["name"] == "Zqhamlet"
    take(incident, people, text="Zqhamlet")
    again = page(client, code=incident.code, kind="corrected")["results"][0]
    (moved,) = [value for value in again["values"] if value["name"] == "place"]
    assert moved["to"] == {"id": str(place.uuid), "name": None, "pcode": None}
    assert b"zqhamlet" not in client.get(PATH, {"limit": 1000}).content.lower()
    assert json.dumps(again)


def test_a_note_with_the_text_goes(
    committed: None, draft: Draft, people: SimpleNamespace, client: Client
) -> None:
    incident = count_again(draft("published"), people, 3)
    take(incident, people, text="The number was wrong")
    (entry,) = page(client, code=incident.code, kind="corrected")["results"]
    assert entry["note"] is None
