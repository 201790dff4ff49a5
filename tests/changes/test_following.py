"""The documented client: a copy that is followed is what a fresh download gives."""

from __future__ import annotations

import importlib.util
import io
import json
import random
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from django.test import Client

from harmtracker.history.acting import acting
from incidents.choices import State
from incidents.models import Incident, Place, PublishedVersion
from tests import builders
from tests.changes.conftest import Draft, count_again, head, retract
from tests.drafts import merge_into, publish_again
from tests.incidents.test_redaction import take
from tests.patience import EVERY

ROOT = Path(__file__).parents[2]
BASE = "http://testserver/api/v1/"


def _loaded() -> ModuleType:
    path = ROOT / "docs" / "clients" / "follow.py"
    spec = importlib.util.spec_from_file_location("follow", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


follow = _loaded()


class Killed(BaseException):
    """The program ended in the middle."""


class Server:
    """Answers as the product does, and now and then as one that is in trouble."""

    def __init__(self, random: random.Random | None = None) -> None:
        self.client = Client()
        self.random = random
        self.waited: list[float] = []
        self.asked: list[str] = []
        self.kills = False

    def fetch(self, url: str) -> tuple[int, Any, Any]:
        self.asked.append(url)
        if self.random is not None:
            chance = self.random.random()
            if chance < 0.1:
                raise ConnectionResetError
            if chance < 0.2:
                status = self.random.choice([429, 503])
                return status, {"Retry-After": "7"}, io.BytesIO(b"{}")
            if chance < 0.3 and self.kills:
                raise Killed
        answer = self.client.get(url.removeprefix("http://testserver"))
        return answer.status_code, answer.headers, io.BytesIO(answer.getvalue())


def a_copy(path: Path, server: Server, filters: Any = ()) -> Any:
    return follow.Copy(BASE, path, filters, fetch=server.fetch, sleep=server.waited.append)


def gone(copy: Any) -> dict[str, tuple[str, str | None]]:
    rows = copy.database.execute("SELECT code, kind, merged_into FROM gone")
    return {code: (kind, target) for code, kind, target in rows}


def served() -> dict[str, Any]:
    """The documents that are there now, as stored."""
    last: dict[str, PublishedVersion] = {}
    for version in PublishedVersion.objects.using("default").order_by("number"):
        last[version.code] = version
    return {c: json.loads(v.document) for c, v in last.items() if v.kind == "published"}


class History:
    """Random acts of the team."""

    def __init__(self, seed: int, draft: Draft, people: SimpleNamespace) -> None:
        self.random = random.Random(seed)
        self.draft = draft
        self.people = people
        self.places = [Place.objects.get(slug="laiza")]
        with acting(people.researcher):
            self.places.append(builders.place())
        self.there: list[Incident] = []
        self.retracted: list[Incident] = []
        self.words: dict[int, list[str]] = {}
        self.taken: list[str] = []
        self.count = 0

    def _title(self, incident: Incident | None = None) -> str:
        self.count += 1
        word = f"zqword{self.count}q"
        self.last_word = word
        if incident is not None:
            self.words.setdefault(incident.pk, []).append(word)
        return f"Shelling of {word}"

    def act(self) -> None:
        acts = {
            self.publish: 3,
            self.correct: 4,
            self.count_again: 1,
            self.merge: 1,
            self.retract: 2,
            self.restore: 1,
            self.redact: 3,
        }
        (act,) = self.random.choices([*acts], [*acts.values()])
        act()

    def publish(self) -> None:
        incident = self.draft(
            State.PUBLISHED, title=self._title(), place=self.random.choice(self.places)
        )
        self.words[incident.pk] = [self.last_word]
        self.there.append(incident)

    def _one(self) -> Incident:
        if not self.there:
            self.publish()
        return self.random.choice(self.there)

    def correct(self) -> None:
        incident = self._one()
        place = self.random.choice(self.places)
        publish_again(incident, self.people, title=self._title(incident), place=place)

    def count_again(self) -> None:
        incident = self._one()
        # A title that was taken out may not leave again.
        if self.words[incident.pk]:
            count_again(incident, self.people, self.random.randrange(20))

    def merge(self) -> None:
        source = self._one()
        self.there.remove(source)
        target = self.draft(title=self._title())
        self.words[target.pk] = [self.last_word]
        merge_into(source, target, self.people)
        target.refresh_from_db()
        self.there.append(target)

    def retract(self) -> None:
        incident = self._one()
        self.there.remove(incident)
        retract(incident, self.people)
        self.retracted.append(incident)

    def restore(self) -> None:
        if self.retracted:
            incident = self.retracted.pop()
            publish_again(incident, self.people, title=self._title(incident))
            self.there.append(incident)

    def redact(self) -> None:
        incident = self.random.choice([*self.there, *self.retracted, self._one()])
        if self.words[incident.pk]:
            word = self.words[incident.pk].pop()
            fresh = Incident.objects.get(pk=incident.pk)
            take(fresh, self.people, text=word)
            self.taken.append(word)
            self.words[incident.pk] = []


@pytest.mark.parametrize("seed", [1, 2, 3, 4, 5] if EVERY else [1])
def test_a_copy_that_is_followed_is_a_fresh_download(
    seed: int,
    committed: None,
    draft: Draft,
    people: SimpleNamespace,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(follow, "ENTRIES_AT_ONCE", 2)
    monkeypatch.setattr(follow, "CODES_AT_ONCE", 2)
    history = History(seed, draft, people)
    filters: dict[str, list[tuple[str, str]]] = {
        "all": [],
        "place": [("place", str(history.places[1].uuid))],
        "count": [("killed_civilian_best__gte", "3")],
        "without": [("not_place", str(history.places[1].uuid))],
    }
    server = Server(random.Random(seed))
    copies = {name: a_copy(tmp_path / name, server, f) for name, f in filters.items()}
    for _ in range(40):
        history.act()
        name = history.random.choice([*filters])
        server.kills = True
        try:
            if copies[name].position() is None:
                copies[name].download()
            else:
                copies[name].step()
        except Killed:
            copies[name].close()
            copies[name] = a_copy(tmp_path / name, server, filters[name])
        server.kills = False
    for name, copy in copies.items():
        copy.follow()
        fresh = a_copy(tmp_path / f"fresh-{name}", Server(), filters[name])
        fresh.follow()
        assert copy.documents() == fresh.documents(), name
        assert copy.position() == fresh.position() == head()
        fresh.close()
    assert copies["all"].documents() == served()
    both = [set(copies[name].documents()) for name in ("place", "without")]
    assert both[0] | both[1] == set(copies["all"].documents())
    assert not both[0] & both[1]
    ends = PublishedVersion.objects.using("default").order_by("number")
    last = {version.code: version for version in ends}
    began_before = {code for code, version in last.items() if version.kind != "published"}
    told = gone(copies["all"])
    assert told.keys() <= began_before
    for code, (kind, target) in told.items():
        assert kind == last[code].kind
        assert target == json.loads(last[code].document).get("merged_into")
    assert 7 in server.waited
    assert history.taken
    for name, copy in copies.items():
        copy.close()
        held = (tmp_path / name).read_bytes()
        for word in history.taken:
            assert word.encode() not in held, (name, word)


def test_everything_since_the_beginning_gives_the_same(
    history: SimpleNamespace, tmp_path: Path
) -> None:
    server = Server()
    copy = a_copy(tmp_path / "copy", server)
    with copy.transaction():
        copy.move_to(0)
    assert copy.follow() == head()
    assert copy.documents() == served()
    assert gone(copy) == {
        history.other.code: ("merged", history.target.code),
        history.gone.code: ("retracted", None),
    }
    assert copy.follow() == 0


def test_it_stops_where_it_is_refused(three: None, tmp_path: Path) -> None:
    server = Server()
    with pytest.raises(follow.Refused, match="400"):
        a_copy(tmp_path / "copy", server, [("q", "x"), ("nonsense", "1")]).follow()
    assert server.waited == []
    copy = a_copy(tmp_path / "other", server, [("country", "MMR")])
    copy.follow()
    copy.close()
    with pytest.raises(follow.Refused, match="other filters"):
        a_copy(tmp_path / "other", server).follow()


@pytest.mark.parametrize("status", [429, 500, 502, 503, None])
def test_it_waits_and_in_the_end_gives_up(tmp_path: Path, status: int | None) -> None:
    waited: list[float] = []

    def fetch(url: str) -> Any:
        if status is None:
            raise ConnectionRefusedError
        return status, {"Retry-After": "30"} if status in (429, 503) else {}, io.BytesIO()

    copy = follow.Copy(BASE, tmp_path / "copy", fetch=fetch, sleep=waited.append)
    with pytest.raises(OSError, match="8 times"):
        copy.follow()
    expected = [30] * 7 if status in (429, 503) else [1, 2, 4, 8, 16, 32, 64]
    assert waited == expected
    assert copy.position() is None


def test_a_download_that_broke_off_leaves_nothing(three: None, tmp_path: Path) -> None:
    server = Server()

    def fetch(url: str) -> Any:
        status, headers, body = server.fetch(url)
        broken = body.read()[:-1000] + b'\n{"error":"The export broke off here: ask for it again.\n'
        return status, headers, io.BytesIO(broken)

    copy = follow.Copy(BASE, tmp_path / "copy", fetch=fetch)
    with pytest.raises(json.JSONDecodeError):
        copy.follow()
    assert copy.documents() == {}
    assert copy.position() is None


def test_the_program_runs_against_a_server(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(tmp_path / "copy")
    arguments = ["follow.py", f"{server}/api/v1/", path, "--filter", "country=MMR"]
    monkeypatch.setattr("sys.argv", arguments)
    follow.main()
    assert capsys.readouterr().out == "0 changes; the copy goes up to position 3.\n"
    assert len(follow.Copy(f"{server}/api/v1/", path, [("country", "MMR")]).documents()) == 3
