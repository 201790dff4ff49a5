from __future__ import annotations

from collections.abc import Callable
from functools import partial, update_wrapper
from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.auth.views import PasswordChangeView
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, URLResolver, path, reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.debug import sensitive_post_parameters

from harmtracker.accounts import entrance, kept, lockout, sessions
from harmtracker.accounts.forms import OwnPasswordForm


class Desk(AdminSite):
    """The admin, behind password and second factor."""

    def has_permission(self, request: HttpRequest) -> bool:
        return super().has_permission(request) and sessions.is_verified(request)

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """Django's, and in how many seconds the session ends if nothing more is asked of it."""
        return {**super().each_context(request), "session_left": sessions.left(request)}

    def admin_view(self, view: Callable[..., Any], cacheable: bool = False) -> Any:
        """Django's, and no text that was typed into a form is lost by it."""
        inner: Any = super().admin_view(view, cacheable)

        def kept_view(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if request.method != "POST":
                return inner(request, *args, **kwargs)
            return kept.answered(inner, request, *args, **kwargs)

        return update_wrapper(kept_view, inner)

    def autocomplete_view(self, request: HttpRequest) -> HttpResponse:
        """Nothing is chosen by Django's searched lists here: :mod:`harmtracker.picking` does it."""
        raise Http404

    def get_urls(self) -> list[URLPattern | URLResolver]:
        def before(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
            return sensitive_post_parameters()(never_cache(csrf_protect(view)))

        return [
            path("enrol/", before(entrance.enrol), name="enrol"),
            path("link/", before(entrance.use_link), name="password_link"),
            path("link/<str:secret>/", before(entrance.open_link), name="open_password_link"),
            path("confirm/", self.admin_view(entrance.confirm), name="confirm"),
            *super().get_urls(),
        ]

    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if request.method == "GET" and self.has_permission(request):
            return HttpResponseRedirect(reverse("admin:index"))
        return sensitive_post_parameters()(never_cache(csrf_protect(entrance.login)))(request)

    def password_change(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> Any:
        network = lockout.network_of(request)
        form = partial(_own_password_form, network=network)
        return PasswordChangeView.as_view(
            form_class=form,
            success_url=reverse("admin:password_change_done"),
            template_name="registration/password_change_form.html",
            extra_context={**self.each_context(request), **(extra_context or {})},
        )(request)


def _own_password_form(*args: Any, network: str, **kwargs: Any) -> OwnPasswordForm:
    form = OwnPasswordForm(*args, **kwargs)
    form.network = network
    return form
