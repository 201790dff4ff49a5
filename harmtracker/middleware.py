from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse


class NonAdminIsStateless:
    """Only the admin has sessions: a cookie sent to any other page is not even read.

    So the same public address never shows two people different things.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path.startswith("/admin/"):
            request.COOKIES.clear()
            request.META.pop("HTTP_COOKIE", None)
        return self.get_response(request)
