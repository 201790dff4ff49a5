"""Outlets, articles, copies and their custody, as the services keep them."""

from __future__ import annotations

import datetime
import hashlib
import io
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from harmtracker.errors import Conflict, Invalid, NotAllowed
from harmtracker.history.acting import acting
from harmtracker.history.models import HistoryEntry
from sources import services, storage, warnings
from sources.models import Article, Capture, CustodyEntry
from tests import builders
from tests.sources.files import PDF, TAKEN

pytestmark = pytest.mark.django_db


@pytest.fixture
def article(people: SimpleNamespace) -> Article:
    with acting(people.researcher):
        return builders.article(published="2024-05-06")


def actions(capture: Capture) -> list[tuple[str, str, str, str]]:
    found = capture.custody.order_by("pk").values_list("action", "by__username", "to", "purpose")
    return [tuple(row) for row in found]


def attach(article: Article, content: bytes, by: Any, **about: Any) -> Capture:
    return services.attach(article, io.BytesIO(content), by=by, **about)[0]


class TestOutlets:
    def test_the_short_name_follows_from_the_name_and_is_numbered(
        self, people: SimpleNamespace
    ) -> None:
        with acting(people.researcher):
            made = [
                services.create_outlet(name=name, kind="witness")
                for name in ["A resident of the Ward", "A resident of the ward!", "မြို့ခံ", "နေသူ"]
            ]
        assert [outlet.slug for outlet in made] == [
            "a-resident-of-the-ward",
            "a-resident-of-the-ward-2",
            "outlet",
            "outlet-2",
        ]
        assert [outlet.independence_group for outlet in made] == [o.slug for o in made]

    def test_a_taken_short_name_names_who_has_it(self, people: SimpleNamespace) -> None:
        with acting(people.researcher):
            first = services.create_outlet(slug="gazette-2", name="The Gazette", kind="ngo")
        with pytest.raises(Invalid) as refusal, acting(people.researcher):
            services.create_outlet(slug="gazette-2", name="Another", kind="ngo")
        assert str(first.uuid) in refusal.value.fields["slug"][0]
        assert "The Gazette" in refusal.value.fields["slug"][0]


class TestArticles:
    EXACT = "  caf\u00e9 cafe\u0301\u200b\r\nမြန်မာ \u202bשלום\u202c  "

    def test_texts_are_kept_to_the_letter(self, people: SimpleNamespace, article: Article) -> None:
        address = "HTTPS://Example.ORG:443/%7Ea/../b?x=%e1%80%80&y=က#Z"
        with acting(people.researcher):
            services.update(article, title=self.EXACT, summary=self.EXACT, url=address)
        article.refresh_from_db()
        assert (article.title, article.summary, article.url) == (self.EXACT, self.EXACT, address)
        kept = HistoryEntry.objects.filter(table_name="sources_article").latest("pk").after
        assert (kept["title"], kept["url"]) == (self.EXACT, address)

    @pytest.mark.parametrize("field", ["url", "copy_url"])
    def test_a_taken_address_names_the_article_that_has_it(
        self, people: SimpleNamespace, article: Article, field: str
    ) -> None:
        address = "https://example.org/x"
        with acting(people.researcher):
            services.update(article, **{field: address})
        with pytest.raises(Invalid) as refusal, acting(people.researcher):
            services.create_article(
                outlet=article.outlet, title="T", language="en", **{field: address}
            )
        assert str(article.uuid) in refusal.value.fields[field][0]


class TestWarnings:
    @pytest.mark.parametrize(
        ("fields", "has_capture", "codes"),
        [
            ({}, False, ["nothing_kept", "undated"]),
            ({"published": "2024"}, False, ["nothing_kept"]),
            ({}, True, ["undated"]),
            ({"url": "https://example.org/"}, False, ["not_archived"]),
            ({"url": "https://example.org/"}, True, []),
            ({"archive_url": "https://example.org/"}, False, []),
            ({"published": "2024", "title": "ေနျပည္ေတာ္မွာ ပစ္ခတ္မႈျဖစ္"}, True, ["zawgyi"]),
            ({"published": "2024", "summary": "ေနျပည္ေတာ္မွာ ပစ္ခတ္မႈျဖစ္"}, True, ["zawgyi"]),
            ({"published": "2024", "title": "နေပြည်တော်မှာ ပစ်ခတ်မှုဖြစ်"}, True, []),
        ],
    )
    def test_what_is_warned_of(
        self, fields: dict[str, Any], has_capture: bool, codes: list[str]
    ) -> None:
        article = Article(**{"title": "Shelling", **fields})
        found = warnings.of(article, has_capture=has_capture)
        assert [warning.code for warning in found] == codes
        assert all(warning.message.endswith(".") for warning in found)


