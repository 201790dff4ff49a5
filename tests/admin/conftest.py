from __future__ import annotations

from collections.abc import Callable
from html.parser import HTMLParser

import pytest
from django.http import HttpResponse


class _Form(HTMLParser):
    """What a browser would send back if the person changed nothing."""

    def __init__(self, form_id: str) -> None:
        super().__init__()
        self.form_id = form_id
        self.inside = False
        self.data: dict[str, list[str]] = {}
        self.select: str | None = None
        self.is_multiple = False
        self.area: str | None = None
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        at = dict(attrs)
        if tag == "form":
            self.inside = at.get("id") == self.form_id
        name = at.get("name")
        if not self.inside:
            return
        if tag == "input" and name and at.get("type") not in ("submit", "checkbox", "radio"):
            self.data.setdefault(name, []).append(at.get("value") or "")
        elif tag == "input" and name and "checked" in at:
            self.data.setdefault(name, []).append(at.get("value") or "on")
        elif tag == "textarea":
            self.area, self.text = name, ""
        elif tag == "select":
            self.select, self.is_multiple = name, "multiple" in at
        elif tag == "option" and self.select:
            values = self.data.setdefault(self.select, [])
            if "selected" in at or (not values and not self.is_multiple):
                if values and not self.is_multiple:
                    values.clear()
                values.append(at.get("value") or "")

    def handle_data(self, data: str) -> None:
        if self.area is not None:
            self.text += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea" and self.area is not None:
            # The first newline is markup; all the others travel as CRLF.
            text = self.text.removeprefix("\n").replace("\r\n", "\n").replace("\n", "\r\n")
            self.data.setdefault(self.area, []).append(text)
            self.area = None
        elif tag == "select":
            self.select = None
        elif tag == "form":
            self.inside = False


@pytest.fixture
def filled() -> Callable[[HttpResponse, str], dict[str, list[str]]]:
    """The data of the form with this id on a page, as a browser would send it untouched."""

    def read(response: HttpResponse, form_id: str) -> dict[str, list[str]]:
        parser = _Form(form_id)
        parser.feed(response.content.decode())
        return {name: values for name, values in parser.data.items() if "__prefix__" not in name}

    return read
