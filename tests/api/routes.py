"""Every address below ``/api/``, so that a test covers a new route the day it is added."""

from __future__ import annotations

from collections.abc import Iterator

from django.urls import URLPattern, URLResolver, get_resolver

from incidents.models import PublishedReference

CODE = "MMR-2023-0001"


def _patterns(resolver: URLResolver, prefix: str = "") -> Iterator[str]:
    for pattern in resolver.url_patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLPattern):
            yield f"/{path}"
        else:
            yield from _patterns(pattern, path)


def templates() -> list[str]:
    """Such as ``/api/v1/incidents/<str:code>/``."""
    return [path for path in _patterns(get_resolver()) if path.startswith("/api/v1/")]


def examples() -> list[str]:
    """One address of each public route, of something that is there."""
    values = {
        "/api/v1/weapon-types/<str:code>/": "EXG-ART",
        "/api/v1/codelists/<str:list>/": "grading",
        "<str:code>": CODE,
        "<str:number>": "1",
    }
    for kind in ("place", "actor", "outlet", "article"):
        found = PublishedReference.objects.using("published").filter(kind=kind)
        values[f"/api/v1/{kind}s/<str:id>/"] = found.values_list("key", flat=True)[0]
    # The tests' data hold no release: tests/releases makes its own.
    public = [
        path
        for path in templates()
        if not path.startswith("/api/v1/casework/") and "/<str:name>/" not in path
    ]
    return [_filled(template, values) for template in public]


def _filled(template: str, values: dict[str, str]) -> str:
    if template in values:
        return template[: template.index("<")] + values[template] + "/"
    return template.replace("<str:code>", values["<str:code>"]).replace(
        "<str:number>", values["<str:number>"]
    )
