"""The page that shows what was typed, where the form that it was typed into cannot."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.cache import add_never_cache_headers

from harmtracker.accounts.typed import KEPT, Typed, sealed

NOT_SAVED = "Not saved yet: what you typed is here"


def typed_page(
    request: HttpRequest,
    typed: Typed,
    notice: str,
    *,
    status: int = 200,
    way: str = "show",
    **context: Any,
) -> HttpResponse:
    """``way``: "show" leads to the form itself, "send" sends it from here, "copy" does neither."""
    kept = sealed(typed) if way == "show" else ""
    if way == "show" and not kept:
        way = "send"
    texts = set(typed.texts())
    response = TemplateResponse(
        request,
        "admin/typed.html",
        {
            **admin.site.each_context(request),
            "title": NOT_SAVED,
            "subtitle": None,
            "notice": notice,
            "typed": typed,
            "texts": [
                (_in_words(name), name, value, len(value) > 80 or "\n" in value)
                for name, value in typed.texts()
            ],
            "others": [
                (name, value)
                for name, values in typed.fields.lists()
                for value in values
                if (name, value) not in texts
            ],
            "way": way,
            "kept_name": KEPT,
            "kept": kept,
            **context,
        },
        status=status,
    )
    add_never_cache_headers(response)
    return response


def _in_words(name: str) -> str:
    """``casualtycounts-0-reported_text`` as "casualtycounts 1 reported text"."""
    parts: Iterable[str] = name.replace("_", " ").split("-")
    return " ".join(str(int(part) + 1) if part.isdecimal() else part for part in parts)
