"""What was typed survives a dead session and an old token, and nobody else sees it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from html import escape
from types import SimpleNamespace
from typing import Any, ClassVar
from urllib.parse import urlencode

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone

from harmtracker.accounts import second_factor, typed
from harmtracker.accounts.models import User
from harmtracker.history.models import HistoryEntry
from incidents.models import Incident, Place, ReviewComment
from sources.models import Article
from tests.admin.conftest import _Form
from tests.clients import code_of, logged_in
from tests.database import PASSWORD

pytestmark = pytest.mark.django_db

HERE = {"HTTP_ORIGIN": "http://testserver"}
TEXT = 'Shelled — မုန့်လိုင်ခက် <script>alert(1)</script>\r\n\r\n  three "lines" & spaces '


def form_of(response: HttpResponse, form_id: str) -> dict[str, list[str]]:
    parser = _Form(form_id)
    parser.feed(response.content.decode())
    return {name: values for name, values in parser.data.items() if "__prefix__" not in name}


def browser(person: User) -> Client:
    return logged_in(person, Client(enforce_csrf_checks=True))


def die(client: Client) -> None:
    del client.cookies[settings.SESSION_COOKIE_NAME]


def as_browser(client: Client, address: str, data: dict[str, Any]) -> HttpResponse:
    """A form without files, as a browser sends it."""
    body = urlencode(data, doseq=True)
    return client.post(address, body, content_type="application/x-www-form-urlencoded")


def log_in(client: Client, page: HttpResponse, person: User, step: int = 0) -> HttpResponse:
    """Fill in the page for logging in that a client got."""
    data = form_of(page, "login-form")
    data |= {
        "username": [person.username],
        "password": [PASSWORD],
        "code": [code_of(person, step)],
    }
    return client.post("/admin/login/", data)


# Each form on which somebody writes: its page, the id of its form, where it is sent if not there,
# the field.
def forms(incident: Incident) -> dict[str, tuple[str, str, str, str]]:
    def at(name: str, *args: Any) -> str:
        return reverse(f"admin:{name}", args=args)

    claim, count = incident.claims.get(), incident.casualtycounts.get(claim=None)
    change = at("incidents_incident_change", incident.pk)
    article, place = Article.objects.latest("pk"), Place.objects.get(slug="laiza")
    return {
        "incident": (change, "incident_form", "", "summary"),
        "new incident": (at("incidents_incident_add"), "incident_form", "", "summary"),
        "claim": (at("incidents_claim_change", claim.pk), "claim_form", "", "quotation"),
        "new claim": (
            f"{at('incidents_claim_add')}?incident={incident.pk}",
            "claim_form",
            "",
            "quotation",
        ),
        "count": (
            at("incidents_casualtycount_change", count.pk),
            "casualtycount_form",
            "",
            "reported_text",
        ),
        "place": (at("incidents_place_change", place.pk), "place_form", "", "other_names"),
        "article": (at("sources_article_change", article.pk), "article_form", "", "summary"),
        "new outlet": (at("sources_outlet_add"), "outlet_form", "", "other_names"),
        "step": (at("incidents_incident_step", incident.pk, "submit"), "", "", "reason"),
        "remark": (change, "comment", at("incidents_incident_comment", incident.pk), "text"),
        "attaching": (at("sources_article_attach", article.pk), "attach_form", "", "text"),
    }


KINDS = [
    "incident",
    "new incident",
    "claim",
    "new claim",
    "count",
    "place",
    "article",
    "new outlet",
    "step",
    "remark",
    "attaching",
]


def opened(client: Client, kind: str, incident: Incident) -> tuple[str, dict[str, Any], str]:
    page, form_id, address, field = forms(incident)[kind]
    response = client.get(page)
    assert response.status_code == 200, kind
    if kind in ("step", "remark"):
        # Forms without an id: by hand.
        data: dict[str, Any] = form_of(response, form_id) if form_id and kind != "remark" else {}
        token = client.cookies[settings.CSRF_COOKIE_NAME].value
        data |= {
            "csrfmiddlewaretoken": token,
            typed.BY: typed.mark(response.wsgi_request.user),
            "revision": str(incident.revision.number),
            "field": "place.point",
        }
    else:
        data = form_of(response, form_id)
    data[field] = [TEXT]
    return address or page, data, field


def field_in(response: HttpResponse, field: str) -> str:
    """The text of a field in whichever form of the page has it."""
    forms = re.findall(r"<form\b[^>]*>", response.content.decode())
    ids = [re.search(r'\bid="([^"]*)"', form) for form in forms]
    for form_id in dict.fromkeys(found[1] if found else "" for found in ids):
        if found := form_of(response, form_id).get(field):
            return found[0]
    return ""


@pytest.mark.parametrize("kind", KINDS)
def test_a_dead_session_loses_nothing(
    kind: str, people: SimpleNamespace, draft: Callable[..., Incident]
) -> None:
    incident = draft()
    client = browser(people.researcher)
    address, data, field = opened(client, kind, incident)
    before = (HistoryEntry.objects.count(), ReviewComment.objects.count())
    die(client)
    page = client.post(address, data, **HERE)
    assert page.status_code == 403
    assert "no-store" in page["Cache-Control"]
    assert "three" not in page.content.decode().replace("three-", "")
    shown = log_in(client, page, people.researcher)
    assert shown.status_code == 200
    assert "<script>alert" not in shown.content.decode()
    assert "no-store" in shown["Cache-Control"]
    form = form_of(shown, "typed_form")
    if kind != "remark":
        shown = as_browser(client, address, form)
        assert shown.status_code == 200
    else:
        shown = as_browser(client, address, form)
    assert "<script>alert" not in shown.content.decode()
    assert field_in(shown, field).replace("\r\n", "\n") == TEXT.replace("\r\n", "\n")
    assert (HistoryEntry.objects.count(), ReviewComment.objects.count()) == before


@pytest.mark.parametrize(
    ("sender", "largest", "is_kept"),
    [(HERE, 5_000_000, True), (HERE, 1_000_000, False), ({}, 5_000_000, False)],
)
def test_a_text_beside_a_large_file_is_kept_without_it(
    people: SimpleNamespace,
    draft: Callable[..., Incident],
    monkeypatch: pytest.MonkeyPatch,
    sender: dict[str, str],
    largest: int,
    is_kept: bool,
) -> None:
    """Where a page of ours sent it, and takes such a file: else no large body is read."""
    monkeypatch.setattr(typed, "LARGEST_FILE", largest)
    client = browser(people.researcher)
    address, data, _field = opened(client, "attaching", draft())
    die(client)
    data["file"] = SimpleUploadedFile("x.pdf", b"%PDF-1.7" + b"a" * 4_000_000)
    page = client.post(address, data, **sender)
    assert not page.wsgi_request.FILES
    kept = form_of(page, "login-form").get("kept") if page.status_code == 403 else None
    assert bool(kept) == is_kept
    if is_kept:
        again = form_of(log_in(client, page, people.researcher), "typed_form")
        shown = as_browser(client, address, again)
        assert field_in(shown, "text").replace("\r\n", "\n") == TEXT.replace("\r\n", "\n")


@pytest.mark.parametrize("sender", [HERE, {}, {"HTTP_ORIGIN": "http://evil.test"}])
def test_a_large_body_is_read_of_our_own_pages_alone(sender: dict[str, str]) -> None:
    large = SimpleUploadedFile("x.pdf", b"a" * 2_000_000)
    request = RequestFactory().post("/admin/", {"text": TEXT, "file": large}, **sender)
    assert (typed.typed_in(request) is not None) == (sender == HERE)


def test_then_the_person_saves_it(people: SimpleNamespace, draft: Callable[..., Incident]) -> None:
    incident = draft()
    client = browser(people.researcher)
    address, data, _ = opened(client, "incident", incident)
    die(client)
    shown = log_in(client, client.post(address, data), people.researcher)
    filled = client.post(address, form_of(shown, "typed_form"))
    assert b"Nothing of it is saved yet" in filled.content
    assert client.post(address, form_of(filled, "incident_form")).status_code == 302
    incident.refresh_from_db()
    assert incident.summary == TEXT


def kept_page(person: User, incident: Incident, kind: str = "incident") -> tuple[Client, Any, str]:
    client = browser(person)
    address, data, _ = opened(client, kind, incident)
    die(client)
    return client, client.post(address, data, **HERE), address


class TestWhose:
    def test_another_person_who_logs_in_sees_none_of_it(
        self, people: SimpleNamespace, draft: Callable[..., Incident]
    ) -> None:
        client, page, address = kept_page(people.researcher, draft())
        kept = form_of(page, "login-form")["kept"]
        answer = log_in(client, page, people.verifier)
        assert answer.status_code == 302
        assert b"Shelled" not in client.get(answer["Location"]).content
        token = client.cookies[settings.CSRF_COOKIE_NAME].value
        tried = client.post(address, {"kept": kept, "csrfmiddlewaretoken": token})
        assert tried.status_code == 403
        assert b"Shelled" not in tried.content

    def test_what_is_kept_is_good_at_its_own_address_alone(
        self, people: SimpleNamespace, draft: Callable[..., Incident]
    ) -> None:
        client, page, _ = kept_page(people.researcher, draft())
        form = form_of(log_in(client, page, people.researcher), "typed_form")
        assert client.post(reverse("admin:sources_outlet_add"), form).status_code == 403

    def test_it_is_too_old_after_three_days_and_never_readable(
        self,
        people: SimpleNamespace,
        draft: Callable[..., Incident],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        _client, page, _ = kept_page(people.researcher, draft(), "new outlet")
        kept = form_of(page, "login-form")["kept"][0]
        assert typed.opened(kept) is not None
        assert typed.opened(kept[:-8] + "AAAAAAA=") is None
        real = timezone.now()
        monkeypatch.setattr(timezone, "now", lambda: real + timedelta(days=3, minutes=1))
        assert typed.opened(kept) is None

    def test_without_the_mark_it_is_shown_at_once_and_not_carried(
        self, people: SimpleNamespace, draft: Callable[..., Incident]
    ) -> None:
        client = browser(people.researcher)
        address, data, _ = opened(client, "incident", draft())
        data[typed.BY] = ["somebody:forged"]
        die(client)
        page = client.post(address, data, **HERE)
        assert "kept" not in form_of(page, "login-form")
        assert escape(TEXT.split("\r\n")[0], quote=True).replace("&#x27;", "&#39;") in (
            page.content.decode()
        )

    def test_too_much_to_carry_is_shown_to_be_copied(
        self,
        people: SimpleNamespace,
        draft: Callable[..., Incident],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(typed, "LONGEST", 500)
        _, page, _ = kept_page(people.researcher, draft())
        assert "kept" not in form_of(page, "login-form")
        assert "too long" in page.content.decode()
        assert "မုန့်လိုင်ခက်" in page.content.decode()

    def test_a_secret_of_a_source_is_not_carried(
        self, people: SimpleNamespace, draft: Callable[..., Incident]
    ) -> None:
        client = browser(people.researcher)
        address = reverse("admin:sources_confidentialsource_add")
        data = form_of(client.get(address), "confidentialsource_form")
        if not data:
            pytest.skip("not for a researcher")
        data |= {"who": ["SECRET-NAME"], "contact": ["SECRET-PHONE"], "change_reason": ["Why"]}
        die(client)
        page = client.post(address, data, **HERE)
        assert page.status_code == 403
        found = typed.opened(form_of(page, "login-form")["kept"][0])
        assert found is not None
        assert "SECRET" not in found.fields.urlencode()
        assert found.dropped


class TestFromElsewhere:
    HEADERS: ClassVar[list[dict[str, str]]] = [
        {},
        {"HTTP_ORIGIN": "https://evil.example"},
        {"HTTP_ORIGIN": "null"},
        {"HTTP_ORIGIN": "http://testserver", "HTTP_SEC_FETCH_SITE": "cross-site"},
        {"HTTP_REFERER": "http://testserver.evil.example/admin/"},
    ]

    def test_a_hostile_page_plants_nothing(
        self, people: SimpleNamespace, draft: Callable[..., Incident]
    ) -> None:
        """Neither while the session lives nor after it."""
        client = browser(people.researcher)
        address, data, _ = opened(client, "incident", draft())
        del data["csrfmiddlewaretoken"]
        for end in (None, die):
            if end:
                end(client)
            for headers in self.HEADERS:
                answer = client.post(address, data, **headers)
                assert answer.status_code == 403, (end, headers)
                assert b"Shelled" not in answer.content, (end, headers)
                assert b'name="kept"' not in answer.content, (end, headers)

    def test_the_page_for_logging_in_leads_nowhere_else(
        self, people: SimpleNamespace, draft: Callable[..., Incident]
    ) -> None:
        client, page, address = kept_page(people.researcher, draft(), "new outlet")
        form = form_of(page, "login-form")
        assert form["next"] == [address]
        form["next"] = ["https://evil.example/"]
        shown = log_in(client, page, people.researcher)
        assert b"evil.example" not in shown.content
        assert f'action="{address}"' in shown.content.decode()


class TestOldToken:
    """A tab that was left open over a login in another one."""

    @pytest.mark.parametrize("kind", KINDS)
    def test_it_is_shown_and_sent_again(
        self, kind: str, people: SimpleNamespace, draft: Callable[..., Incident]
    ) -> None:
        incident = draft()
        client = browser(people.researcher)
        address, data, field = opened(client, kind, incident)
        client.cookies[settings.CSRF_COOKIE_NAME] = "a" * 32
        before = HistoryEntry.objects.count()
        page = client.post(address, data, **HERE)
        assert page.status_code == 403
        assert "မုန့်လိုင်ခက်" in page.content.decode()
        shown = as_browser(client, address, form_of(page, "typed_form"))
        assert field_in(shown, field).replace("\r\n", "\n") == TEXT.replace("\r\n", "\n")
        assert HistoryEntry.objects.count() == before

    def test_a_page_of_another_person_is_not_shown(
        self, people: SimpleNamespace, draft: Callable[..., Incident]
    ) -> None:
        client = browser(people.researcher)
        address, data, _ = opened(client, "incident", draft())
        logged_in(people.verifier, client)
        client.cookies[settings.CSRF_COOKIE_NAME] = "a" * 32
        page = client.post(address, data, **HERE)
        assert page.status_code == 403
        assert b"another person" in page.content
        assert b"Shelled" not in page.content


def test_a_reset_second_factor_carries_it_through_the_enrolment(
    people: SimpleNamespace, draft: Callable[..., Incident]
) -> None:
    incident = draft()
    client, page, address = kept_page(people.researcher, incident)
    second_factor.reset(people.researcher, people.administrator)
    data = form_of(page, "login-form") | {"username": ["researcher"], "password": [PASSWORD]}
    enrol = client.post("/admin/login/", data)
    form = form_of(enrol, "entry-form")
    form["code"] = [code_of(people.researcher)]
    codes = client.post("/admin/enrol/", form)
    shown = client.post(address, form_of(codes, "kept-form"))
    assert form_of(shown, "incident_form")["summary"][0].startswith("Shelled")


def test_a_wrong_code_keeps_it(people: SimpleNamespace, draft: Callable[..., Incident]) -> None:
    client, page, _ = kept_page(people.researcher, draft(), "new outlet")
    data = form_of(page, "login-form")
    again = client.post(
        "/admin/login/", data | {"username": ["researcher"], "password": ["x"], "code": ["1"]}
    )
    assert form_of(again, "login-form")["kept"] == data["kept"]
