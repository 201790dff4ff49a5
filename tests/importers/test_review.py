"""A batch reviewed as one, by the API and by command."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from harmtracker.errors import Conflict, NotAllowed
from harmtracker.history.acting import acting
from incidents import services
from incidents.api.casework import imports
from incidents.importers import reviewing
from incidents.importers.ucdp_import import import_file
from incidents.models import (
    ExternalId,
    ImportBatch,
    Incident,
    LedgerHead,
    Place,
    PublishedVersion,
    Review,
)
from incidents.workflow import take_step
from tests.clients import Api
from tests.importers.files import one_sided, row, write

Program = Callable[..., Api]
pytestmark = pytest.mark.django_db


@pytest.fixture
def batch(tmp_path: Path, people: SimpleNamespace) -> ImportBatch:
    rows = [row(id="1"), one_sided(id="2", low="9"), row(id="3", best="x"), row(id="4", adm_1="Q")]
    report = import_file(write(tmp_path, *rows), people.researcher)
    assert report.batch is not None
    return report.batch


def step(client: Api, batch: ImportBatch, name: str, body: Any = None, **headers: str) -> Any:
    path = f"/api/v1/casework/imports/{batch.uuid}/"
    seen = client.get(path).headers.get("ETag", '"none"')
    return client.post(f"{path}{name}/", body or {}, headers={"If-Match": seen, **headers})


def states(batch: ImportBatch) -> dict[str, int]:
    return reviewing.states(batch)


class TestReading:
    def test_what_a_verifier_sees(self, api: Program, batch: ImportBatch) -> None:
        client = api("verifier")
        (listed,) = client.get("/api/v1/casework/imports/").json()["results"]
        assert listed["id"] == str(batch.uuid)
        seen = client.get(f"/api/v1/casework/imports/{batch.uuid}/").json()
        assert {key: seen[key] for key in listed} == listed
        assert (seen["state"], seen["importer"], seen["layout"]) == (
            "submitted",
            "researcher",
            "ged-49",
        )
        assert seen["rows"] == {"created": 3, "refused": 1}
        assert seen["records"] == {"submitted": 3}
        assert seen["sums"] == {
            "events": 3,
            "low": 8,
            "best": 15,
            "high": 18,
            "unbounded": 1,
            "civilians": 9,
        }
        assert seen["years"] == [{"year": 2021, **seen["sums"]}]
        assert {(r["kind"], r["column"]): r["rows"] for r in seen["remarks"]} == {
            ("refused", "best"): 1,
            ("noted", "best"): 1,
            ("unplaced", "adm_1"): 1,
            ("unplaced", "adm_2"): 1,
        }
        assert [refused["external_id"] for refused in seen["refused"]] == ["3"]

    def test_the_sample_is_drawn_by_the_seed_that_it_states(
        self, api: Program, batch: ImportBatch
    ) -> None:
        client = api("verifier")
        path = f"/api/v1/casework/imports/{batch.uuid}/sample/"
        drawn = client.get(path, query={"size": 2}).json()
        assert len(drawn["results"]) == 2
        again = client.get(path, query={"size": 2, "seed": drawn["seed"]}).json()
        assert again == drawn
        one = drawn["results"][0]
        assert one["original"].startswith(one["external_id"] + ",")
        assert one["content"]["external_ids"][0]["value"] == one["external_id"]
        assert client.get(path, query={"size": 51}).status_code == 400
        assert client.get(path, query={"sise": 2}).status_code == 400

    def test_rows_by_outcome(self, api: Program, batch: ImportBatch) -> None:
        client = api("verifier")
        path = f"/api/v1/casework/imports/{batch.uuid}/rows/"
        page = client.get(path, query={"limit": 3}).json()
        assert [kept["external_id"] for kept in page["results"]] == ["1", "2", "3"]
        last = client.get(page["next"].split("testserver")[1]).json()
        assert [kept["external_id"] for kept in last["results"]] == ["4"]
        refused = client.get(path, query={"outcome": "refused"}).json()["results"]
        assert [kept["incident"] for kept in refused] == [None]
        assert client.get(path, query={"outcome": "lost"}).status_code == 400

    def test_another_researcher_does_not_know_of_it(self, api: Program, batch: ImportBatch) -> None:
        client = api("other_researcher")
        assert client.get("/api/v1/casework/imports/").json()["results"] == []
        for path in ("", "rows/", "sample/"):
            hidden = client.get(f"/api/v1/casework/imports/{batch.uuid}/{path}")
            unknown = client.get(
                f"/api/v1/casework/imports/00000000-0000-4000-8000-000000000000/{path}"
            )
            assert hidden.status_code == unknown.status_code == 404
            assert hidden.content == unknown.content


class TestSteps:
    def test_verified_and_published_whole(
        self, api: Program, batch: ImportBatch, people: SimpleNamespace
    ) -> None:
        before = LedgerHead.objects.using("default").get().size
        verified = step(api("verifier"), batch, "verify")
        assert (verified.status_code, verified.json()["records"]) == (200, {"verified": 3})
        assert verified.json()["verified_by"] == "verifier"
        published = step(api("other_verifier"), batch, "publish")
        assert (published.status_code, published.json()["state"]) == (200, "published")
        assert published.json()["published_by"] == "other_verifier"
        assert LedgerHead.objects.using("default").get().size == before + 3
        for incident in reviewing.records(batch):
            steps = Review.objects.filter(incident=incident).order_by("pk")
            assert [(one.verb, one.actor) for one in steps] == [
                ("submit", people.researcher),
                ("verify", people.verifier),
                ("publish", people.other_verifier),
            ]
            version = PublishedVersion.objects.using("default").get(code=incident.code)
            document = json.loads(version.document)
            assert document["licence"]["name"] == "CC BY 4.0"
            assert "Sundberg" in document["licence"]["attribution"]

    @pytest.mark.parametrize(
        ("name", "person", "status"),
        [
            ("verify", "researcher", 403),
            ("verify", "other_researcher", 403),
            ("verify", "administrator", 403),
            ("publish", "researcher", 403),
            ("return", "researcher", 403),
            ("submit", "verifier", 403),
            ("publish", "verifier", 409),
            ("submit", "researcher", 409),
        ],
    )
    def test_a_step_by_somebody_else_or_at_another_time(
        self, api: Program, batch: ImportBatch, name: str, person: str, status: int
    ) -> None:
        answer = step(api(person), batch, name, {"reason": "x"} if name == "return" else {})
        assert answer.status_code == status
        assert answer["Content-Type"] == "application/problem+json"
        assert states(batch) == {"submitted": 3}

    def test_the_importer_does_not_verify_even_as_a_verifier_too(
        self, api: Program, batch: ImportBatch, people: SimpleNamespace
    ) -> None:
        people.researcher.groups.add(people.verifier.groups.get())
        person = type(people.researcher).objects.get(pk=people.researcher.pk)
        with pytest.raises(NotAllowed, match="another person"):
            reviewing.verify(batch.uuid, person)
        answer = step(api("researcher"), batch, "verify")
        assert answer.status_code == 403
        assert states(batch) == {"submitted": 3}

    def test_who_edited_a_record_of_it_does_not_verify_it(
        self, batch: ImportBatch, people: SimpleNamespace
    ) -> None:
        with acting(people.verifier, "Mended"):
            services.change(Place.objects.get(slug="mmr001d002"), other_names=["Mohnyin District"])
        with pytest.raises(NotAllowed, match="second person"):
            reviewing.verify(batch.uuid, people.verifier)
        assert states(batch) == {"submitted": 3}
        reviewing.verify(batch.uuid, people.other_verifier)

    def test_what_was_seen_is_what_the_step_is_taken_with(
        self, api: Program, batch: ImportBatch, people: SimpleNamespace
    ) -> None:
        client = api("verifier")
        path = f"/api/v1/casework/imports/{batch.uuid}/"
        seen = client.get(path)["ETag"]
        assert client.post(f"{path}verify/", {}).status_code == 428
        incident = ExternalId.objects.get(value="1").incident
        take_step("verify", incident_id=incident.pk, actor=people.verifier)
        stale = client.post(f"{path}verify/", {}, headers={"If-Match": seen})
        assert stale.status_code == 412
        # One that was verified by itself is left as it is.
        assert step(client, batch, "verify").json()["records"] == {"verified": 3}
        assert Review.objects.filter(incident=incident, verb="verify").count() == 1

    def test_one_that_changed_keeps_all_of_them_back(
        self, batch: ImportBatch, people: SimpleNamespace
    ) -> None:
        reviewing.verify(batch.uuid, people.verifier)
        before = LedgerHead.objects.using("default").get().size
        with acting(people.researcher, "Renamed"):
            services.change(Place.objects.get(slug="mmr"), name="Burma")
        with pytest.raises(Conflict, match="not what was verified"):
            reviewing.publish(batch.uuid, people.verifier)
        assert LedgerHead.objects.using("default").get().size == before
        assert states(batch) == {"verified": 3}

    def test_a_record_that_was_returned_alone_is_named(
        self, batch: ImportBatch, people: SimpleNamespace
    ) -> None:
        incident = ExternalId.objects.get(value="1").incident
        take_step("return", incident_id=incident.pk, actor=people.verifier, reason="Look")
        with pytest.raises(Conflict, match="1 of the 3 records") as refused:
            reviewing.verify(batch.uuid, people.verifier)
        assert refused.value.differences == [f"{incident.uuid}: draft"]

    def test_returned_and_submitted_again(
        self, api: Program, batch: ImportBatch, people: SimpleNamespace
    ) -> None:
        assert step(api("verifier"), batch, "return").status_code == 400
        answer = step(api("verifier"), batch, "return", {"reason": "The wrong file"})
        assert (answer.json()["state"], answer.json()["reason"]) == ("returned", "The wrong file")
        assert states(batch) == {"draft": 3}
        again = step(api("researcher"), batch, "submit")
        assert again.json()["state"] == "submitted"
        assert states(batch) == {"submitted": 3}
        reviewing.verify(batch.uuid, people.verifier)
        returned = step(api("verifier"), batch, "return", {"reason": "After all"})
        assert returned.json()["verified_by"] is None

    def test_a_step_is_taken_once_for_a_key(self, api: Program, batch: ImportBatch) -> None:
        client = api("verifier")
        path = f"/api/v1/casework/imports/{batch.uuid}/"
        headers = {"If-Match": client.get(path)["ETag"], "Idempotency-Key": "once"}
        first = client.post(f"{path}verify/", {}, headers=headers)
        second = client.post(f"{path}verify/", {}, headers=headers)
        assert first.content == second.content
        assert second["Idempotency-Replayed"] == "true"


class TestCommand:
    def test_the_same_by_command(self, batch: ImportBatch) -> None:
        def said(*arguments: str) -> str:
            out = StringIO()
            call_command("import_batch", *arguments, stdout=out, stderr=StringIO())
            return out.getvalue()

        key = str(batch.uuid)
        assert key in said("list")
        shown = said("show", key, "--seed", "7", "--sample", "1")
        assert "line 5, id 3: best" in shown or "id 3: best" in shown
        assert "--seed 7" in shown
        with pytest.raises(CommandError, match="You may not verify"):
            said("verify", key, "--as", "researcher")
        assert "verified" in said("verify", key, "--as", "verifier")
        assert "returned" in said("return", key, "--as", "verifier", "--reason", "Again")
        assert "submitted" in said("submit", key, "--as", "researcher")
        said("verify", key, "--as", "verifier")
        assert "published" in said("publish", key, "--as", "verifier")
        with pytest.raises(CommandError, match="no such import"):
            said("show", "00000000-0000-4000-8000-000000000000")


def test_every_record_is_an_incident_of_the_dataset(batch: ImportBatch) -> None:
    assert {incident.dataset.slug for incident in Incident.objects.filter(
        pk__in=reviewing.records(batch)
    )} == {"ucdp-ged"}  # fmt: skip


def test_a_row_of_somebody_elses_draft_does_not_name_it(
    api: Program, batch: ImportBatch, people: SimpleNamespace, tmp_path: Path
) -> None:
    other = import_file(
        write(tmp_path, row(id="1", source_headline="Another")), people.other_researcher
    ).batch
    assert other is not None
    path = f"/api/v1/casework/imports/{other.uuid}/rows/"
    (kept,) = api("other_researcher").get(path).json()["results"]
    assert (kept["outcome"], kept["incident"]) == ("unchanged", None)
    (kept,) = api("verifier").get(path).json()["results"]
    assert kept["incident"] is not None


@pytest.mark.parametrize("name", ["verify", "publish"])
def test_many_records_are_taken_a_step_by_command(
    api: Program,
    batch: ImportBatch,
    people: SimpleNamespace,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    if name == "publish":
        reviewing.verify(batch.uuid, people.verifier)
    before = states(batch)
    monkeypatch.setattr(imports.STEP_VIEWS[name], "most", 2)
    answer = step(api("verifier"), batch, name)
    assert answer.status_code == 409
    assert "manage.py import_batch" in answer.json()["detail"]
    assert states(batch) == before
