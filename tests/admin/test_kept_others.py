"""Every other form with a text: a dead session and an old token keep it, and nothing is done."""

from __future__ import annotations

import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import get_resolver, reverse

from harmtracker.accounts import typed
from harmtracker.history.acting import acting
from harmtracker.history.models import HistoryEntry
from incidents import merging
from incidents.choices import State
from incidents.models import Claim, Incident
from sources.models import Article
from tests import builders
from tests.admin.test_deciding_others import batch  # noqa: F401  (a fixture)
from tests.admin.test_kept_login import (
    HERE,
    TEXT,
    as_browser,
    browser,
    die,
    field_in,
    form_of,
    log_in,
)
from tests.drafts import revisions

pytestmark = pytest.mark.django_db
Draft = Callable[..., Incident]


def at(name: str, *args: Any) -> str:
    return reverse(f"admin:{name}", args=args)


# Form -> who sends it, to where, with what; the field with the text is named by itself.
def restore(people: Any, draft: Draft) -> tuple[str, str, dict[str, Any], str]:
    incident = draft()
    with acting(people.researcher):
        Incident.objects.filter(pk=incident.pk).update(title="Second")
    entry = HistoryEntry.objects.filter(incident_id=incident.pk).latest("id")
    sent = {"revision": incident.revision.number, "back": ["title"]}
    return "researcher", at("incidents_incident_restore", incident.pk, entry.pk), sent, "reason"


def answer(people: Any, draft: Draft) -> tuple[str, str, dict[str, Any], str]:
    return "researcher", at("incidents_incident_answer", draft().pk, "x" * 64), {}, "reason"


def withdraw(people: Any, draft: Draft) -> tuple[str, str, dict[str, Any], str]:
    return "researcher", at("incidents_incident_withdraw", draft().pk, "x" * 64), {}, "reason"


def many(people: Any, draft: Draft) -> tuple[str, str, dict[str, Any], str]:
    incident = draft(State.SUBMITTED)
    seen = {f"seen-{incident.pk}": incident.revision.number}
    sent = {"step": "return", "sure": "yes", "ticked": incident.pk, **seen}
    return "verifier", at("incidents_incident_queue"), sent, "reason"


def enter(people: Any, draft: Draft) -> tuple[str, str, dict[str, Any], str]:
    draft()
    address = f"{at('incidents_incident_enter')}?article={Article.objects.latest('pk').pk}"
    return "researcher", address, {"place": "", "place_words": "Laiza"}, "incident_title"


def merge(people: Any, draft: Draft) -> tuple[str, str, dict[str, Any], str]:
    one, other = draft(), draft()
    seen = dict(zip(("revision", "other_revision"), revisions(one, other), strict=True))
    address = f"{at('incidents_incident_merge', one.pk)}?with={other.pk}&ends=this"
    return "researcher", address, seen, "reason"


def undo(people: Any, draft: Draft) -> tuple[str, str, dict[str, Any], str]:
    one, other = draft(), draft()
    row = merging.merge(one.pk, other.pk, people.researcher, "Twice", revisions(one, other))
    address = at("incidents_incident_undo_merge", other.pk, row.uuid)
    return "researcher", address, {"revision": revisions(other)[0]}, "reason"


def look(people: Any, draft: Draft) -> tuple[str, str, dict[str, Any], str]:
    return "verifier", at("incidents_incident_redact", draft(State.PUBLISHED).pk), {}, "text"


def take_out(people: Any, draft: Draft) -> tuple[str, str, dict[str, Any], str]:
    incident = draft(State.PUBLISHED)
    sent = {"text": "village", "everywhere": "", "expected": 1, "sure": "yes"}
    return "verifier", at("incidents_incident_redact", incident.pk), sent, "public_reason"


def reveal(people: Any, draft: Draft) -> tuple[str, str, dict[str, Any], str]:
    with acting(people.researcher):
        source = builders.confidential_source()
    return "verifier", at("sources_confidentialsource_reveal", source.pk), {}, "reason"


def step(people: Any, draft: Draft) -> tuple[str, str, dict[str, Any], str]:
    incident = draft(State.SUBMITTED)
    sent = {
        "revision": incident.revision.number,
        "remarks-TOTAL_FORMS": 1,
        "remarks-INITIAL_FORMS": 0,
        "remarks-0-field": "title",
        "reason": "Mend it",
    }
    return "verifier", at("incidents_incident_step", incident.pk, "return"), sent, "remarks-0-text"