class TestCopies:
    @pytest.mark.parametrize("name", TAKEN)
    def test_bytes_come_back_as_they_were(
        self, captures: Path, people: SimpleNamespace, article: Article, name: str
    ) -> None:
        content, kind, media_type = TAKEN[name]
        capture = attach(article, content, people.researcher)
        assert (capture.kind, capture.media_type, capture.size) == (kind, media_type, len(content))
        assert capture.sha256 == hashlib.sha256(content).hexdigest()
        with services.read(capture, by=people.verifier, purpose="To check a quotation") as file:
            assert file.read() == content
        assert actions(capture) == [
            ("stored", "researcher", "", ""),
            ("read", "verifier", "", "To check a quotation"),
        ]

    def test_what_is_known_of_its_taking_is_kept(
        self, captures: Path, people: SimpleNamespace, article: Article
    ) -> None:
        taken = timezone.now() - datetime.timedelta(days=2)
        capture = attach(
            article,
            PDF,
            people.researcher,
            captured_at=taken,
            tool="monolith 2.8",
            requested_url="https://example.org/a",
            final_url="https://example.org/b",
        )
        capture.refresh_from_db()
        assert (capture.captured_at, capture.tool) == (taken, "monolith 2.8")
        assert capture.final_url == "https://example.org/b"
        assert capture.captured_by == people.researcher

    def test_pasted_text_is_kept_byte_for_byte(
        self, captures: Path, people: SimpleNamespace, article: Article
    ) -> None:
        text = "<svg> " + TestArticles.EXACT
        capture, is_new = services.paste(article, text, by=people.researcher)
        assert is_new
        assert (capture.kind, capture.media_type) == ("text", "text/plain; charset=utf-8")
        with services.read(capture, by=people.researcher) as file:
            assert file.read() == text.encode()

    def test_the_same_bytes_for_one_article_are_one_copy(
        self, captures: Path, people: SimpleNamespace, article: Article
    ) -> None:
        first = services.attach(article, io.BytesIO(PDF), by=people.researcher)
        again = services.attach(article, io.BytesIO(PDF), by=people.other_researcher)
        assert first[1]
        assert again == (first[0], False)
        with acting(people.researcher):
            other = builders.article()
        elsewhere = attach(other, PDF, people.researcher)
        assert elsewhere.pk != first[0].pk
        assert len(list(storage.files())) == 1

    @pytest.mark.parametrize("name", ["verifier", "administrator"])
    def test_who_may_not_attach(
        self, captures: Path, people: SimpleNamespace, article: Article, name: str
    ) -> None:
        with pytest.raises(NotAllowed):
            attach(article, PDF, getattr(people, name))
        assert list(storage.files()) == []

    def test_who_may_not_read(
        self, captures: Path, people: SimpleNamespace, article: Article
    ) -> None:
        capture = attach(article, PDF, people.researcher)
        with pytest.raises(NotAllowed):
            services.read(capture, by=people.administrator)
        assert len(actions(capture)) == 1

    def test_a_copy_whose_file_is_gone_says_so(
        self, captures: Path, people: SimpleNamespace, article: Article
    ) -> None:
        capture = attach(article, PDF, people.researcher)
        storage.path_of(capture.sha256).unlink()
        with pytest.raises(Conflict, match="missing"):
            services.read(capture, by=people.researcher)

    def test_handing_over_names_the_receiver(
        self, captures: Path, people: SimpleNamespace, article: Article
    ) -> None:
        capture = attach(article, PDF, people.researcher)
        services.hand_over(capture, by=people.verifier, to="The court", purpose="Case 12")
        assert actions(capture)[-1] == ("handed_over", "verifier", "The court", "Case 12")
        with pytest.raises(Invalid):
            services.hand_over(capture, by=people.verifier, to=" ")
        with pytest.raises(NotAllowed):
            services.hand_over(capture, by=people.researcher, to="The court")

    def test_reading_is_written_down_before_a_byte_is_given(
        self, captures: Path, people: SimpleNamespace, article: Article, monkeypatch: Any
    ) -> None:
        capture = attach(article, PDF, people.researcher)

        def broken(*args: Any, **kwargs: Any) -> None:
            raise RuntimeError

        monkeypatch.setattr("sources.services.save", broken)
        with pytest.raises(RuntimeError):
            services.read(capture, by=people.researcher)
        assert not CustodyEntry.objects.filter(action="read", capture=capture).exists()


