"""After a redaction no list holds the text, in any format."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import pytest
from django.test import Client

from incidents.models import Incident
from tests.drafts import publish_again
from tests.exports import reading
from tests.exports.reading import LISTS
from tests.exports.test_hidden import WAYS, text_of
from tests.incidents.test_redaction import NAME, take, told


@pytest.mark.usefixtures("committed")
def test_no_format_holds_what_was_redacted(
    client: Client, draft: Callable[..., Incident], people: SimpleNamespace
) -> None:
    incident = publish_again(told(draft, people), people, summary=f"{NAME}’s house was hit.")

    def found() -> list[tuple[str, str, str]]:
        return [
            way for way in WAYS if "htwe" in text_of(way[1], reading.get(client, *way)).casefold()
        ]

    before = {name for name, _, _ in found()}
    assert before == set(LISTS)
    take(incident, people)
    assert found() == []
