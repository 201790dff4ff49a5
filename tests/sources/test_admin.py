"""The desk's pages of copies and confidential sources."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from harmtracker.history.acting import acting
from harmtracker.history.models import HistoryEntry
from sources.models import Article, Capture, ConfidentialSource, Reveal
from tests import builders
from tests.clients import code_of
from tests.sources.files import PDF, REFUSED
from tests.sources.witness import WHO, WORDS, reveal

pytestmark = pytest.mark.django_db
SignedIn = Callable[[str], Client]
EXACT = "  café cafe\u0301\u200b\r\nမြန်မာ\t "


@pytest.fixture
def article(people: SimpleNamespace) -> Article:
    with acting(people.researcher):
        return builders.article(title="Shelling of a village")


def attach_url(article: Article) -> str:
    return reverse("admin:sources_article_attach", args=[article.pk])


def send(client: Client, article: Article, **fields: Any) -> HttpResponse:
    data = {"text": "", "requested_url": "", "tool": "", **fields}
    return client.post(attach_url(article), data)


@pytest.mark.usefixtures("captures")
class TestAttaching:
    def test_a_file_is_stored_and_read_in_the_readers_name(
        self, signed_in: SignedIn, article: Article
    ) -> None:
        client = signed_in("researcher")
        page = client.get(reverse("admin:sources_article_change", args=[article.pk]))
        assert attach_url(article) in page.content.decode()
        assert 'type="file"' in client.get(attach_url(article)).content.decode()
        upload = SimpleUploadedFile("../../x.exe", PDF, content_type="application/x-msdownload")
        answer = send(client, article, file=upload, tool="A scanner")
        assert answer.status_code == 302
        capture = Capture.objects.get()
        assert (capture.media_type, capture.tool) == ("application/pdf", "A scanner")
        read = signed_in("verifier").get(
            reverse("admin:sources_capture_content", args=[capture.pk])
        )
        assert b"".join(read) == PDF
        assert read["Content-Security-Policy"] == "sandbox"
        assert read["Content-Disposition"].startswith("attachment")
        assert "no-store" in read["Cache-Control"]
        entries = [(e.action, e.by.username) for e in capture.custody.all()]
        assert entries == [("stored", "researcher"), ("read", "verifier")]
        page = client.get(reverse("admin:sources_capture_change", args=[capture.pk]))
        assert page.status_code == 200
        assert "Handed over" in page.content.decode() or "Read" in page.content.decode()

    def test_pasted_text_is_kept_to_the_letter(
        self, signed_in: SignedIn, article: Article, captures: Path
    ) -> None:
        assert send(signed_in("researcher"), article, text=EXACT).status_code == 302
        (kept,) = [path for path in captures.rglob("*") if path.is_file()]
        assert kept.read_bytes() == EXACT.encode()
        assert Capture.objects.get().tool == "pasted text"

    @pytest.mark.parametrize(
        ("fields", "words"),
        [
            ({}, "Choose a file"),
            ({"file": SimpleUploadedFile("x.zip", REFUSED["zip"])}, "Taken are PDF"),
            ({"file": SimpleUploadedFile("x.txt", b"x"), "text": "x"}, "not both"),
            ({"text": "x", "requested_url": "javascript:alert(1)"}, "An address begins with"),
            ({"text": "a\x07"}, "Taken are PDF"),
        ],
    )
    def test_what_is_wrong_is_said_on_the_form(
        self,
        signed_in: SignedIn,
        article: Article,
        captures: Path,
        fields: dict[str, Any],
        words: str,
    ) -> None:
        answer = send(signed_in("researcher"), article, **fields)
        assert answer.status_code == 200
        assert words in answer.content.decode()
        assert not Capture.objects.exists()
        assert not [path for path in captures.rglob("*") if path.is_file()]

    def test_the_forms_token_is_asked_for(
        self, signed_in: SignedIn, article: Article, captures: Path
    ) -> None:
        client = signed_in("researcher")
        strict = Client(enforce_csrf_checks=True)
        strict.cookies = client.cookies
        upload = SimpleUploadedFile("x.pdf", PDF)
        assert send(strict, article, file=upload).status_code == 403
        assert not [path for path in captures.rglob("*") if path.is_file()]

    @pytest.mark.parametrize("name", ["verifier", "administrator", None])
    def test_who_may_not_attach(
        self, signed_in: SignedIn, article: Article, captures: Path, name: str | None
    ) -> None:
        client = Client() if name is None else signed_in(name)
        answer = send(client, article, file=SimpleUploadedFile("x.pdf", PDF))
        assert answer.status_code == (302 if name is None else 403)
        assert not captures.exists()

    @pytest.mark.parametrize("path", ["/admin/login/", "/admin/", "/api/v1/incidents/"])
    def test_no_other_page_takes_a_file(
        self, signed_in: SignedIn, captures: Path, path: str, tmp_path: Path, settings: Any
    ) -> None:
        settings.FILE_UPLOAD_TEMP_DIR = tmp_path
        large = SimpleUploadedFile("x.bin", b"a" * 4_000_000)
        for client in (Client(), signed_in("researcher")):
            request = client.post(path, {"username": "x", "file": large}).wsgi_request
            assert not request.FILES
        assert not [each for each in tmp_path.rglob("*") if each.is_file()]


class TestConfidentialSources:
    ADD = "/admin/sources/confidentialsource/add/"
    SAID = {"who": WHO.name, "contact": WHO.contact, "about": WHO.note}

    @pytest.fixture
    def source(self, signed_in: SignedIn, people: SimpleNamespace) -> ConfidentialSource:
        with acting(people.researcher):
            outlet = builders.outlet(kind="witness", name="A resident of the ward")
        data = {"outlet": outlet.pk, "change_reason": "", **self.SAID}
        answer = signed_in("researcher").post(self.ADD, data)
        assert answer.status_code == 302, answer.content.decode()
        return ConfidentialSource.objects.get()

    def test_who_it_is_is_entered_and_shown_by_one_page(
        self, signed_in: SignedIn, source: ConfidentialSource, people: SimpleNamespace
    ) -> None:
        assert reveal(source, people.other_verifier) == WHO
        client = signed_in("verifier")
        change = reverse("admin:sources_confidentialsource_change", args=[source.pk])
        url = reverse("admin:sources_confidentialsource_reveal", args=[source.pk])
        assert url in client.get(change).content.decode()
        assert client.get(url).status_code == 200
        answer = client.post(url, {"reason": "The court asks.", "code": code_of(people.verifier)})
        text = answer.content.decode()
        assert all(word in text for word in WORDS)
        assert "no-store" in answer["Cache-Control"]
        assert Reveal.objects.filter(by=people.verifier, reason="The court asks.").exists()
        listed = client.get("/admin/sources/reveal/").content.decode()
        assert "The court asks." in listed
        assert not any(word in listed for word in WORDS)

    def test_no_other_page_holds_it_or_what_it_is_encrypted_to(
        self, signed_in: SignedIn, source: ConfidentialSource
    ) -> None:
        sealed = bytes(source.sealed).hex()[:40]
        pages = [
            "/admin/",
            "/admin/sources/confidentialsource/",
            "/admin/sources/confidentialsource/?q=resident",
            *(
                reverse(f"admin:sources_confidentialsource_{name}", args=[source.pk])
                for name in ("change", "history", "reveal")
            ),
            reverse("admin:sources_outlet_change", args=[source.outlet_id]),
            reverse("admin:sources_outlet_history", args=[source.outlet_id]),
        ]
        for name in ("researcher", "verifier"):
            client = signed_in(name)
            for page in pages:
                answer = client.get(page)
                assert answer.status_code in (200, 403), page
                text = answer.content.decode()
                assert not any(word in text for word in (*WORDS, sealed)), page
        logged = str(list(LogEntry.objects.values()))
        assert "resident" in logged
        assert not any(word in logged for word in WORDS)

    def test_the_list_of_all_changes_has_none_of_it(
        self, signed_in: SignedIn, source: ConfidentialSource, people: SimpleNamespace
    ) -> None:
        reveal(source, people.verifier, reason="zqreasonofreveal")
        entries = HistoryEntry.objects.filter(
            table_name__in=["sources_confidentialsource", "sources_reveal"]
        )
        assert len(entries) == 2
        for name in ("researcher", "verifier"):
            client = signed_in(name)
            listed = client.get("/admin/history/historyentry/?q=zqreasonofreveal")
            assert "1 history" not in listed.content.decode()
            for entry in entries:
                url = reverse("admin:history_historyentry_change", args=[entry.pk])
                assert client.get(url).status_code == 404

    def test_a_form_that_is_refused_comes_back_without_it(
        self, signed_in: SignedIn, source: ConfidentialSource
    ) -> None:
        client = signed_in("researcher")
        change = reverse("admin:sources_confidentialsource_change", args=[source.pk])
        for url, data in [
            (self.ADD, {"outlet": source.outlet_id, "change_reason": ""}),
            (self.ADD, {"outlet": "", "change_reason": ""}),
            (change, {"change_reason": ""}),
        ]:
            answer = client.post(url, {**data, **self.SAID})
            assert answer.status_code == 200
            assert "error" in answer.content.decode()
            assert not any(word in answer.content.decode() for word in WORDS)

    def test_replacing_needs_a_reason(
        self, signed_in: SignedIn, source: ConfidentialSource, people: SimpleNamespace
    ) -> None:
        change = reverse("admin:sources_confidentialsource_change", args=[source.pk])
        client = signed_in("researcher")
        data = {"who": "Daw Mya", "contact": "", "about": "", "change_reason": "Her sister."}
        data["seen"] = client.get(change).context["adminform"].form["seen"].value()
        assert client.post(change, data).status_code == 302
        assert reveal(source, people.verifier).name == "Daw Mya"

    def test_a_page_that_was_edited_meanwhile_comes_back_without_it(
        self, signed_in: SignedIn, source: ConfidentialSource
    ) -> None:
        change = reverse("admin:sources_confidentialsource_change", args=[source.pk])
        said = {"who": "zqname", "contact": "zqphone", "about": "zqnote"}
        answer = signed_in("researcher").post(change, {**said, "change_reason": "r", "seen": "0"})
        assert answer.status_code == 200
        assert "edited after you opened" in answer.content.decode()
        assert "zq" not in answer.content.decode()
        assert not answer.context.get("lines")

    @pytest.mark.parametrize("name", ["researcher", "administrator"])
    def test_who_may_not_see_it(
        self, signed_in: SignedIn, source: ConfidentialSource, people: SimpleNamespace, name: str
    ) -> None:
        url = reverse("admin:sources_confidentialsource_reveal", args=[source.pk])
        data = {"reason": "r", "code": code_of(getattr(people, name))}
        assert signed_in(name).post(url, data).status_code == 403
        assert not Reveal.objects.exists()

    @pytest.mark.parametrize(
        ("reason", "code"), [("", None), (" ", None), ("r", "000000"), ("r", "")]
    )
    def test_without_a_reason_and_a_code_nothing_is_shown(
        self,
        signed_in: SignedIn,
        source: ConfidentialSource,
        people: SimpleNamespace,
        reason: str,
        code: str | None,
    ) -> None:
        url = reverse("admin:sources_confidentialsource_reveal", args=[source.pk])
        code = code_of(people.verifier) if code is None else code
        answer = signed_in("verifier").post(url, {"reason": reason, "code": code})
        assert answer.status_code == 200
        assert not any(word in answer.content.decode() for word in WORDS)
        assert not Reveal.objects.exists()
