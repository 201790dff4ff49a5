"""XLSX: written in turns with other work, by a few at once; texts as Excel counts them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from incidents.exports import batches, xlsx
from incidents.models import PublishedClaim
from tests.exports import reading

CLAIMS = "/api/v1/claims/?format=xlsx"


@pytest.mark.usefixtures("three")
def test_others_have_their_turn_while_it_is_written(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(xlsx, "_ROWS_AT_ONCE", 10)
    pieces = list(client.get(CLAIMS).streaming_content)
    begins = next(place for place, piece in enumerate(pieces) if piece)
    assert begins >= 8  # of 80 rows
    assert pieces[begins].startswith(b"PK")
    assert all(pieces[begins:])


@pytest.mark.usefixtures("three")
def test_a_few_are_written_at_once_and_one_that_is_given_up_makes_room(client: Client) -> None:
    answers = [client.get(CLAIMS) for _ in range(xlsx.MOST_AT_ONCE)]
    refused = client.get(CLAIMS)
    assert refused.status_code == 503
    assert int(refused["Retry-After"]) > 0
    next(iter(answers[0].streaming_content))
    answers[0].close()
    del answers[0]  # given up, begun
    reading.body(client.get(CLAIMS))
    while answers:  # never begun
        answers.pop().close()
    for _ in range(2 * xlsx.MOST_AT_ONCE):
        reading.body(client.get(CLAIMS))


@pytest.mark.usefixtures("three")
def test_nothing_is_left_of_one_that_is_given_up(
    client: Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(xlsx.tempfile, "tempdir", str(tmp_path))
    response = client.get(CLAIMS)
    next(iter(response.streaming_content))
    response.close()
    del response
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("three")
def test_more_bytes_than_may_be_break_off_and_say_so(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(xlsx, "MOST_BYTES", 1000)
    answer = b"".join(client.get(CLAIMS))
    assert answer == b"The export broke off here: narrow the filters, or take format=csv.\n"


@pytest.mark.usefixtures("committed")
@pytest.mark.parametrize(
    ("text", "cell"),
    [
        # XML has one kind of line end, and no controls: Excel's own way of writing them.
        ("a\r\nb", "a_x000D_\nb"),
        ("a\x0bb", "a_x000B_b"),
        ("a\uffffb", "a_xFFFF_b"),
        ("a_x000D_b", "a_x005F_x000D_b"),
        ("\U0001f600" * 16_000, "\U0001f600" * 16_000),
        # Excel counts what lies beyond U+FFFF twice.
        ("\U0001f600" * 20_000, None),
        ("x" * 32_767, "x" * 32_767),
    ],
    ids=["lines", "control", "no character", "escape", "emoji", "too many emoji", "longest"],
)
def test_texts_of_any_kind(client: Client, text: str, cell: str | None) -> None:
    claim = PublishedClaim.objects.using("default").earliest("incident_id", "position")
    claim.quotation = text
    claim.save(using="default")
    lines, book = reading.by_openpyxl(reading.get(client, "claims", "xlsx"))
    found = lines[1][[name.value for name in lines[0]].index("quotation")].value
    about = {line[0].value: line[1].value for line in book["About"].iter_rows(max_row=11)}
    assert about["Cut cells"] == str(int(cell is None))
    if cell is None:
        assert found.endswith("[... cut: 20000 characters; CSV has them all]")
        assert len(found.encode("utf-16-le")) // 2 <= 32_767
    else:
        assert found == cell


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize(("format", "is_export"), [("json", False), ("ndjson", True)])
def test_a_page_may_take_no_longer_than_any_answer(
    client: Client, monkeypatch: pytest.MonkeyPatch, format: str, is_export: bool
) -> None:
    """The longer timeout is for exports, which are counted as such."""
    longer, asked = batches.timeouts.for_exports, []

    def remembered(alias: str) -> Any:
        asked.append(alias)
        return longer(alias)

    monkeypatch.setattr(batches.timeouts, "for_exports", remembered)
    reading.get(client, "claims", format)
    assert bool(asked) is is_export