def decide(people: Any, draft: Draft) -> tuple[str, str, dict[str, Any], str]:
    raise NotImplementedError


FORMS = [restore, answer, withdraw, many, enter, merge, undo, look, take_out, reveal, step, decide]


@pytest.mark.parametrize("is_alive", [False, True], ids=["dead", "old token"])
@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)
def test_it_is_kept(
    form: Any,
    is_alive: bool,
    people: SimpleNamespace,
    draft: Draft,
    request: pytest.FixtureRequest,
) -> None:
    if form is decide:
        row = request.getfixturevalue("batch")
        who, field, sent = "verifier", "reason", {"seen": "x"}
        address = at("incidents_importbatch_decide", row.pk, "return")
    else:
        who, address, sent, field = form(people, draft)
    person = getattr(people, who)
    client = browser(person)
    client.get("/admin/")
    data = {
        **{
            name: value if isinstance(value, list) else [str(value)] for name, value in sent.items()
        },
        field: [TEXT],
        "csrfmiddlewaretoken": [client.cookies[settings.CSRF_COOKIE_NAME].value],
        typed.BY: [typed.mark(person)],
    }
    before = HistoryEntry.objects.count()
    if is_alive:
        client.cookies[settings.CSRF_COOKIE_NAME] = "a" * 32
        page = client.post(address, data, **HERE)
    else:
        die(client)
        page = client.post(address, data, **HERE)
        assert "မုန့်လိုင်ခက်" not in page.content.decode()
        assert page.status_code == 403
        page = log_in(client, page, person)
    assert "no-store" in page["Cache-Control"]
    assert TEXT.split()[2] in page.content.decode()
    shown = as_browser(client, address, form_of(page, "typed_form"))
    assert "<script>alert" not in shown.content.decode()
    assert field_in(shown, field).replace("\r\n", "\n") == TEXT.replace("\r\n", "\n")
    assert HistoryEntry.objects.count() == before


def test_a_form_that_is_shown_once_more_removes_nothing(
    people: SimpleNamespace, draft: Draft
) -> None:
    """Django's page for removing goes by the data that it is sent, and not by the method."""
    with acting(people.researcher):
        claim = builders.claim(draft())
    client = browser(people.researcher)
    page = client.get(at("incidents_claim_delete", claim.pk), follow=True)
    address = page.redirect_chain[-1][0]
    data = {
        "post": ["yes"],
        "remark": [TEXT],
        "csrfmiddlewaretoken": [client.cookies[settings.CSRF_COOKIE_NAME].value],
        typed.BY: [typed.mark(people.researcher)],
    }
    die(client)
    page = log_in(client, client.post(address, data, **HERE), people.researcher)
    as_browser(client, address, form_of(page, "typed_form"))
    assert Claim.objects.filter(pk=claim.pk).exists()


def test_a_refused_answer_is_sent_again_from_where_it_stands(
    people: SimpleNamespace, draft: Draft, signed_in: Callable[[str], Client]
) -> None:
    _, address, _, _ = answer(people, draft)
    page = signed_in("researcher").post(address, {"reason": TEXT})
    assert page.status_code in (400, 409)
    sent = form_of(page, "answer_form")["reason"]
    assert sent[0].replace("\r\n", "\n") == TEXT.replace("\r\n", "\n")


def test_each_address_of_a_record_is_looked_at_here() -> None:
    """A new page of a record is either in a table of what is kept, or takes no text."""
    names = {
        name.removeprefix("incidents_incident_")
        for name in get_resolver("harmtracker.urls").namespace_dict["admin"][1].reverse_dict
        if isinstance(name, str) and re.match(r"incidents_incident_(?!\w+_)", name)
    }
    no_text = {"record", "differences", "timeline", "take", "release", "resolve", "overview"}
    no_text |= {"hints", "changelist", "history", "delete"}
    here = {"restore", "answer", "withdraw", "queue", "enter", "merge", "redact"}
    elsewhere = {"add", "change", "step", "comment"}
    assert names - no_text == here | elsewhere
