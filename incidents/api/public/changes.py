"""What changed, in the order of the ledger: pages of JSON, NDJSON, and a feed for people."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from itertools import product
from typing import Any, ClassVar, NamedTuple, TypeVar

from django.db.models import BooleanField, Exists, OuterRef, Q, QuerySet, Value
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

import harmtracker
from harmtracker import timeouts
from harmtracker.api import conditional, paging, throttling
from harmtracker.api.filters import StrictFilter, StrictFilterSet
from harmtracker.api.parameters import Parameter, Unacceptable, listed, raise_for, whole
from harmtracker.api.problems import Problem
from harmtracker.api.renderers import StoredJSONRenderer
from harmtracker.api.schema import describe
from harmtracker.codes import code_list
from incidents import comparing
from incidents.choices import ChangeKind
from incidents.models import LedgerEntry, PublishedChange, PublishedIncident

from . import as_of, atom, reading
from . import serializers as shapes
from .conditions import CodesFilter
from .exporting import BROKEN, told_if_broken
from .filters import IncidentFilters
from .lists import PublicView, joined
from .values import CODES

# Rows of one batch of NDJSON, and how long one may become.
LINES_AT_ONCE = 5_000
BATCH_BYTES = 4 * 1024 * 1024
MAX_VERSION = 999_999_999

AFTER = Parameter(
    "after",
    whole(0, paging.MAX_NUMBER),
    "Ledger position: entries after it are given. What `resume` said last, or Harmtracker-Position "
    "of a whole list that was had. 0 is the beginning.",
    0,
)
LIMIT = paging.limit_up_to(1000)
FEED_LIMIT = paging.limit_up_to(100)
FORMAT = Parameter(
    "format",
    listed(("json", "ndjson")),
    "json is a page. ndjson is every entry after `after`, one a line. Without it the header Accept "
    "decides.",
)

MOVABLE = (
    *("_".join(parts) for parts in product(code_list("outcome"), code_list("count_bucket"))),
    *(
        "_".join(parts)
        for parts in product(
            code_list("outcome"), code_list("count_bucket"), ("min", "best", "max")
        )
    ),
    *comparing.VALUE_NAMES,
)
# What these ask for can be taken out of a version: a redaction would put a record out of what is
# found without a word to who follows it. Moments are what `after` is for.
NOT_TO_FOLLOW = frozenset(
    {
        "q",
        "bbox",
        "near",
        "dataset",
        "not_dataset",
        "article_url",
        "published_after",
        "changed_after",
        "code",
    }
)


class FollowedFilters(IncidentFilters):
    """Filters of incidents by what no redaction takes out.

    An entry is found if the record was found before it or is found after it.
    """

    @classmethod
    def get_filters(cls) -> OrderedDict[str, Any]:
        return OrderedDict(
            (name, item)
            for name, item in super().get_filters().items()
            if name not in NOT_TO_FOLLOW
        )


class EntryFilters(StrictFilterSet):
    """Filters of the entries themselves."""

    kind = StrictFilter(listed(ChangeKind.values), "What was done.", lookup_expr="in", several=True)
    code = CodesFilter(CODES, "Codes of records, by commas.", several=True, max_characters=2000)
    moved = StrictFilter(
        listed(MOVABLE),
        "Entries that moved this: a total such as killed_civilian, one figure of it such as "
        "killed_civilian_best, or a value such as grading. With created every figure came to be, "
        "with merged and retracted it ceased to be.",
        lookup_expr="overlap",
        several=True,
    )


class Read(NamedTuple):
    """Stored texts of entries with what the filters say of them; the position of the last one, and
    whether there are more."""

    texts: list[bytes]
    last: int
    has_more: bool


class Asked(NamedTuple):
    """What a request asks for: entries, and the records that they are about."""

    entries: QuerySet[Any]
    # None where every record is asked for.
    records: QuerySet[Any] | None
    is_plain: bool


# Lengths alone are added up: a window need not carry the texts.
_SIZED = """
    SELECT {columns} FROM incidents_publishedchange WHERE {found} AND seq <= (
        SELECT max(seq) FROM (
            SELECT seq, sum(size) OVER (ORDER BY seq ROWS UNBOUNDED PRECEDING) - size AS before
            FROM (
                SELECT seq, octet_length(change) AS size FROM incidents_publishedchange
                WHERE {found} ORDER BY seq LIMIT %(limit)s
            ) first
        ) sized WHERE before < %(most_bytes)s
    ) ORDER BY seq
