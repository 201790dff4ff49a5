"""What waits for a person: the verifiers' queue, and what an author got back."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from harmtracker.accounts.forms import FreshForm
from harmtracker.accounts.models import User
from harmtracker.admin_base import admin_url, in_words, person
from harmtracker.codes import code_list
from harmtracker.errors import DomainError
from incidents import workflow
from incidents.choices import State, Verb
from incidents.desk import queue
from incidents.desk.queue import Asked
from incidents.models import Incident
from incidents.publishing.totals import Total

from .pages import desk_page
from .reading import figures

# What a filter is called, and the values that are written in addresses.
HEADINGS = {
    "state": "State",
    "grading": "Grading",
    "place": "State or region",
    "taken": "Taken",
    "warnings": "Warnings",
    "source": "Source",
}
WRITTEN: dict[str, dict[str, bool]] = {
    "taken": queue.IS_TAKEN,
    "warnings": queue.HAS_WARNINGS,
    "source": queue.IS_IMPORTED,
}
# Verifying is no step for many at once: it says that a person has read the record, and there is no
# page on which many are read. What is published is the very bytes that a second person verified.
STEPS = {"publish": Verb.PUBLISH, "return": Verb.RETURN}
LARGEST = 2**63 - 1
FROM_THE_TOP: dict[str, str | None] = {"after": None, "before": None}


@sensitive_post_parameters("code")
@require_http_methods(["GET", "HEAD", "POST"])
def queue_view(request: HttpRequest) -> HttpResponse:
    user = person(request)
    tabs = queue.tabs_of(user)
    if not tabs:
        raise PermissionDenied
    if request.method == "POST":
        return _steps(request, user)
    asked = asked_for({name: str(value) for name, value in request.GET.items()}, tabs)
    counted, is_whole = queue.cells(asked, user)
    values, left = queue.facets(counted, asked.filters)
    # Where the counts say that nothing fits, nothing is looked for.
    page = queue.page(asked, user) if left or not is_whole else queue.NOTHING
    numbers = queue.numbers(user)
    return desk_page(
        request,
        "admin/desk/queue.html",
        "Queue",
        # The list has the whole width: the models are one page away.
        is_nav_sidebar_enabled=False,
        asked=asked,
        rows=[_row_in_words(row) for row in page.rows],
        tabs=[
            {
                "name": queue.TABS[tab],
                "number": _counted(numbers[tab]),
                "address": f"?tab={tab}",
                "is_here": tab == asked.tab,
            }
            for tab in tabs
        ],
        filters=_filters(request.GET, values, asked),
        orders=[(name, said, name == asked.order) for name, (said, _) in queue.ORDERS.items()],
        order_said=queue.ORDERS[asked.order][0],
        found=left if is_whole else None,
        at_least=left,
        query=request.GET.get("q", ""),
        kept=[(name, value) for name in ("tab", *HEADINGS) if (value := request.GET.get(name))],
        has_filters=bool(asked.filters or asked.words),
        without_filters=f"?tab={asked.tab}&order={asked.order}",
        following=_address(request.GET, after=_cursor(page.following), before=None),
        preceding=_address(request.GET, before=_cursor(page.preceding), after=None),
        has_following=page.following is not None,
        has_preceding=page.preceding is not None,
        also_taken=queue.also_taken(user) if asked.tab == "mine" else [],
        may_step=user.has_perm("incidents.verify_incident"),
        user_pk=user.pk,
        here=request.get_full_path(),
    )


def asked_for(said: Mapping[str, str], tabs: list[str]) -> Asked:
    """What an address asks for; :class:`BadRequest` where it is none that a page of ours writes."""
    tab = said.get("tab") or tabs[0]
    order = said.get("order") or "oldest"
    if tab not in queue.TABS or order not in queue.ORDERS:
        raise BadRequest("There is no such tab or order.")
    if tab not in tabs:
        raise PermissionDenied
    return Asked(
        tab=tab,
        order=order,
        filters={name: _value(name, said[name]) for name in HEADINGS if said.get(name)},
        words=said.get("q", "").replace("\x00", " ")[:200].split(),
        after=_key(said["after"], order) if said.get("after") else None,
        before=_key(said["before"], order) if said.get("before") else None,
    )


def _value(name: str, text: str) -> str | int | bool:
    if name in WRITTEN and text in WRITTEN[name]:
        return WRITTEN[name][text]
    if name == "state" and text in (State.DRAFT, State.SUBMITTED, State.VERIFIED):
        return text
    if name == "grading" and text in code_list("grading"):
        return text
    if name == "place":
        return 0 if text == "none" else _number(text)
    raise BadRequest("There is no such filter.")


def _number(text: str) -> int:
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) < 20 and int(digits) <= LARGEST):
        raise BadRequest("This is no number.")
    return int(text)


def _key(text: str, order: str) -> list[Any]:
    """A place in the order, as :func:`_cursor` wrote it."""
    parts = text.split("~")
    names = queue.ORDERS[order][1]
    if len(parts) != len(names):
        raise BadRequest("This is no place in the queue.")
    return [
        _day(part) if name == "day" else _number(part)
        for name, part in zip(names, parts, strict=True)
    ]


def _day(text: str) -> datetime.date:
    try:
        return datetime.date.fromisoformat(text)
    except ValueError as error:
        raise BadRequest("This is no day.") from error


def _cursor(key: Any) -> str | None:
    return None if key is None else "~".join(str(part) for part in key)


def _address(given: QueryDict, **changed: str | None) -> str:
    """The address of this page with some parameters changed; None takes one out."""
    query = given.copy()
    for name, value in changed.items():
        query.pop(name, None)
        if value is not None:
            query[name] = value
    return f"?{query.urlencode()}"


def _written(name: str, value: str | int | bool) -> str:
    if name in WRITTEN:
        return next(text for text, meant in WRITTEN[name].items() if meant == value)
    return "none" if name == "place" and not value else str(value)


def _filters(
    given: QueryDict, values: Mapping[str, Mapping[Any, int]], asked: Asked
) -> list[dict[str, Any]]:
    """Each filter with its values, the most frequent first, and the addresses that choose them."""
    places = queue.names_of(value for value in values["place"] if value)
    filters = []
    for name, heading in HEADINGS.items():
        if asked.tab == "free" and name == "taken":
            continue
        chosen = asked.filters.get(name)
        rows = [
            {
                "label": queue.label_of(name, value, places),
                "n": n,
                "is_chosen": name in asked.filters and value == chosen,
                "address": _address(
                    given, **{name: _written(name, value)}, after=None, before=None
                ),
            }
            for value, n in sorted(values[name].items(), key=lambda item: (-item[1], str(item[0])))
        ]
        filters.append(
            {
                "heading": heading,
                "chosen": next((row["label"] for row in rows if row["is_chosen"]), ""),
                "values": rows,
                "all": _address(given, **FROM_THE_TOP, **{name: None}),
            }
        )
    return filters


def _counted(n: int) -> str:
    return f"more than {queue.COUNTED_TO}" if n > queue.COUNTED_TO else str(n)


def _row_in_words(row: queue.Row) -> dict[str, Any]:
    return {
        "row": row,
        "incident": row.incident,
        "state": queue.label_of("state", row.waiting.state, {}),
        "grading": queue.label_of("grading", row.waiting.grading, {}),
        "killed": _killed(row.killed),
        "civilians": _killed(row.civilians),
        "since": {"verify": "the verification", "return": "it was returned"}.get(row.changed.since),
    }


def _killed(total: Total | None) -> str:
    return "none counted" if total is None else figures(total.min, None, total.max)


def _steps(request: HttpRequest, user: User) -> HttpResponse:
    """A step for all that was ticked: asked for once more, and then each by itself.

    The first page holds what to say with it; one refusal does not hold up the others.
    """
    if not user.has_perm("incidents.verify_incident"):
        raise PermissionDenied
    name = request.POST.get("step", "")
    if name not in STEPS:
        raise BadRequest("There is no such step for many records.")
    seen = _seen(request, request.POST.getlist("ticked"))
    found = Incident.objects.visible_to(user).filter(pk__in=seen).select_related("waiting")
    incidents = sorted(found, key=lambda incident: list(seen).index(incident.pk))
    if not incidents:
        messages.error(request, "Tick the records first.")
        return _with_what_was_said(request, user, name) or HttpResponseRedirect(_back(request))
    form = OfManyForm(request, name, request.POST if "sure" in request.POST else None)
    if not form.is_valid():
        return _of_many(request, name, form, [(each, seen[each.pk], "") for each in incidents])
    refused = []
    for incident in incidents:
        refusal = _take(request, user, STEPS[name], incident, seen[incident.pk])
        if refusal:
            refused.append((incident, incident.revision.number, refusal))
    if not refused:
        return HttpResponseRedirect(_back(request))
    # What was said with it is there still, for those that may be tried again.
    form = OfManyForm(request, name)
    return _of_many(request, name, form, refused, status=409)


def _with_what_was_said(request: HttpRequest, user: User, name: str) -> HttpResponse | None:
    """The page once more, where a text was typed on it and no record is ticked any more."""
    if not (request.POST.get("note") or request.POST.get("reason")):
        return None
    offered = [key.removeprefix("seen-") for key in request.POST if key.startswith("seen-")]
    seen = _seen(request, offered)
    rows = Incident.objects.visible_to(user).filter(pk__in=seen).select_related("waiting")
    said = [(incident, seen[incident.pk], "it was not ticked.") for incident in rows]
    return _of_many(request, name, OfManyForm(request, name), said) if said else None


def _of_many(
    request: HttpRequest,
    name: str,
    form: OfManyForm,
    rows: list[tuple[Incident, int, str]],
    status: int = 200,
) -> HttpResponse:
    """``rows`` are records, each with the revision that the next press is of, and a refusal."""
    return desk_page(
        request,
        "admin/desk/steps.html",
        "Publish" if name == "publish" else "Return",
        status=429 if form.too_many is not None else status,
        form=form,
        said=request.POST.get("note", "") or request.POST.get("reason", ""),
        step=name,
        rows=rows,
        needs_note=any(incident.code is not None for incident, _, _ in rows),
        next=request.POST.get("next", ""),
    )


class OfManyForm(FreshForm):
    """Asks for a code before many records are published; what else is said is read record by
    record."""

    def __init__(self, request: HttpRequest, step: str, *args: Any) -> None:
        self.asks_for_code = step == "publish"
        super().__init__(request, *args)


def _seen(request: HttpRequest, named: list[str]) -> dict[int, int]:
    """These records, each with the revision that stood on the page."""
    numbers = [_number(text) for text in named[: queue.PAGE]]
    return {pk: _number(request.POST.get(f"seen-{pk}", "")) for pk in numbers}


def _take(request: HttpRequest, user: User, verb: Verb, incident: Incident, seen: int) -> str:
    """Take the step; why it was refused, else nothing."""
    try:
        workflow.take_step(
            verb,
            incident_id=incident.pk,
            actor=user,
            revision=seen,
            reason=request.POST.get("reason", "") if verb == Verb.RETURN else "",
            note=request.POST.get("note", "") if verb == Verb.PUBLISH else "",
        )
    except DomainError as refusal:
        incident.refresh_from_db()
        return in_words(refusal)
    messages.success(request, f"{incident}: done ({verb.label.lower()}).")
    return ""


def _back(request: HttpRequest) -> str:
    """To where the person was in the queue: what follows the question mark, and nothing else."""
    _, mark, query = request.POST.get("next", "").partition("?")
    return admin_url("incidents_incident_queue") + mark + query
