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
from harmtracker.accounts.typed import KEPT, Typed, opened, sealed, typed_in
from harmtracker.accounts.typed_page import typed_page
from harmtracker.errors import Conflict, DomainError

LOGIN = "/admin/login/"


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


def login_page(
    request: HttpRequest,
    form: LoginForm | None = None,
    *,
    next_page: str = "",
    kept: str = "",
    lost: Typed | None = None,
    is_old: bool = False,
) -> HttpResponse:
    """``kept`` carries what was typed before; ``lost`` is what cannot be carried, to be copied."""
    return page(
        request,
        "login",
        "Log in",
        form=form or LoginForm(request),
        next=next_page or _next(request),
        action=LOGIN,
        kept=kept,
        lost=lost,
        is_old=is_old,
    )


def login(request: HttpRequest) -> HttpResponse:
    """The only way to a session: with password and code, or with the enrolment of a code."""
    form = LoginForm(request, request.POST or None)
    kept = request.POST.get(KEPT, "")
    typed = opened(kept)
    if request.method == "POST" and form.is_valid() and form.person is not None:
        if form.must_enrol:
            sessions.begin_enrolment(request, form.person)
            if typed is not None:
                return _enrol_page(request, form.person, EnrolmentForm(), kept)
            return _to("enrol")
        sessions.begin(request, form.person)
        if kept:
            return after_login(request, form.person, typed)
        return HttpResponseRedirect(_next(request))
    return login_page(request, form, kept="" if typed is None else kept)


def after_login(request: HttpRequest, person: User, typed: Typed | None) -> HttpResponse:
    """What this person typed before; where somebody else typed it, nothing of it."""
    if typed is not None and typed.is_of(person):
        return typed_page(
            request,
            typed,
            "You are logged in again. What you typed before is here, and it is not saved yet.",
        )
    why = "is too old" if typed is None else "was typed by another person, and is not shown to you"
    messages.warning(request, f"What this page had kept from before {why}. Nothing was saved.")
    return _to("index")


def enrol(request: HttpRequest) -> HttpResponse:
    """Set up the authenticator app; then the recovery codes, this once."""
    person = sessions.enrolling(request)
    if person is None or second_factor.is_enrolled(person):
        return _to("login")
    form = EnrolmentForm(request.POST or None)
    kept = request.POST.get(KEPT, "")
    if request.method == "POST" and form.is_valid():
        try:
            codes = second_factor.confirm(person, form.cleaned_data["code"])
        except Conflict as refusal:
            messages.error(request, refusal.message)
            return _to("login")
        if codes is not None:
            sessions.begin(request, person)
            typed = opened(kept)
            is_own = typed is not None and typed.is_of(person)
            return page(
                request,
                "recovery_codes",
                "Your recovery codes",
                codes=codes,
                kept=kept if is_own else "",
                address=typed.address if typed is not None else "",
            )
        form.add_error("code", "This is not the code that the app shows now: take the next one.")
    return _enrol_page(request, person, form, kept)


def _enrol_page(
    request: HttpRequest, person: User, form: EnrolmentForm, kept: str = ""
) -> HttpResponse:
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
        action=reverse("admin:enrol"),
        kept=kept if opened(kept) is not None else "",
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
    kept = request.POST.get(KEPT, "")
    typed = opened(kept)
    if request.method == "POST" and form.is_valid():
        sessions.refresh(request)
        if typed is not None and typed.is_of(request.user):
            return typed_page(request, typed, "Confirmed. What you typed is not saved yet.")
        return HttpResponseRedirect(_next(request))
    return _confirm_page(request, form, _next(request), "" if typed is None else kept)


def _confirm_page(
    request: HttpRequest, form: CodeForm, next_page: str, kept: str = ""
) -> HttpResponse:
    return page(
        request,
        "confirm",
        "Confirm that it is you",
        form=form,
        next=next_page,
        action=reverse("admin:confirm"),
        kept=kept,
    )


def fresh(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Ask for a code first, where the last one is more than ten minutes ago.

    For methods of an admin whose permissions the method itself checks.
    """

    @wraps(view)
    def asked(self: Any, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if sessions.is_fresh(request):
            return view(self, request, *args, **kwargs)
        typed = typed_in(request) if request.method == "POST" else None
        if typed is not None and (kept := sealed(typed)):
            return _confirm_page(request, CodeForm(request), typed.address, kept)
        query = urlencode({REDIRECT_FIELD_NAME: request.get_full_path()})
        return HttpResponseRedirect(f"{reverse('admin:confirm')}?{query}")

    return asked


def acting_person(request: HttpRequest) -> User:
    """Who is logged in, on pages where the admin has let nobody else in."""
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user