class TestVerifying:
    @pytest.fixture
    def copies(self, captures: Path, people: SimpleNamespace) -> list[Capture]:
        with acting(people.researcher):
            articles = [builders.article(title=f"Article no {n}") for n in range(3)]
        return [attach(a, PDF + bytes([65 + n]), people.researcher) for n, a in enumerate(articles)]

    def run(self, capsys: Any, *arguments: str) -> tuple[str, str]:
        """(what it wrote, what it ended with)."""
        try:
            call_command("verify_captures", *arguments)
        except CommandError as error:
            return capsys.readouterr().out, str(error)
        return capsys.readouterr().out, ""

    def test_all_is_well(self, copies: list[Capture], capsys: Any) -> None:
        out, error = self.run(capsys)
        assert error == ""
        assert f"{Capture.objects.count()} copies are as they were stored." in out

    def test_one_bit_is_noticed_and_named(self, copies: list[Capture], capsys: Any) -> None:
        path = storage.path_of(copies[1].sha256)
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.chmod(0o600)
        path.write_bytes(content)
        out, error = self.run(capsys)
        assert error.startswith("1 of 3 copies")
        (line,) = out.splitlines()
        assert str(copies[1].uuid) in line
        assert "Article no 1" in line
        assert "bytes have changed" in line
        assert self.run(capsys, f"--article={copies[1].article.uuid}")[1]
        assert not self.run(capsys, f"--article={copies[0].article.uuid}")[1]

    def test_a_missing_file_is_named(self, copies: list[Capture], capsys: Any) -> None:
        storage.path_of(copies[2].sha256).unlink()
        out, error = self.run(capsys)
        assert "Article no 2" in out
        assert "missing" in out
        assert error.startswith("1 of 3 copies")

    def test_a_file_that_no_copy_knows_is_named_unless_it_is_just_coming_in(
        self, copies: list[Capture], captures: Path, capsys: Any, monkeypatch: Any
    ) -> None:
        with storage.receive(io.BytesIO(b"A stranger")) as incoming:
            incoming.keep()
        assert self.run(capsys)[1] == ""
        monkeypatch.setattr("sources.management.commands.verify_captures.YOUNG_S", -1)
        out, error = self.run(capsys)
        assert str(storage.path_of(hashlib.sha256(b"A stranger").hexdigest())) in out
        assert "1 files belong to no copy" in error

    def test_a_copy_in_the_wrong_folder_is_missing_and_a_stranger(
        self, copies: list[Capture], captures: Path, capsys: Any
    ) -> None:
        path = storage.path_of(copies[0].sha256)
        path.rename(captures / path.name)
        out, error = self.run(capsys)
        assert error == "1 of 3 copies are not as they were stored; 1 files belong to no copy."
        assert str(captures / path.name) in out

    def test_what_an_interrupted_upload_left_is_removed(
        self, copies: list[Capture], captures: Path, capsys: Any
    ) -> None:
        left = captures / "incoming" / "left"
        left.write_bytes(b"half a fi")
        assert self.run(capsys)[1] == ""
        assert not left.exists()

    def test_an_article_that_is_not_there(self, copies: list[Capture], capsys: Any) -> None:
        unknown = "00000000-0000-4000-8000-000000000000"
        assert self.run(capsys, f"--article={unknown}")[1] == f"There is no article {unknown}."