"""
_RANGE = _SIZED.format(columns="change", found="seq > %(after)s AND seq <= %(at)s")
_BY_POSITION = _SIZED.format(columns="seq, change", found="seq = ANY(%(keys)s)")


_PAGE = """
    SELECT change FROM incidents_publishedchange WHERE seq > %s AND seq <= %s ORDER BY seq LIMIT %s
"""


def read_page(asked: Asked, after: int, at: int, limit: int) -> Read:
    """A page of entries after one position and up to another, not longer than pages are."""
    if not asked.is_plain:
        return read(asked, after, at, limit, paging.MAX_PAGE_BYTES)
    texts = reading.texts_up_to(paging.MAX_PAGE_BYTES, _PAGE, [after, at, limit])
    return _in_turn(texts, after, at)


def read(asked: Asked, after: int, at: int, limit: int, most_bytes: int) -> Read:
    """At most so many entries after one position and up to another."""
    if asked.is_plain:
        asked_for = {"after": after, "at": at, "limit": limit, "most_bytes": most_bytes}
        return _in_turn([text for (text,) in reading.rows(_RANGE, asked_for)], after, at)
    found = _found(asked, after, at, limit + 1)
    keys = list(found)[:limit]
    rows = reading.rows(_BY_POSITION, {"keys": keys, "limit": limit, "most_bytes": most_bytes})
    texts = [_said(text, found[seq]) for seq, text in rows]
    return Read(texts, rows[-1][0] if rows else at, len(rows) < len(found))


def _in_turn(texts: list[bytes], after: int, at: int) -> Read:
    """Entries of which none was left out: every position has its own."""
    last = after + len(texts) if texts else at
    return Read(texts, last, last < at)


def _said(text: bytes, is_within: bool | None) -> bytes:
    """The text of an entry with what the filters say of its record. The key is the last one."""
    if is_within is None:
        return text
    return text[:-1] + (b',"within":true}' if is_within else b',"within":false}')


def _found(
    asked: Asked, after: int, at: int, limit: int, *, newest_first: bool = False
) -> dict[int, bool | None]:
    """Positions of entries in order, each with whether its record is found after it."""
    order = "-seq" if newest_first else "seq"
    entries = asked.entries.filter(seq__gt=after, seq__lte=at).order_by(order)
    if asked.records is None:
        return dict.fromkeys(entries.values_list("seq", flat=True)[:limit])
    found: dict[int, bool | None] = {}
    for branch in _branches(entries, asked.records, after, at):
        for seq, is_within in branch.values_list("seq", "within")[:limit]:
            found[seq] = found.get(seq) or is_within
    return dict(sorted(found.items(), reverse=newest_first)[:limit])


def _branches(
    entries: QuerySet[Any], records: QuerySet[Any], after: int, at: int
) -> Iterator[QuerySet[Any]]:
    """Entries of records that are found: after, before, and at redactions.

    The range of positions is said of the records as well: it is not seen through the comparison.
    """
    yes, no = (Value(flag, output_field=BooleanField()) for flag in (True, False))
    begun = records.filter(valid_from__gt=after, valid_from__lte=at)
    yield entries.filter(pk__in=begun.values("valid_from")).annotate(within=yes)
    ended = records.filter(valid_until__gt=after, valid_until__lte=at)
    yield entries.filter(pk__in=ended.values("valid_until")).annotate(within=no)
    # No version that came later: an answer as of the redaction stays as it is.
    own = records.filter(code=OuterRef("code"), valid_from__lt=OuterRef("seq"))
    # What is told of a version is told with the version before it and with the one after it.
    beside = own.filter(number__gte=OuterRef("number") - 1, number__lte=OuterRef("number") + 1)
    then = own.filter(Q(valid_until__isnull=True) | Q(valid_until__gt=OuterRef("seq")))
    redacted = entries.filter(kind=ChangeKind.REDACTED)
    yield redacted.filter(Exists(beside)).annotate(within=Exists(then))


class _LinesRenderer(StoredJSONRenderer):
    """For the negotiation alone: lines are streamed."""

    media_type = "application/x-ndjson"
    format = "ndjson"


class _AtomRenderer(StoredJSONRenderer):
    """For the negotiation alone: a feed is a text already."""

    media_type = atom.MEDIA_TYPE
    format = "atom"


class ChangesBase(PublicView):
    """What the list and the feed have in common."""

    own: ClassVar[Sequence[Parameter]]

    @classmethod
    def documented(cls) -> list[OpenApiParameter]:
        return [
            *(parameter.documented() for parameter in cls.own),
            *EntryFilters.documented(),
            *FollowedFilters.documented(),
        ]

    def asked(self) -> Asked:
        if {*self.query.values} <= {parameter.name for parameter in self.own}:
            # Nothing is filtered, and two filter sets need not be made to find that out.
            return Asked(PublishedChange.objects.using("published"), None, is_plain=True)
        entries = EntryFilters.of(self.query, PublishedChange.objects.using("published"))
        records = FollowedFilters.of(self.query, PublishedIncident.objects.using("published"))
        return Asked(entries.qs, records.qs if records.given else None, is_plain=False)

    def position(self, request: Request, *more: str) -> tuple[int, str]:
        """Up to where entries are given, and the ETag of what is given."""
        head = reading.position()
        at = as_of.position(self.query, head)
        address = request.build_absolute_uri(request.path)
        state = as_of.state(at, head)
        return at, conditional.etag_of(
            harmtracker.__version__, state, address, self.query.normal(), *more
        )

    def beside(self, request: Request, route: str, *more: str) -> str:
        """The address of the list or the feed with the same filters, and what else is named."""
        known = {*EntryFilters.base_filters, *FollowedFilters.base_filters, *more}
        without = [name for name in self.query.values if name not in known]
        asked = self.query.normal(without=without)
        return request.build_absolute_uri(reverse(route)) + (f"?{asked}" if asked else "")


def _link_header(links: dict[str, str]) -> str:
    """Links of a page, the feed with its media type."""
    parts = [f'<{url}>; rel="{relation}"' for relation, url in links.items()]
    return ", ".join(
        f'{part}; type="{atom.MEDIA_TYPE}"' if 'rel="alternate"' in part else part for part in parts
    )


View = TypeVar("View", bound=type[ChangesBase])


def describe_changes(
    operation: str, *, summary: str, ok: Any, also: Sequence[str] = ()
) -> Callable[[View], View]:
    """Describe a view, and let it take the parameters that it declares."""

    def decorate(view: View) -> View:
        view.parameters = {
            *(parameter.name for parameter in view.own),
            *EntryFilters.base_filters,
            *FollowedFilters.base_filters,
        }
        view.several = EntryFilters.several() | FollowedFilters.several()
        described: View = describe(
            operation,
            summary=summary,
            tag="Changes",
            ok=ok,
            parameters=view.documented(),
            is_page=True,
            also=also,
        )(view)
        return described

    return decorate


@describe_changes(
    "listChanges",
    summary="Changes",
    ok=shapes.ChangesPageSerializer,
    also=[_LinesRenderer.media_type],
)
class ChangesView(ChangesBase):
    """What became of records, an entry for each entry of the ledger, in its order.

    created, corrected (which figures moved, from what to what), merged (into which code),
    retracted, redacted. Ask again with `after` = `resume`: no entry comes twice and none is missed,
    whatever is published meanwhile. Under a filter of incidents an entry is given if its record was
    found before it or is found after it, and `within` says which: false, and it has left.

    What was taken out by a redaction is in no entry, old ones too; they are written anew.
    """

    own = (AFTER, LIMIT, FORMAT, as_of.AS_OF)
    renderer_classes = [StoredJSONRenderer, _LinesRenderer]

    def get(self, request: Request) -> Any:
        asked_format = self.query.read(FORMAT) or request.accepted_renderer.format
        after = self.query.read(AFTER)
        limit = self.query.read(LIMIT)
        if asked_format == "ndjson" and LIMIT.name in self.query.values:
            raise_for([(LIMIT.name, Unacceptable("ndjson is every entry."))])
        asked = self.asked()
        at, etag = self.position(request, asked_format)
        if conditional.is_current(request, etag):
            return conditional.not_modified(etag)
        links = {"alternate": self.beside(request, "changes-feed")}
        if asked_format == "ndjson":
            return self._lines(request, asked, after, at, etag, links)
        found = read_page(asked, after, at, limit)
        resume = found.last if found.has_more else max(after, at)
        envelope: dict[str, Any] = {"next": None, "position": at, "resume": resume}
        if found.has_more:
            query = self.query.with_value(AFTER.name, str(resume))
            envelope["next"] = request.build_absolute_uri(f"{request.path}?{query}")
            links["next"] = envelope["next"]
        body = joined(envelope, found.texts)
        return self.answer(body, etag, Link=_link_header(links))

    def _lines(
        self, request: Request, asked: Asked, after: int, at: int, etag: str, links: dict[str, str]
    ) -> HttpResponseBase:
        headers = {
            **conditional.headers(etag),
            "Content-Type": _LinesRenderer.media_type,
            "Content-Disposition": f'attachment; filename="harmtracker-changes-pos{at}.ndjson"',
            "Harmtracker-Position": str(at),
            "Link": _link_header(links),
        }
        if request.method == "HEAD":
            return HttpResponse(headers=headers)
        throttling.count(request, throttling.EXPORTS)
        return StreamingHttpResponse(
            told_if_broken(lines(asked, after, at), BROKEN["ndjson"]), headers=headers
        )


def lines(asked: Asked, after: int, at: int) -> Iterator[bytes]:
    """Every entry after one position and up to another, as lines in batches."""
    has_more = True
    while has_more:
        with timeouts.for_exports("published"):
            found = read(asked, after, at, LINES_AT_ONCE, BATCH_BYTES)
        has_more, after = found.has_more, found.last
        if found.texts:
            yield b"\n".join([*found.texts, b""])


@describe_changes("getChangesFeed", summary="Changes as a feed", ok=None, also=[atom.MEDIA_TYPE])
class ChangesFeedView(ChangesBase):
    """The newest changes as an Atom feed (RFC 4287), in words, for a feed reader.

    Older ones are behind its link `next`. Entries that a redaction touched are written anew, and
    their `updated` says so.
    """

    own = (FEED_LIMIT, as_of.AS_OF)
    renderer_classes = [_AtomRenderer]

    def get(self, request: Request) -> Any:
        limit = self.query.read(FEED_LIMIT)
        asked = self.asked()
        at, etag = self.position(request)
        if conditional.is_current(request, etag):
            return conditional.not_modified(etag)
        found = _found(asked, 0, at, limit, newest_first=True)
        rows = PublishedChange.objects.using("published").filter(pk__in=found).order_by("-seq")
        leaves = dict(
            LedgerEntry.objects.using("published")
            .filter(pk__in=found)
            .values_list("pk", "leaf_hash")
        )
        entries = [
            atom.Entry(
                content=json.loads(row.change), leaf_hash=leaves[row.seq], renewed_at=row.renewed_at
            )
            for row in rows
        ]
        older = None
        if len(found) == limit and min(found) > 1:
            query = self.query.with_value(as_of.AS_OF.name, str(min(found) - 1))
            older = request.build_absolute_uri(f"{request.path}?{query}")
        body = atom.feed(
            entries,
            name=self.beside(request, "changes-feed"),
            address=self.beside(request, "changes-feed", FEED_LIMIT.name, as_of.AS_OF.name),
            older=older,
            alternate=self.beside(request, "changes"),
            incidents=request.build_absolute_uri(reverse("incidents")),
        )
        headers = conditional.headers(etag) | {"Content-Type": atom.CONTENT_TYPE}
        return HttpResponse(body, headers=headers)


FROM = Parameter(
    "from",
    whole(1, MAX_VERSION),
    "Number of the version to compare from. Without it: the one before `to`, if there is one.",
)
TO = Parameter(
    "to", whole(1, MAX_VERSION), "Number of the version to compare with. Without it: the last one."
)


@describe(
    "getDifference",
    summary="What differs between two versions",
    tag="Incidents",
    parameters=[
        OpenApiParameter(
            "code", str, OpenApiParameter.PATH, description="Code of the record, MMR-2023-0001."
        ),
        FROM.documented(),
        TO.documented(),
        as_of.AS_OF.documented(),
    ],
    ok=shapes.DifferenceSerializer,
    found_by_path=True,
)
class DifferenceView(PublicView):
    """What moved from one version of a record to another: figures, values, claims, every path.

    `from` may be the later one. A value that was taken out of a version is shown as taken out, by
    its digest.
    """

    parameters: ClassVar[set[str]] = {FROM.name, TO.name, as_of.AS_OF.name}

    def get(self, request: Request, code: str) -> Any:
        start, end = self.query.read(FROM), self.query.read(TO)
        at = None
        if as_of.AS_OF.name in self.query.values:
            at = as_of.position(self.query, reading.position())
        if end is None:
            last = _known(reading.last_version(code, at, with_document=False))
            end = last.number
        if start is None:
            start = max(1, end - 1)
        one, other = (
            _known(reading.one_version(code, str(number), at, with_document=True))
            for number in (start, end)
        )
        documents = [json.loads(version.document or b"") for version in (one, other)]
        return self.whole(
            {
                "code": code,
                "from": _version(one, documents[0]),
                "to": _version(other, documents[1]),
                **comparing.compared(*documents),
            }
        )


def _known(found: reading.Found | None) -> reading.Found:
    if found is None:
        raise Problem("not-found")
    return found


def _version(found: reading.Found, document: dict[str, Any]) -> dict[str, Any]:
    return {
        "version": found.number,
        "kind": found.kind,
        "published_at": document["published_at"],
        "sha256": found.sha256,
    }
