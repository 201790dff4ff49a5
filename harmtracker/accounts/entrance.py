"""The pages before the desk: login, the second factor, and links that set a password."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import admin, messages
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode

from harmtracker.accounts import links, second_factor, sessions
from harmtracker.accounts.forms import (
    CodeForm,
    EnrolmentForm,
    LimitedForm,
    LoginForm,
    NewPasswordForm,
)
from harmtracker.accounts.models import User
from harmtracker.errors import Conflict, DomainError


def page(
    request: HttpRequest, template: str, title: str, *, status: int = 200, **context: Any
) -> HttpResponse:
    """A page of the admin; 429 where its form was not looked at."""
    response = TemplateResponse(
        request,
        f"admin/accounts/{template}.html",
        {**admin.site.each_context(request), "title": title, "subtitle": None, **context},
        status=status,
    )
    form = context.get("form")
    if isinstance(form, LimitedForm) and form.too_many is not None:
        response.status_code = 429
        response.headers["Retry-After"] = str(form.too_many.wait_s)
    return response


def _to(name: str) -> HttpResponse:
    return HttpResponseRedirect(reverse(f"admin:{name}"))


def _next(request: HttpRequest) -> str:
    """Where the person was going, if that is a page of ours."""
    wanted = request.POST.get(REDIRECT_FIELD_NAME) or request.GET.get(REDIRECT_FIELD_NAME) or ""
    is_ours = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wanted if is_ours else reverse("admin:index")


def login(request: HttpRequest) -> HttpResponse:
    """The only way to a session: with password and code, or with the enrolment of a code."""
    form = LoginForm(request, request.POST or None)
    if request.method == "POST" and form.is_valid() and form.person is not None:
        if form.must_enrol:
            sessions.begin_enrolment(request, form.person)
            return _to("enrol")
        sessions.begin(request, form.person)
        return HttpResponseRedirect(_next(request))
    return page(request, "login", "Log in", form=form, next=_next(request))


def enrol(request: HttpRequest) -> HttpResponse:
    """Set up the authenticator app; then the recovery codes, this once."""
    person = sessions.enrolling(request)
    if person is None or second_factor.is_enrolled(person):
        return _to("login")
    form = EnrolmentForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            codes = second_factor.confirm(person, form.cleaned_data["code"])
        except Conflict as refusal:
            messages.error(request, refusal.message)
            return _to("login")
        if codes is not None:
            sessions.begin(request, person)
            return page(request, "recovery_codes", "Your recovery codes", codes=codes)
        form.add_error("code", "This is not the code that the app shows now: take the next one.")
    app = second_factor.enrolling(person)
    secret = second_factor.secret_in_letters(app)
    return page(
        request,
        "enrol",
        "Set up your second factor",
        form=form,
        person=person,
        qr_code=second_factor.qr_code(app),
        secret=" ".join(secret[i : i + 4] for i in range(0, len(secret), 4)),
    )


def open_link(request: HttpRequest, secret: str) -> HttpResponse:
    """Take the secret out of the address, before anything on a page could pass it on."""
    link = links.find(secret)
    if link is None:
        return _dead_link(request)
    sessions.open_link(request, link)
    return _to("password_link")


def use_link(request: HttpRequest) -> HttpResponse:
    """Choose a password; then the second factor, where there is none."""
    opened = sessions.opened_link(request)
    link = None if opened is None else links.still_good(opened)
    if link is None:
        return _dead_link(request)
    form = NewPasswordForm(link.person, request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            person = links.use(link, form.cleaned_data["new_password1"])
        except DomainError as refusal:
            form.add_error(None, refusal.message)
        else:
            if second_factor.is_enrolled(person):
                request.session.flush()
                messages.success(request, "Your password is set. Log in with it and with a code.")
                return _to("login")
            sessions.begin_enrolment(request, person)
            return _to("enrol")
    return page(request, "password_link", "Choose your password", form=form, link=link)


def _dead_link(request: HttpRequest) -> HttpResponse:
    text = links.NO_LONGER_GOOD
    return page(request, "dead_link", "This link is not good", status=404, text=text)


def confirm(request: HttpRequest) -> HttpResponse:
    """Ask once more for a code, before a change of what people may do."""
    form = CodeForm(request, request.POST or None)
    if request.method == "POST" and form.is_valid():
        sessions.refresh(request)
        return HttpResponseRedirect(_next(request))
    return page(request, "confirm", "Confirm that it is you", form=form, next=_next(request))


def fresh(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Ask for a code first, where the last one is more than ten minutes ago.

    For methods of an admin whose permissions the method itself checks.
    """

    @wraps(view)
    def asked(self: Any, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if sessions.is_fresh(request):
            return view(self, request, *args, **kwargs)
        query = urlencode({REDIRECT_FIELD_NAME: request.get_full_path()})
        return HttpResponseRedirect(f"{reverse('admin:confirm')}?{query}")

    return asked


def acting_person(request: HttpRequest) -> User:
    """Who is logged in, on pages where the admin has let nobody else in."""
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user
