"""Texts are evidence: each comes back character by character at every stop, or is refused."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from incidents.models import Incident, IncidentRevision
from incidents.publishing.document import build_content
from tests.builders import answer_warnings
from tests.clients import Api

from .bodies import BASE, count

MakeApi = Callable[..., Api]

BY_HAND = [
    " leading",
    "trailing ",
    "  ",
    "\ttab\t",
    "line\nfeed",
    "line\r\nfeed\r\n",
    "carriage\rreturn",
    "\n",
    "no\u00a0break\u00a0",
    "\u2028line separator\u2029",
    "caf\u00e9",
    "cafe\u0301",
    "\u00c5\u212b\u0041\u030a",
    "zero\u200bwidth\u200c\u200dand\u2060joiners",
    "soft\u00adhyphen",
    "\ufeffBOM first",
    "BOM\ufeffinside",
    "\u202eright to left\u202c",
    "\u2067isolated\u2069 \u2066and\u2069",
    "\u0645\u0631\u062d\u0628\u0627 \u200f\u05e9\u05dc\u05d5\u05dd",
    "မြန်မာနိုင်ငံ လိုင်ဇာမြို့",
    "ျမန္မာႏိုင္ငံ လိုင္ဇာၿမိဳ႕",
    "Jinghpaw: Mung Lai Hkyet ga ru ai",
    "မိူင်းလႆးၶႅတ်ႉ",
    "👩‍👩‍👧‍👦 family, 🏳️‍🌈 flag, 👍🏽 thumb",
    "Z̸̡̢̛͎̗̲a̷̢͕̱̎l̴̢̛̘̈́g̵̛͇̥o̸",
    "한글",
    unicodedata.normalize("NFD", "한글"),
    "𠜎𠜱𝕏𐍈",
    "\ufdd0 a noncharacter that is kept",
    "\U0010fffd",
    "ﬁ ligature, ² and Ⅷ",
    "İstanbul ıı ß ẞ",
    "<script>alert(1)</script>",
    "<!-- --> ]]> &amp; &#0; &lt;",
    "=1+1",
    '=HYPERLINK("http://example.org")',
    "+1",
    "-96.17",
    "@SUM(A1)",
    "back\\slash \\n \\u0041 \\\\",
    "'single' \"double\" “curly” `tick`",
    '{"json": ["\\u0000"]}',
    "%00%0A%41 %s %(name)s {0} {name} $1 ${x}",
    "'; DROP TABLE incidents_incident; --",
    "NULL",
    "null",
    "NaN",
    "0",
    "007",
    "1e5",
    "1,234.50",
    "true",
    "../../etc/passwd",
    "a,b;c|d\te",
    "\u0300 begins with a mark",
    "x" * 10_000,
    "မြို့ " * 2_000,
    "long line\r\n" * 1_000,
]


def _by_rule() -> Iterator[str]:
    """Words of many scripts, with what is easily lost before, between and after them."""
    words = [
        "Laiza",
        "Möng",
        unicodedata.normalize("NFD", "Möng"),
        "လိုင်ဇာ",
        "ကခ်င္",
        "เมือง",
        "ກະຈີນ",
        "ᬩᬮᬶ",
        "हिन्दी",
        "العربية",
        "中文",
        "👨‍⚕️",
        "𑄌𑄋𑄴𑄟",
    ]
    gaps = [
        *(" ", "  ", "\t", "\n", "\r\n", "\r", "\u00a0", "\u200b", "\u200c", "\u200d", "\u2060"),
        *("\ufeff", "\u200e", "\u200f", "\u202a", "\u2066", "\u00ad", "\u3000", "\u2003"),
        *("'", '"', "\\", "%", "&", "<", "=", "\u0301", "\U000e0020", "\ufe0f", "\ufffd", "\u034f"),
    ]
    for number, gap in enumerate(gaps):
        for step in range(15):
            word, other = words[(number + step) % len(words)], words[(number * 3 + step) % 13]
            yield (
                f"{gap}{word}{step}{gap}",
                f"{word}{gap}{other} {number}.{step}",
                f"{gap}{gap}{word}-{other}{number}.{step}",
            )[step % 3]


CORPUS = list(dict.fromkeys([*BY_HAND, *_by_rule()]))
REFUSED = [
    *(f"control U+{point:04X} {chr(point)}" for point in (0, 1, 8, 11, 12, 14, 27, 31, 127)),
    *(f"control U+{point:04X} {chr(point)}" for point in (0x80, 0x85, 0x9F)),
    *(f"U+{point:04X} {chr(point)}" for point in (0xFFFE, 0xFFFF, 0xD800, 0xDBFF, 0xDC00, 0xDFFF)),
]


def digests(texts: list[str]) -> list[str]:
    return [hashlib.sha256(text.encode()).hexdigest() for text in texts]


def test_the_corpus_is_of_five_hundred() -> None:
    assert len(CORPUS) >= 500


# Where texts stand: as many short ones as fit, and claims for what may be long.
SHORT = [text for text in CORPUS if len(text) <= 200]
LONG = [text for text in CORPUS if len(text) > 200]


def _spread() -> Iterator[tuple[dict[str, str], list[str]]]:
    """For each claim its texts, and those of its person: all of the corpus, none twice."""
    short, long = list(SHORT), list(LONG)
    while short:
        taken, short = short[:9], short[9:]
        taken += [f"filler {n}" for n in range(9 - len(taken))]
        claim = dict(
            zip(
                ("paraphrase", "quotation", "note", "locator", "time_said", "place_said"),
                taken,
                strict=False,
            )
        )
        if long:
            claim["quotation"], moved = long.pop(), claim["quotation"]
            short.insert(0, moved)
        yield claim, taken[6:]


@pytest.fixture
def sent() -> list[tuple[dict[str, str], list[str]]]:
    return list(_spread())


def entered(article: str, sent: list[tuple[dict[str, str], list[str]]]) -> dict[str, Any]:
    outlet = "kachin-news-group"
    return {
        "title": " A title\u200b with =1+1 ",
        "summary": "".join(BY_HAND),
        "grading_rationale": " \r\n because\t",
        "internal_note": "\n for us \ufeff",
        "date_edtf": "2024-09-05",
        "place": "laiza",
        "grading": "weak",
        "claims": [
            {
                "key": f"c{n}",
                "article": article,
                "attributed_outlet": outlet,
                **texts,
                "counts": [count(reported_text=names[0])],
            }
            for n, (texts, names) in enumerate(sent)
        ],
        "assessment": {
            "counts": [
                count(
                    reported_text=" two \r\n",
                    basis=[{"claim": "c0", "bound": "best", "reason": "\tas said "}],
                )
            ]
        },
        "victims": [
            {"outcome": "killed", "names": names, "consent_basis": "family_consent"}
            for _, names in sent
        ],
    }


def texts_of_record(record: dict[str, Any]) -> list[str]:
    """The texts of a record as casework has it, in the order that they were sent in."""
    found = [record[name] for name in ("title", "summary", "grading_rationale")]
    for claim, victim in zip(record["claims"], record["victims"], strict=True):
        found += [claim[name] for name in ("paraphrase", "quotation", "note", "locator")]
        found += [claim.get("time_said", claim.get("time")), claim.get("place_said", "")]
        found += [*victim["names"], claim["counts"][0]["reported_text"]]
    assessed = record["assessment"]["counts"][0]
    return [*found, assessed["reported_text"], assessed["basis"][0]["reason"]]


def as_casework(content: dict[str, Any]) -> dict[str, Any]:
    """A document in the shape of a record, as far as texts go."""
    return {
        **content,
        "grading_rationale": content["grading"]["rationale"],
        "claims": [{**claim, "place_said": claim["place"]} for claim in content["claims"]],
        "assessment": {"counts": content["casualties"]},
    }


def read(answer: HttpResponse, status: int = 200) -> dict[str, Any]:
    assert answer.status_code == status, answer.content[:2000]
    return dict(json.loads(answer.content))


@pytest.mark.usefixtures("committed")
def test_every_text_is_the_same_at_every_stop(
    people: SimpleNamespace, api: MakeApi, articles: tuple[str, str], sent: Any
) -> None:
    mine, verifier = api("researcher"), api("verifier")
    body = entered(articles[0], sent)
    everything = {text for texts, names in sent for text in [*texts.values(), *names]}
    assert everything >= set(CORPUS)
    expected = digests(texts_of_record(body))
    answer = mine.post(BASE, body)
    record = read(answer, 201)
    one = f"{BASE}{record['id']}/"

    def same(found: dict[str, Any], stop: str) -> None:
        assert digests(texts_of_record(found)) == expected, stop

    same(record, "the answer to POST")
    assert record["internal_note"] == body["internal_note"]
    same(read(mine.get(one)), "GET")
    changed = mine.patch(one, {"radius_m": 7}, headers={"If-Match": answer["ETag"]})
    same(read(changed), "PATCH of another field")
    put = mine.put(one, {**read(changed), "radius_m": 8}, headers={"If-Match": changed["ETag"]})
    same(read(put), "PUT of what was read")
    _history_has_them(mine, one, body)
    same(as_casework(read(verifier.get(f"{one}content/"))["content"]), "the preview")
    etag = put["ETag"]
    for step, who in (("submit", mine), ("verify", verifier), ("publish", verifier)):
        if step == "verify":
            answer_warnings(Incident.objects.get(uuid=record["id"]), by=people.verifier)
        moved = who.post(f"{one}{step}/", headers={"If-Match": etag})
        same(read(moved), step)
        etag = moved["ETag"]
    code = read(moved)["code"]
    public = Client()
    published = read(public.get(f"/api/v1/incidents/{code}/"))
    same(as_casework(published), "the public document")
    version = read(public.get(f"/api/v1/incidents/{code}/versions/1/"))
    same(as_casework(version.get("document", version)), "the public version")
    listed = next(
        row for row in read(public.get("/api/v1/incidents/"))["results"] if row["code"] == code
    )
    assert [listed["title"], listed["summary"]] == [body["title"], body["summary"]]
    assert [person["names"] for person in listed["victims"]] == [names for _, names in sent]


def _history_has_them(program: Api, one: str, body: dict[str, Any]) -> None:
    found: set[str] = set()
    before: dict[str, Any] = {}
    while True:
        page = read(program.get(f"{one}history/", {"limit": 200, **before}))
        for entry in page["results"]:
            for change in entry["changes"]:
                values = change["after"] if isinstance(change["after"], list) else [change["after"]]
                found |= {value for value in values if isinstance(value, str)}
        if page["next_before"] is None:
            break
        before = {"before": page["next_before"]}
    assert found >= set(texts_of_record(body))


@pytest.mark.django_db
def test_a_step_and_a_remark_are_kept_as_they_were_said(
    draft: Callable[..., Incident], api: MakeApi
) -> None:
    incident = draft()
    mine = api("researcher")
    one = f"{BASE}{incident.uuid}/"
    for text in BY_HAND[:12]:
        said = mine.post(f"{one}comments/", {"field": "title", "text": text})
        assert read(said, 201)["text"] == text
    reason = " why\r\n\u200b "
    etag = mine.get(one)["ETag"]
    mine.patch(one, {"title": "t", "change_reason": reason}, headers={"If-Match": etag})
    assert read(mine.get(f"{one}history/"))["results"][0]["why"] == reason
    etag = mine.get(one)["ETag"]
    mine.post(f"{one}submit/", {"reason": reason}, headers={"If-Match": etag})
    assert read(mine.get(f"{one}steps/"))["results"][-1]["reason"] == reason


@pytest.mark.django_db
@pytest.mark.parametrize("text", REFUSED, ids=lambda text: text.split(chr(32))[-2])
def test_what_is_no_text_is_refused_where_it_comes_in(
    draft: Callable[..., Incident], api: MakeApi, text: str
) -> None:
    incident = draft()
    before = IncidentRevision.objects.get(incident=incident).number
    mine = api("researcher")
    one = f"{BASE}{incident.uuid}/"
    claim = incident.claims.get()
    headers = {"If-Match": mine.get(one)["ETag"]}
    for answer, field in (
        (mine.post(BASE, {"title": text}), "title"),
        (mine.patch(one, {"summary": text}, headers=headers), "summary"),
        (
            mine.patch(f"{one}claims/{claim.uuid}/", {"quotation": text}, headers=headers),
            "quotation",
        ),
        (
            mine.post(f"{one}victims/", {"outcome": "killed", "names": [text]}, headers=headers),
            "names[0]",
        ),
        (mine.post(f"{one}comments/", {"field": "title", "text": text}), "text"),
    ):
        assert answer.status_code == 400
        assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert IncidentRevision.objects.get(incident=incident).number == before


@pytest.mark.usefixtures("committed")
def test_a_text_of_many_words_is_published_whole(
    draft: Callable[..., Incident], people: SimpleNamespace, api: MakeApi
) -> None:
    """An index of words has an end, and the record does not."""
    summary = " ".join(f"{n:x}z" for n in range(120_000))
    incident = draft("published", summary=summary)
    published = read(Client().get(f"/api/v1/incidents/{incident.code}/"))
    assert published["summary"] == summary == build_content(incident.pk)["summary"]
    found = read(Client().get("/api/v1/incidents/", {"q": "1az"}))
    assert [row["code"] for row in found["results"]] == [incident.code]
