"""Two people press Save at the same moment: one is stored, the other is told, nothing is lost."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from incidents.models import Claim, Incident
from tests.admin.test_entering import change_url
from tests.admin.test_kept_login import form_of
from tests.clients import logged_in
from tests.incidents.test_races import at_once

CELL = "figure-killed-civilian-all-all"


@pytest.mark.parametrize("kind", ["incident", "claim"])
def test_two_at_once(
    kind: str, committed: None, people: SimpleNamespace, draft: Callable[..., Incident]
) -> None:
    incident = draft()
    claim: Claim = incident.claims.get()
    row: Any = incident if kind == "incident" else claim
    text = "summary" if kind == "incident" else "quotation"
    address, form_id = change_url(row), f"{kind}_form"
    clients = [logged_in(people.researcher), logged_in(people.researcher)]
    for n in range(3):
        forms = [form_of(client.get(address), form_id) for client in clients]
        texts = [f"Round {n}, from {i}" for i in range(2)]
        for i, form in enumerate(forms):
            form |= {text: [texts[i]], CELL: [str(10 * n + i + 3)]}

        def saving(i: int, forms: Any = forms) -> Callable[[], Any]:
            return lambda: clients[i].post(address, forms[i])

        answers = at_once(saving(0), saving(1))
        assert sorted(answer.status_code for answer in answers) == [200, 302]  # type: ignore[attr-defined]
        told = next(i for i, answer in enumerate(answers) if answer.status_code == 200)  # type: ignore[attr-defined]
        page: Any = answers[told]
        lines = {line.name: line for line in page.context["lines"]}
        assert {name: line.kind for name, line in lines.items()} == {text: "both", CELL: "both"}
        assert (lines[text].now, lines[text].mine) == (texts[1 - told], texts[told])
        form = form_of(page, form_id)
        assert form[text] == [texts[told]]
        row.refresh_from_db()
        assert getattr(row, text) == texts[1 - told]
        form |= {f"choose:{text}": ["mine"], f"choose:{CELL}": ["theirs"]}
        assert clients[told].post(address, form).status_code == 302
        row.refresh_from_db()
        assert getattr(row, text) == texts[told]
        count = incident.casualtycounts.get(claim=claim if kind == "claim" else None)
        assert count.best == 10 * n + (1 - told) + 3
