"""The forms by which people prove who they are and choose passwords."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth import authenticate, password_validation
from django.contrib.auth.forms import PasswordChangeForm
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from harmtracker.accounts import events, lockout, second_factor, sessions
from harmtracker.accounts.models import SecurityEvent, User
from harmtracker.errors import TooMany
from harmtracker.history.acting import acting

# The same whatever was wrong: neither names nor right passwords can be tried out.
NOT_LET_IN = "Username, password and code do not fit together. Each code works once."
CODE_HELP = "Six digits from your authenticator app, or one of your recovery codes."
# So much is hashed at most.
LONGEST_PASSWORD = 1000


class CodeInput(forms.TextInput):
    """What was typed does not come back: a code is typed anew."""

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        return super().get_context(name, None, attrs)


def code_field(**more: Any) -> forms.CharField:
    return forms.CharField(
        label="Code",
        max_length=40,
        widget=CodeInput(
            attrs={"autocomplete": "one-time-code", "autocapitalize": "none", "spellcheck": "false"}
        ),
        **more,
    )


class LimitedForm(forms.Form):
    """A form that is not looked at after too many failures."""

    too_many: TooMany | None = None

    def refuse(self, refusal: TooMany) -> ValidationError:
        self.too_many = refusal
        return ValidationError(refusal.message)


class LoginForm(LimitedForm):
    """Username, password and code at once, so that no answer tells which of them was right.

    ``person`` is who logs in; ``must_enrol`` says that there is no second factor yet, and that
    the password was right.
    """

    username = forms.CharField(
        max_length=150,
        widget=forms.TextInput(
            attrs={"autocomplete": "username", "autocapitalize": "none", "autofocus": True}
        ),
    )
    password = forms.CharField(
        strip=False,
        max_length=LONGEST_PASSWORD,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    code = code_field(
        required=False,
        help_text=f"{CODE_HELP} Empty at your first login: it leads to setting the app up.",
    )

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request
        self.person: User | None = None
        self.must_enrol = False

    def clean(self) -> dict[str, Any]:
        super().clean()
        if self.errors:
            return self.cleaned_data
        username = self.cleaned_data["username"]
        network = lockout.network_of(self.request)
        try:
            attempt = lockout.reserve(lockout.Kind.LOGIN, account=username, network=network)
            self.person = self._proved(username)
        except TooMany as refusal:
            raise self.refuse(refusal) from refusal
        if self.person is None:
            raise ValidationError(NOT_LET_IN)
        lockout.release(attempt)
        return self.cleaned_data

    def _proved(self, username: str) -> User | None:
        password, code = self.cleaned_data["password"], self.cleaned_data["code"]
        person = authenticate(self.request, username=username, password=password)
        if not isinstance(person, User) or not person.is_staff:
            known = User.objects.filter(username=User.normalize_username(username)).first()
            events.record(SecurityEvent.Kind.LOGIN_FAILED, known)
            return None
        if not second_factor.is_enrolled(person):
            self.must_enrol = True
            return person
        return person if second_factor.check(person, code) else None


class CodeForm(LimitedForm):
    """A code of the person who is logged in already."""

    code = code_field(help_text=CODE_HELP)

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request

    def clean_code(self) -> str:
        code = str(self.cleaned_data["code"])
        network = lockout.network_of(self.request)
        person = self.request.user
        try:
            is_right = isinstance(person, User) and second_factor.check(
                person, code, network=network
            )
        except TooMany as refusal:
            raise self.refuse(refusal) from refusal
        if not is_right:
            raise ValidationError("This is not the code, or it was used already: take the next.")
        return code


class FreshForm(CodeForm):
    """A form of an act that cannot be taken back: it asks for a code as well, where the last one
    is more than ten minutes ago. What else was typed stays where the code was wrong.
    """

    asks_for_code = True

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(request, *args, **kwargs)
        if not self.asks_for_code or sessions.is_fresh(request):
            del self.fields["code"]
        else:
            code = self.fields["code"]
            code.help_text = f"Your last one is more than ten minutes ago. {CODE_HELP}"
            code.error_messages["required"] = "Give a code: your last one is too long ago."
            self.put_code_last()

    def put_code_last(self) -> None:
        self.order_fields([*(name for name in self.fields if name != "code"), "code"])

    def clean_code(self) -> str:
        code = super().clean_code()
        sessions.refresh(self.request)
        return code

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if "code" in self.fields and "code" in cleaned:
            # It is spent, and enough for what is typed now.
            del self.fields["code"]
        return cleaned


class EnrolmentForm(forms.Form):
    """The first code of an app that is being set up."""

    code = code_field(help_text="Six digits that the app shows now.")


class NewPasswordForm(forms.Form):
    """A password that its person chooses, twice."""

    new_password1 = forms.CharField(
        label="New password",
        strip=False,
        max_length=LONGEST_PASSWORD,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="At least 15 characters: a sentence that only you would think of is easiest to "
        "keep. Common passwords are refused.",
    )
    new_password2 = forms.CharField(
        label="Once more",
        strip=False,
        max_length=LONGEST_PASSWORD,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, person: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.person = person

    def clean_new_password1(self) -> str:
        password = str(self.cleaned_data["new_password1"])
        password_validation.validate_password(password, self.person)
        return password

    def clean(self) -> dict[str, Any]:
        super().clean()
        first, second = (self.cleaned_data.get(f"new_password{n}") for n in (1, 2))
        if first and second and first != second:
            self.add_error("new_password2", "The two are not the same.")
        return self.cleaned_data


class OwnPasswordForm(PasswordChangeForm):
    """Change of one's own password. Guessing at the old one counts towards the lock-out."""

    required_css_class = "required"
    network = "unknown"

    def clean_old_password(self) -> str:
        try:
            attempt = lockout.reserve(
                lockout.Kind.LOGIN, account=self.user.username, network=self.network
            )
        except TooMany as refusal:
            raise ValidationError(refusal.message) from refusal
        password = super().clean_old_password()
        lockout.release(attempt)
        return str(password)

    def save(self, commit: bool = True) -> User:
        with acting(self.user, "Own password changed"):
            super().save(commit)
        return self.user
