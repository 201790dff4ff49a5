"""No text that a person typed is lost, whatever becomes of the request that it came with.

Every page of the admin goes through :func:`answered`. A form is sent and the session is dead: the
answer is the page for logging in, which carries what was typed. Its page is not there any more, or
closed by now: the answer shows what was typed. Afterwards the form itself is shown again, filled,
and nothing is saved before the person saves it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.cache import add_never_cache_headers
from django.utils.datastructures import MultiValueDict
from django.utils.html import escape
from django.views.decorators.csrf import csrf_protect

from harmtracker import pages
from harmtracker.accounts import entrance
from harmtracker.accounts.typed import KEPT, Typed, is_from_own_page, opened, sealed, typed_in
from harmtracker.accounts.typed_page import typed_page

SESSION_OVER = "Your session is over, and nothing was saved."
TOO_OLD_A_PAGE = (
    "Nothing was saved: the page was opened before you logged in anew, or a setting of your "
    "browser keeps its cookie away. Look at what you typed, and send it again."
)
SOMEBODY_ELSES = (
    "Nothing was saved. This page was opened by another person than the one who is logged in here "
    "now: what they typed is not shown to you."
)
View = Callable[..., HttpResponse]


def answered(view: View, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
    """What ``view`` answers to a form that was sent; its text comes back where it would be lost."""
    if not admin.site.has_permission(request):
        # Where the form's token was not looked at, the browser's word is.
        checked = getattr(request, "csrf_processing_done", False) or is_from_own_page(request)
        return (_logging_in(request) if checked else None) or view(request, *args, **kwargs)
    # A form with files is read by its own view, which says first where they go.
    is_read = hasattr(request, "_post")
    is_plain = request.content_type == "application/x-www-form-urlencoded"
    if (is_read or is_plain) and KEPT in request.POST:
        return csrf_protect(_filled)(request, view, *args, **kwargs)
    try:
        response = view(request, *args, **kwargs)
    except (PermissionDenied, Http404) as refusal:
        typed = typed_in(request)
        if typed is None:
            raise
        return _to_copy(request, typed, refusal)
    if response.status_code in (403, 404) and not hasattr(response, "template_name"):
        typed = typed_in(request)
        if typed is not None:
            return _to_copy(request, typed, Http404() if response.status_code == 404 else None)
    return response


def _to_copy(request: HttpRequest, typed: Typed, refusal: Exception | None) -> HttpResponse:
    if isinstance(refusal, Http404):
        notice = "Nothing was saved: there is no such page, or none that is open to you."
        return typed_page(request, typed, notice, status=404, way="copy")
    notice = "Nothing was saved: this is closed to you, or closed by now."
    return typed_page(request, typed, notice, status=403, way="copy")


def _logging_in(request: HttpRequest) -> HttpResponse | None:
    """The page for logging in, with what was typed; nothing where there was no text."""
    typed = typed_in(request)
    if typed is None:
        return None
    kept = sealed(typed)
    response = entrance.login_page(
        request, next_page=typed.address, kept=kept, lost=None if kept else typed
    )
    response.status_code = 403
    add_never_cache_headers(response)
    return response


def _filled(request: HttpRequest, view: View, *args: Any, **kwargs: Any) -> HttpResponse:
    """The form that something was typed into, filled with it, by a GET that cannot save.

    A view that binds ``request.POST or None`` shows it; for one that does not, the page that
    sends it again does.
    """
    typed = opened(request.POST[KEPT])
    if typed is None or not typed.is_of(request.user) or typed.address != request.get_full_path():
        return pages.not_allowed(request, PermissionDenied())
    request.method = "GET"
    request.POST = typed.fields  # type: ignore[assignment]
    request._files = MultiValueDict()  # type: ignore[attr-defined]
    request.typed = typed  # type: ignore[attr-defined]
    try:
        response = view(request, *args, **kwargs)
    except PermissionDenied as refusal:
        return _to_copy(request, typed, refusal)
    except Http404 as refusal:
        return _to_copy(request, typed, refusal)
    if hasattr(response, "render"):
        response.render()
    is_shown = getattr(request, "typed_is_shown", False)
    if response.status_code in (200, 403, 409) and (is_shown or _shows(response, typed)):
        return response
    notice = "This is what you typed. It is not saved yet."
    return typed_page(request, typed, notice, way="send")


def _shows(response: HttpResponse, typed: Typed) -> bool:
    if response.streaming:
        return False
    page = response.content.decode().replace("\r\n", "\n")
    return all(str(escape(text)).replace("\r\n", "\n") in page for _, text in typed.texts())


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form whose token is not good: mostly a tab that was left open over a login in another.

    Nothing is done with it. It is shown to who typed it, if a page of ours sent it.
    """
    if not request.path.startswith("/admin/") or not is_from_own_page(request):
        return pages.not_allowed(request, PermissionDenied(reason))
    typed = typed_in(request)
    if not admin.site.has_permission(request):
        is_login = request.path == entrance.LOGIN
        response = (None if is_login else _logging_in(request)) or entrance.login_page(
            request, kept=sealed(typed) if typed and KEPT in request.POST else "", is_old=True
        )
        response.status_code = 403
        add_never_cache_headers(response)
        return response
    if typed is None or (request.path == entrance.LOGIN and KEPT not in request.POST):
        return pages.not_allowed(request, PermissionDenied(reason))
    if not typed.is_of(request.user):
        empty = Typed("", typed.address, typed.fields.__class__(mutable=True))
        return typed_page(request, empty, SOMEBODY_ELSES, status=403, way="copy")
    return typed_page(request, typed, TOO_OLD_A_PAGE, status=403)
