"""A new record from an article: find it or enter it, say what happened, go on to claims."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_http_methods

from harmtracker.accounts.models import User
from harmtracker.accounts.rights import need
from harmtracker.admin_base import admin_url, in_words, person
from harmtracker.admin_fields import ExactText
from harmtracker.codes import choices
from harmtracker.errors import DomainError, Invalid
from harmtracker.fields import validate_address
from harmtracker.history.acting import acting
from harmtracker.picking import PickField, found
from harmtracker.reading_back import DateInWords
from incidents import services
from incidents.models import Incident
from incidents.picking import PLACE
from sources import services as sources
from sources.addresses import articles_at, is_address
from sources.models import Article, Outlet
from sources.picking import ARTICLE, OUTLET

from .map import map_to_pick
from .pages import desk_page

LINE = {"class": "vTextField"}
LONGEST_ASKED = 2000


class ArticleForm(forms.Form):
    """An article that is not known yet, and its outlet, known or new."""

    title = ExactText(
        max_length=500, label="Title of the article", widget=forms.TextInput(attrs=LINE)
    )
    outlet = PickField(
        kind=OUTLET,
        required=False,
        label="Outlet",
        help_text="By any of its names.",
    )
    outlet_kind = forms.ChoiceField(
        required=False,
        label="If the outlet is new: its kind",
        help_text="It is made with the name above. Leave this empty for one that is known.",
    )
    published = DateInWords(required=False, max_length=120, label="Published")
    language = ExactText(
        max_length=20,
        label="Language",
        help_text="BCP 47 code, such as en or my.",
        widget=forms.TextInput(attrs={"class": "vTextField", "list": "languages"}),
    )
    url = ExactText(
        required=False,
        max_length=2000,
        label="Address",
        validators=[validate_address],
        help_text="Of the original; empty for print, radio or a witness.",
        widget=forms.TextInput(attrs={"class": "vURLField"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kinds: Any = self.fields["outlet_kind"]
        kinds.choices = [("", "---------"), *choices("outlet_kind")]

    def clean(self) -> dict[str, Any]:
        """A kind says that the outlet is new, unless one is called exactly so."""
        said = self.cleaned_data
        picked = self["outlet"].data
        new_name = picked.words.strip()
        if said.get("outlet") is not None:
            return said
        if said.get("outlet_kind") and new_name and not picked.choice:
            self.errors.pop("outlet", None)
            said |= {"outlet": None, "new_outlet": picked.words}
        elif "outlet" not in self.errors:
            self.add_error("outlet", "Say whose article it is.")
        elif found(OUTLET, new_name, 1) == []:
            self.add_error("outlet_kind", "Say what kind of outlet it is, and it is made new.")
        return said


class EventForm(forms.Form):
    """What the record begins with. All of it can be mended on the record's own page."""

    incident_title = ExactText(
        max_length=300,
        label="What happened",
        help_text="What happened, where, when, in a line.",
        widget=forms.TextInput(attrs=LINE),
    )
    date_edtf = DateInWords(required=False, max_length=120, label="Date of the incident")
    place = PickField(
        kind=PLACE,
        required=False,
        label="Place of the incident",
        help_text="By any spelling, in any script; wider places stand behind it.",
    )


@require_http_methods(["GET", "HEAD", "POST"])
def from_article_view(request: HttpRequest) -> HttpResponse:
    """``?find=`` looks for the article, ``?article=`` has it; POST enters the record."""
    user = person(request)
    if not user.has_perm("incidents.add_incident"):
        raise PermissionDenied
    asked = request.GET.get("find", "").replace("\x00", "").strip()[:LONGEST_ASKED]
    article: Article | None = None
    if "article" in request.GET:
        article = get_object_or_404(
            Article.objects.select_related("outlet"), pk=_number(request.GET["article"])
        )
    known: list[Article] = []
    if article is None and asked:
        known = articles_at(asked) if is_address(asked) else found(ARTICLE, asked)
        if is_address(asked) and len(known) == 1 and request.method != "POST":
            messages.info(request, "The article is known already: this record will rest on it.")
            return HttpResponseRedirect(admin_url("incidents_incident_enter", article=known[0].pk))
    data = request.POST if request.method == "POST" else None
    event_form = EventForm(data)
    first = {"url": asked} if is_address(asked) else {"title": asked}
    article_form = ArticleForm(data, initial=first) if article is None and asked else None
    forms_here: list[forms.Form] = (
        [event_form] if article_form is None else [article_form, event_form]
    )
    if data is not None and (article or article_form) and _all_valid(forms_here):
        try:
            incident, article = _enter(user, article, article_form, event_form)
        except DomainError as refusal:
            _say(refusal, forms_here)
        else:
            messages.success(
                request, "The record is begun. What does the article say? First claim:"
            )
            return HttpResponseRedirect(
                admin_url("incidents_claim_add", incident=incident.pk, article=article.pk)
            )
    _focus(article_form or event_form)
    said = event_form.cleaned_data if event_form.is_bound else {}
    return desk_page(
        request,
        "admin/entering/from_article.html",
        "New incident from an article",
        asked=asked,
        known=known,
        article=article,
        records=[] if article is None else _resting_on(article, user),
        article_form=article_form,
        event_form=event_form if article is not None or asked else None,
        map_pick=map_to_pick(said.get("place")),
    )


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else 0


def _all_valid(all_forms: list[forms.Form]) -> bool:
    # Each is asked, so that all say at once what they lack.
    answers = [form.is_valid() for form in all_forms]
    return all(answers)


def _focus(form: forms.Form) -> None:
    wrong = [name for name in form.fields if form.is_bound and name in form.errors]
    name = (wrong or [*form.fields])[0]
    form.fields[name].widget.attrs["autofocus"] = True


def _resting_on(article: Article, user: User) -> list[Incident]:
    """Records with a claim of it that this person may see: perhaps the incident is there."""
    rows = Incident.objects.visible_to(user).filter(claims__article=article)
    return list(rows.distinct().order_by("-pk")[:20])


def _enter(
    user: User, article: Article | None, article_form: ArticleForm | None, event_form: EventForm
) -> tuple[Incident, Article]:
    """All of it or nothing, by the services that the API calls."""
    said = event_form.cleaned_data
    with acting(user, "Entered from an article"):
        if article is None:
            assert article_form is not None  # noqa: S101
            article = _new_article(user, article_form.cleaned_data)
        incident = services.create_incident(
            author=user,
            title=said["incident_title"],
            date_edtf=said["date_edtf"] or None,
            place=said["place"],
        )
    return incident, article


def _new_article(user: User, said: dict[str, Any]) -> Article:
    need(user, "sources.add_article", "enter articles")
    outlet: Outlet | None = said["outlet"]
    if outlet is None:
        need(user, "sources.add_outlet", "enter outlets")
        outlet = sources.create_outlet(name=said["new_outlet"], kind=said["outlet_kind"])
    return sources.create_article(
        outlet=outlet,
        title=said["title"],
        language=said["language"],
        published=said["published"] or None,
        url=said["url"] or None,
    )


def _say(refusal: DomainError, all_forms: list[forms.Form]) -> None:
    """A refusal at the field that it names, else above all."""
    event_form = all_forms[-1]
    for name, texts in refusal.fields.items() if isinstance(refusal, Invalid) else ():
        for form in reversed(all_forms):
            if name in form.fields:
                form.add_error(name, texts)
                return
    event_form.add_error(None, in_words(refusal))
