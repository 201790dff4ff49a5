"""Taking a text out, merging, and deciding on an import, through their pages."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from harmtracker.accounts import sessions
from harmtracker.history.acting import acting
from incidents import services, workflow
from incidents.admin import importing
from incidents.choices import BatchState, State
from incidents.importers import reviewing
from incidents.importers.ucdp_import import import_file
from incidents.models import (
    Claim,
    ImportBatch,
    Incident,
    Merge,
    PublishedVersion,
    RedactedText,
    WarningAnswer,
)
from tests.clients import code_of
from tests.importers.files import one_sided, row, write

pytestmark = pytest.mark.django_db(databases=["default", "published"])

SignedIn = Callable[[str], Client]
Draft = Callable[..., Incident]
SECRET = "Ma SENTINEL Aye"


def url(name: str, *args: Any) -> str:
    return reverse(f"admin:incidents_{name}", args=args)


def sent(form: Any, **more: Any) -> dict[str, Any]:
    return {**{f.name: f.value() for f in form if f.value() is not None}, **more}


@pytest.fixture
def named(draft: Draft) -> Incident:
    return draft(State.PUBLISHED, title="Shelling", summary=f"Among the dead is {SECRET}.")


class TestTakingOut:
    def look(self, client: Client, incident: Incident, text: str = SECRET, **more: str) -> Any:
        return client.post(url("incident_redact", incident.pk), {"text": text, **more})

    def test_looked_at_first_and_then_taken_out(self, named: Incident, signed_in: SignedIn) -> None:
        client = signed_in("verifier")
        # Case and accents do not matter.
        page = self.look(client, named, "ma sentinel AYÉ")
        (value,) = page.context["values"]
        assert value.value.path == "summary"
        assert SECRET in value.words
        assert not RedactedText.objects.exists()
        after = page.context["leaving"]
        assert SECRET not in after.text
        assert after.read["summary"] == "(taken out)"
        assert f"Among the dead is {SECRET}." in page.content.decode()
        done = client.post(
            url("incident_redact", named.pk),
            sent(page.context["form"], sure="yes", public_reason="At the family's wish."),
        )
        assert done.status_code == 302
        assert SECRET not in done["Location"]
        assert all("sentinel" not in str(m).lower() for m in get_messages(done.wsgi_request))
        document = PublishedVersion.objects.using("default").get(code=named.code).document
        assert SECRET not in document

    def test_refused_in_plain_words_and_what_was_typed_stays(
        self, named: Incident, signed_in: SignedIn
    ) -> None:
        client = signed_in("verifier")
        page = self.look(client, named)
        repeated = client.post(
            url("incident_redact", named.pk),
            sent(page.context["form"], sure="yes", public_reason=f"It names {SECRET}"),
        )
        assert "cannot hold what is taken out" in repeated.content.decode()
        assert f"It names {SECRET}" in repeated.content.decode()
        short = self.look(client, named, "x")
        assert "two characters or more" in short.content.decode()
        none = self.look(client, named, "nowhere at all")
        assert "Nothing that was published" in none.content.decode()
        assert not RedactedText.objects.exists()

    def test_a_number_that_moved_is_shown_again(self, named: Incident, signed_in: SignedIn) -> None:
        client = signed_in("verifier")
        page = self.look(client, named)
        again = client.post(
            url("incident_redact", named.pk),
            sent(page.context["form"], sure="yes", public_reason="KEPT-REASON", expected="7"),
        )
        assert again.status_code == 409
        assert "look again" in again.content.decode()
        assert "KEPT-REASON" in again.content.decode()
        assert str(again.context["form"]["expected"].value()) == "1"

    def test_other_records_that_hold_it_are_told(
        self, named: Incident, draft: Draft, signed_in: SignedIn
    ) -> None:
        other = draft(State.PUBLISHED, title=f"Burial of {SECRET}")
        client = signed_in("verifier")
        page = self.look(client, named)
        assert dict(page.context["elsewhere"])[other.code] >= 1
        every = self.look(client, named, everywhere="on")
        assert len(every.context["values"]) > 1
        assert every.context["form"]["everywhere"].value() == "on"

    def test_a_code_is_asked_for(
        self,
        named: Incident,
        people: SimpleNamespace,
        signed_in: SignedIn,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(sessions, "FRESH_AGE", 0)
        client = signed_in("verifier")
        page = self.look(client, named)
        typed = sent(page.context["form"], sure="yes", public_reason="KEPT-REASON", code="")
        again = client.post(url("incident_redact", named.pk), typed)
        assert again.status_code == 200
        assert "KEPT-REASON" in again.content.decode()
        assert not RedactedText.objects.exists()
        typed["code"] = code_of(people.verifier)
        assert client.post(url("incident_redact", named.pk), typed).status_code == 302

    @pytest.mark.parametrize(
        ("name", "status"), [("researcher", 403), ("other_researcher", 403), ("administrator", 404)]
    )
    def test_who_may_not(
        self, name: str, status: int, named: Incident, signed_in: SignedIn
    ) -> None:
        client = signed_in(name)
        assert client.get(url("incident_redact", named.pk)).status_code == status
        assert self.look(client, named).status_code == status


class TestMerging:
    def test_found_seen_merged_and_undone(
        self, draft: Draft, people: SimpleNamespace, signed_in: SignedIn
    ) -> None:
        stays, ends = draft(title="Shelling of Laiza"), draft(title="Laiza shelled")
        client = signed_in("researcher")
        page = client.get(url("incident_merge", stays.pk), {"q": "LAIZÁ shelled"})
        assert [found.pk for found in page.context["found"]] == [ends.pk]
        page = client.get(url("incident_merge", stays.pk), {"with": ends.pk})
        assert (page.context["source"], page.context["target"]) == (ends, stays)
        # Seen through the very act, which was taken back.
        assert len(page.context["leaving"].content["claims"]) == 2
        assert not Merge.objects.exists()
        assert Claim.objects.filter(incident=ends).count() == 1
        address = url("incident_merge", stays.pk) + f"?with={ends.pk}&ends=other"
        done = client.post(address, sent(page.context["form"], reason="One event"))
        assert done.status_code == 302
        merge = Merge.objects.get()
        assert (merge.source, merge.target) == (ends, stays)
        page = client.get(url("incident_merge", ends.pk))
        undo = url("incident_undo_merge", stays.pk, merge.uuid)
        assert undo in page.content.decode()
        form = client.get(undo).context["form"]
        assert client.post(undo, sent(form, reason="Two events")).status_code == 302
        merge.refresh_from_db()
        assert merge.undone_at is not None

    def test_a_published_duplicate_says_whose_code_leads_on(
        self, draft: Draft, signed_in: SignedIn
    ) -> None:
        stays, ends = draft(), draft(State.PUBLISHED)
        client = signed_in("researcher")
        page = client.get(url("incident_merge", ends.pk), {"with": stays.pk})
        assert page.context["source"] == ends
        assert f"Until then {ends.code} stays served" in page.content.decode()
        ends.refresh_from_db()
        assert ends.state == State.PUBLISHED

    def test_what_is_no_draft_takes_nothing_in(self, draft: Draft, signed_in: SignedIn) -> None:
        one, other = draft(State.PUBLISHED), draft(State.SUBMITTED)
        page = signed_in("researcher").get(url("incident_merge", one.pk), {"with": other.pk})
        assert "only a draft takes parts in" in page.context["why_not"]
        assert b'id="merge_form"' not in page.content

    def test_an_edit_meanwhile_is_shown_and_the_reason_stays(
        self, draft: Draft, people: SimpleNamespace, signed_in: SignedIn
    ) -> None:
        stays, ends = draft(), draft()
        client = signed_in("researcher")
        address = url("incident_merge", stays.pk) + f"?with={ends.pk}&ends=other"
        page = client.get(address)
        with acting(people.researcher, "A better title"):
            Incident.objects.filter(pk=ends.pk).update(title="Another title")
        again = client.post(address, sent(page.context["form"], reason="KEPT-REASON"))
        assert again.status_code == 409
        assert "KEPT-REASON" in again.content.decode()
        assert [change.why for change in again.context["moved"]] == ["A better title"]
        assert client.post(address, sent(again.context["form"])).status_code == 302

    def test_a_hidden_record_is_neither_found_nor_merged(
        self, draft: Draft, people: SimpleNamespace, signed_in: SignedIn
    ) -> None:
        hidden = draft(title="SENTINEL-TITLE")
        with acting(people.other_researcher):
            own = services.create_incident(author=people.other_researcher, title="Mine")
        client = signed_in("other_researcher")
        page = client.get(url("incident_merge", own.pk), {"q": "SENTINEL"})
        assert page.context["found"] == []
        for named in (hidden.pk, 10**15, "x"):
            answer = client.get(url("incident_merge", own.pk), {"with": named})
            assert answer.status_code == 404
        assert client.get(url("incident_merge", hidden.pk)).status_code == 404
        assert signed_in("verifier").get(url("incident_merge", own.pk)).status_code == 403


@pytest.fixture
def batch(tmp_path: Path, people: SimpleNamespace) -> ImportBatch:
    rows = [row(id="1"), one_sided(id="2", low="9"), row(id="3", best="x"), row(id="4", adm_1="Q")]
    report = import_file(write(tmp_path, *rows), people.researcher)
    assert report.batch is not None
    return report.batch


class TestImports:
    def test_sums_refusals_and_a_sample_that_comes_again(
        self, batch: ImportBatch, signed_in: SignedIn
    ) -> None:
        client = signed_in("verifier")
        assert str(batch) in client.get(url("importbatch_changelist")).content.decode()
        page = client.get(url("importbatch_change", batch.pk), {"seed": 7, "size": 2})
        whole = {pair["name"]: pair for pair in page.context["whole"]["pairs"]}
        # The refused row is in the file alone.
        assert (whole["events"]["file"], whole["events"]["records"]) == (4, 3)
        assert whole["best"]["records"] == 15
        assert whole["events"]["differs"]
        assert [one.external_id for one in page.context["refused"]] == ["3"]
        body = page.content.decode()
        assert "seed=7" in body
        drawn = [one["row"].line for one in page.context["sample"]]
        assert len(drawn) == 2
        again = client.get(url("importbatch_change", batch.pk), {"seed": 7, "size": 2})
        assert [one["row"].line for one in again.context["sample"]] == drawn
        for bad in ({"seed": "x"}, {"size": "51"}):
            assert client.get(url("importbatch_change", batch.pk), bad).status_code == 400

    def test_decided_by_slices_and_told_row_by_row(
        self,
        batch: ImportBatch,
        people: SimpleNamespace,
        signed_in: SignedIn,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        for step, (states, of, _most) in list(importing.TAKES.items()):
            monkeypatch.setitem(importing.TAKES, step, (states, of, 2))
        client = signed_in("verifier")
        address = url("importbatch_decide", batch.pk, "verify")
        page = client.get(address)
        first = client.post(address, sent(page.context["form"]))
        assert first.status_code == 200
        assert reviewing.states(batch) == {"verified": 2, "submitted": 1}
        assert (first.context["done"], first.context["total"]) == (2, 3)
        assert b"data-goes-on" in first.content
        # Left, and gone on with later.
        page = client.get(address)
        assert client.post(address, sent(page.context["form"])).status_code == 302
        batch.refresh_from_db()
        assert (batch.state, batch.verified_by) == (BatchState.VERIFIED, people.verifier)
        address = url("importbatch_decide", batch.pk, "publish")
        page = client.get(address)
        going = client.post(address, sent(page.context["form"]))
        assert client.post(address, sent(going.context["form"])).status_code == 302
        batch.refresh_from_db()
        assert (batch.state, batch.published_by) == (BatchState.PUBLISHED, people.verifier)
        rows = client.get(url("importbatch_rows", batch.pk)).content.decode()
        assert len(re.findall("MMR-2021-[0-9]{4}", rows)) == 3
        refused = client.get(url("importbatch_rows", batch.pk), {"outcome": "refused"})
        assert len(refused.context["rows"]) == 1

    def test_an_edit_between_two_slices_stops_it(
        self,
        batch: ImportBatch,
        people: SimpleNamespace,
        signed_in: SignedIn,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setitem(
            importing.TAKES, "verify", ((BatchState.SUBMITTED,), (State.SUBMITTED,), 2)
        )
        client = signed_in("verifier")
        address = url("importbatch_decide", batch.pk, "verify")
        going = client.post(address, sent(client.get(address).context["form"]))
        last = reviewing.records(batch).get(state=State.SUBMITTED)
        with acting(people.researcher, "Edited"):
            Incident.objects.filter(pk=last.pk).update(title="Another")
        stopped = client.post(address, sent(going.context["form"]))
        assert stopped.status_code == 409
        assert "Look again" in stopped.content.decode()
        assert b"data-goes-on" not in stopped.content
        assert reviewing.states(batch) == {"verified": 2, "submitted": 1}

    def test_returned_with_a_reason(self, batch: ImportBatch, signed_in: SignedIn) -> None:
        client = signed_in("verifier")
        address = url("importbatch_decide", batch.pk, "return")
        form = client.get(address).context["form"]
        assert client.post(address, sent(form, reason=" ")).context["form"].errors["reason"]
        assert client.post(address, sent(form, reason="The wrong file")).status_code == 302
        batch.refresh_from_db()
        assert (batch.state, batch.reason) == (BatchState.RETURNED, "The wrong file")
        assert reviewing.states(batch) == {"draft": 3}

    def test_the_reason_why_warnings_may_stand_goes_on_with_each_slice(
        self,
        tmp_path: Path,
        people: SimpleNamespace,
        signed_in: SignedIn,
        filled: Any,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setitem(
            importing.TAKES, "verify", ((BatchState.SUBMITTED,), (State.SUBMITTED,), 2)
        )
        # More civilians than persons.
        rows = [row(id=str(number), deaths_civilians="20") for number in (1, 2, 3)]
        batch = import_file(write(tmp_path, *rows, row(id="4")), people.researcher).batch
        assert batch is not None
        client = signed_in("verifier")
        address = url("importbatch_decide", batch.pk, "verify")
        page = client.get(address)
        assert page.context["warned"]["records"] == 3
        assert "Part above its whole: on 3 records" in page.content.decode()
        rows_of = client.get(url("importbatch_rows", batch.pk), {"warned": "yes"})
        assert [one.external_id for one, _seen in rows_of.context["rows"]] == ["1", "2", "3"]
        refused = client.post(address, filled(page, "decision_form"))
        assert refused.context["form"].errors["reason"]
        assert reviewing.states(batch) == {"submitted": 4}
        said = {**filled(refused, "decision_form"), "reason": "UCDP\nsays so."}
        going = client.post(address, said)
        assert reviewing.states(batch) == {"verified": 2, "submitted": 2}
        assert b"data-goes-on" in going.content
        assert client.post(address, filled(going, "decision_form")).status_code == 302
        answers = WarningAnswer.objects.filter(incident__in=reviewing.records(batch))
        told = {(a.incident_id, a.actor_id, a.reason.replace("\r\n", "\n")) for a in answers}
        warned = reviewing.records(batch).exclude(external_ids__value="4")
        assert told == {(i.pk, people.verifier.pk, "UCDP\nsays so.") for i in warned}

    def test_ones_own_import_says_why(
        self, batch: ImportBatch, people: SimpleNamespace, signed_in: SignedIn
    ) -> None:
        people.researcher.groups.add(*people.verifier.groups.all())
        client = signed_in("researcher")
        page = client.get(url("importbatch_change", batch.pk))
        assert "You imported it." in page.content.decode()
        address = url("importbatch_decide", batch.pk, "verify")
        page = client.get(address)
        assert "You imported it." in page.context["why_not"]
        answer = client.post(address, {"seen": reviewing.fingerprint(batch)})
        assert "another person" in answer.content.decode()
        assert reviewing.states(batch) == {"submitted": 3}

    def test_a_code_before_anything_is_published(
        self,
        batch: ImportBatch,
        people: SimpleNamespace,
        signed_in: SignedIn,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        reviewing.verify(batch.uuid, people.other_verifier)
        monkeypatch.setattr(sessions, "FRESH_AGE", 0)
        client = signed_in("verifier")
        address = url("importbatch_decide", batch.pk, "publish")
        form = client.get(address).context["form"]
        assert client.post(address, sent(form, code="1")).status_code == 200
        assert reviewing.states(batch) == {"verified": 3}
        done = client.post(address, sent(form, code=code_of(people.verifier)))
        assert done.status_code == 302

    @pytest.mark.parametrize(
        ("name", "status"), [("researcher", 200), ("other_researcher", 404), ("administrator", 403)]
    )
    def test_who_sees_it(
        self, name: str, status: int, batch: ImportBatch, signed_in: SignedIn
    ) -> None:
        client = signed_in(name)
        for address in (
            url("importbatch_change", batch.pk),
            url("importbatch_rows", batch.pk),
            url("importbatch_decide", batch.pk, "verify"),
        ):
            assert client.get(address).status_code == status
            assert client.post(address, {"seen": "x"}).status_code in (status, 409)
        assert reviewing.states(batch) == {"submitted": 3}

    def test_an_unknown_step(self, batch: ImportBatch, signed_in: SignedIn) -> None:
        client = signed_in("verifier")
        assert client.get(url("importbatch_decide", batch.pk, "merge")).status_code == 404


def test_what_was_returned_one_by_one_stops_the_whole(
    batch: ImportBatch, people: SimpleNamespace, signed_in: SignedIn
) -> None:
    one = reviewing.records(batch).order_by("pk").first()
    assert one is not None
    workflow.take_step("return", incident_id=one.pk, actor=people.verifier, reason="Look")
    client = signed_in("other_verifier")
    address = url("importbatch_decide", batch.pk, "verify")
    answer = client.post(address, sent(client.get(address).context["form"]))
    assert answer.status_code == 409
    assert "1 of the 3 records are not" in answer.content.decode()
