"""The few pages beside the API and the admin, and what stands on them when something is wrong."""

from __future__ import annotations

from typing import Any

from django.db import DatabaseError, connections
from django.http import Http404, HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.views.decorators.http import require_safe

from harmtracker.api import problems

# The templates are rendered without the request: nothing of whoever reads can be on the page.
PAGE_CACHE = "public, max-age=300"


def _page(template: str, context: dict[str, Any] | None = None) -> HttpResponse:
    text = render_to_string(template, context)
    return HttpResponse(text, headers={"Cache-Control": PAGE_CACHE})


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    return _page("home.html", {"address": request.build_absolute_uri("/")})


@require_safe
def problem_kinds(request: HttpRequest) -> HttpResponse:
    """All kinds of problems that the API answers with."""
    return _page("problems.html", {"kinds": problems.KINDS})


@require_safe
def problem_kind(request: HttpRequest, slug: str) -> HttpResponse:
    """Where the ``type`` of a problem leads."""
    if slug not in problems.KINDS:
        raise Http404
    return _page("problems.html", {"kinds": {slug: problems.KINDS[slug]}})


def _plain(text: str, status: int = 200) -> HttpResponse:
    return HttpResponse(
        f"{text}\n",
        status=status,
        content_type="text/plain; charset=utf-8",
        headers={"Cache-Control": "no-store"},
    )


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers."""
    return _plain("ok")


@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """Both databases answer."""
    silent = [alias for alias in ("default", "published") if not _answers(alias)]
    return _plain(f"no answer from: {', '.join(silent)}", 503) if silent else _plain("ok")


def _answers(alias: str) -> bool:
    try:
        with connections[alias].cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return False
    return True


# What Django asks for when no view answered: below /api/ it is a problem, elsewhere a line.


def _failed(request: HttpRequest, problem: problems.Problem) -> HttpResponse:
    if request.path.startswith("/api/"):
        return problems.respond(problem)
    kind = problems.KINDS[problem.slug]
    request_id = problem.members.get("request_id")
    suffix = f" (request {request_id})" if request_id else ""
    response = _plain(f"{kind.status} {kind.title}{suffix}", kind.status)
    for name, value in problem.headers.items():
        response[name] = value
    return response


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _failed(request, problems.Problem("malformed-request"))


def not_allowed(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _failed(request, problems.Problem("not-allowed"))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _failed(request, problems.Problem("not-found"))


def server_error(request: HttpRequest) -> HttpResponse:
    return _failed(request, problems.unexpected())
