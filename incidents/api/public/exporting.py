"""Lists in other formats than JSON: whole, streamed, exactly what the filters find."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Iterator
from typing import Any, ClassVar, NamedTuple

import rfc8785
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from rest_framework.exceptions import NotAcceptable
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

import harmtracker
from harmtracker.api import conditional, throttling
from harmtracker.api.negotiation import PlainNegotiation
from harmtracker.api.parameters import (
    FLAG,
    Kind,
    Parameter,
    Unacceptable,
    listed,
    nearest,
    raise_for,
)
from harmtracker.api.problems import Problem
from harmtracker.api.renderers import StoredJSONRenderer
from harmtracker.errors import Invalid
from harmtracker.licence import DATA_LICENCE
from incidents.exports import delimited, jsonlines, selecting
from incidents.exports.about import About
from incidents.exports.columns import LISTS
from incidents.exports.parquet import parquet
from incidents.exports.selecting import Asked
from incidents.exports.xlsx import Busy, xlsx

from . import as_of, reading
from .lists import PageView

logger = logging.getLogger(__name__)


class Format(NamedTuple):
    """A format by its name: its media type, and how its file's name ends."""

    media_type: str
    extension: str


FORMATS = {
    "json": Format("application/json", "json"),
    "ndjson": Format("application/x-ndjson", "ndjson"),
    "csv": Format("text/csv", "csv"),
    "hxl": Format("text/csv", "hxl.csv"),
    "xlsx": Format("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx"),
    "geojson": Format("application/geo+json", "geojson"),
    "parquet": Format("application/vnd.apache.parquet", "parquet"),
}
MEDIA_TYPES = tuple(dict.fromkeys(form.media_type for form in FORMATS.values()))
# What cannot be asked of a whole list, in the order of publication.
OF_PAGES = ("cursor", "limit", "ordering", "count")

FORMAT = Parameter(
    "format",
    listed(FORMATS),
    "json is a page. Every other format is all that the filters find, in the order of publication; "
    "hxl is CSV with a row of HXL tags. Without it the header Accept decides.",
)
DETAIL = Parameter(
    "detail",
    listed(("summary", "document")),
    "What a row of json or a line of ndjson is. summary: without claims, at most 1000 in a page. "
    "document: as the incident's own address gives it, at most 100 in a page.",
    "summary",
)
BOM = Parameter(
    "bom",
    FLAG,
    "Whether csv and hxl start with a byte order mark, by which Excel knows UTF-8.",
)


class FormatNegotiation(PlainNegotiation):
    """By the parameter ``format``, else by what the header Accept likes best."""

    def select_renderer(
        self,
        request: Request,
        renderers: Iterable[BaseRenderer],
        format_suffix: str | None = None,
    ) -> Any:
        by_format = {renderer.format: renderer for renderer in renderers}
        asked = request.query_params.get(FORMAT.name)
        if asked is None:
            liked = request._request.get_preferred_type(MEDIA_TYPES)
            named = [name for name, form in FORMATS.items() if form.media_type == liked]
            if not named:
                # All that it names it refuses, by q=0.
                if not request._request.accepted_types:
                    raise NotAcceptable(available_renderers=list(renderers))
                # It may name a parameter of a type, which Django compares and nothing here has.
                return super().select_renderer(request, renderers, format_suffix)
            asked = named[0]
        # An unknown one is refused with the other parameters.
        renderer = by_format.get(asked, by_format["json"])
        return renderer, renderer.media_type


def _renderers() -> list[type[BaseRenderer]]:
    """One per format, for the negotiation alone: nothing is rendered by them but JSON."""
    return [
        type(
            "ExportRenderer", (StoredJSONRenderer,), {"media_type": form.media_type, "format": name}
        )
        for name, form in FORMATS.items()
    ]


def columns_or_keys(list_name: str, keys: Iterable[str]) -> Parameter:
    """The parameter that picks keys of JSON and NDJSON, and columns of everything else."""
    known = sorted({*keys, *(column.name for column in LISTS[list_name])})

    def read(text: str) -> list[str]:
        asked = sorted(set(text.split(",")))
        for name in asked:
            if name not in known:
                raise Unacceptable("No such key or column.", nearest(name, known))
        return asked

    return Parameter(
        "fields",
        Kind(read, {"type": "array", "items": {"type": "string", "enum": known}}),
        "Keys to give, by commas: top-level keys of what is stored as JSON, columns of tables. "
        "position, and row where there is one, are always among the columns. Without it: all.",
        max_characters=3000,
        by_commas=True,
    )


class ExportedView(PageView):
    """A list that can be had whole, in other formats."""

    content_negotiation_class = FormatNegotiation
    renderer_classes = _renderers()
    list_name: ClassVar[str]
    # Keys of the stored JSON; none where JSON has the columns as well.
    json_keys: ClassVar[frozenset[str]] = frozenset()

    @classmethod
    def others(cls) -> list[Parameter]:
        return [*super().others(), FORMAT, BOM]

    def get(self, request: Request) -> Any:
        asked = self.query.read(FORMAT)
        if asked is None:
            asked = request.accepted_renderer.format
        self.check(asked)
        return self.page(request) if asked == "json" else self.export(request, asked)

    def page(self, request: Request) -> Any:
        """A page of JSON."""
        return super().get(request)

    def check(self, asked: str) -> None:
        """Refuse what the format cannot have, by its name."""
        given = self.query.values
        faults = []
        if asked != "json":
            faults += [
                (name, Unacceptable("An export is all rows in the order of publication."))
                for name in OF_PAGES
                if name in given
            ]
        if BOM.name in given and asked not in ("csv", "hxl"):
            faults.append((BOM.name, Unacceptable("Only csv and hxl can have one.")))
        if DETAIL.name in given and asked not in ("json", "ndjson"):
            faults.append((DETAIL.name, Unacceptable("Only json and ndjson have documents.")))
        known = self.known_fields(asked)
        faults += [
            ("fields", Unacceptable(f"Not in {asked}.", nearest(name, known)))
            for name in self.query.read(self.fields) or ()
            if name not in known
        ]
        raise_for(faults)

    def known_fields(self, asked: str) -> frozenset[str]:
        if self.json_keys and asked in ("json", "ndjson"):
            return self.json_keys
        return frozenset(column.name for column in LISTS[self.list_name])

    def asked(self, request: Request, at: int) -> Asked:
        """The rows that the filters find, as they were at a ledger position."""
        filterset = self.filterset.of(self.query, reading.incidents(at))
        return Asked(
            self.list_name,
            filterset.qs,
            selecting.picked(self.list_name, self.query.read(self.fields)),
            request.build_absolute_uri(reverse("incidents")),
        )

    def export(self, request: Request, asked_format: str) -> HttpResponseBase:
        with_bom = self.query.read(BOM) is True
        detail = self.query.read(DETAIL)
        head = reading.position()
        at = as_of.position(self.query, head)
        asked = self.asked(request, at)
        address = request.build_absolute_uri(request.get_full_path())
        etag = conditional.etag_of(
            harmtracker.__version__,
            as_of.state(at, head),
            request.path,
            self.query.normal(),
            asked_format,
        )
        headers = self._headers(asked_format, at, etag)
        if conditional.is_current(request, etag):
            return conditional.not_modified(etag)
        about = About(
            self.list_name,
            at,
            reading.moment(at),
            self.query.normal(without=(FORMAT.name, BOM.name)),
            address,
            harmtracker.__version__,
        )
        headers["Harmtracker-Citation"] = about.citation
        if request.method == "HEAD":
            return HttpResponse(headers=headers)
        throttling.count(request, throttling.EXPORTS)
        ways: dict[str, Callable[[], Iterable[bytes]]] = {
            "ndjson": lambda: self.ndjson(asked, detail),
            "csv": lambda: delimited.csv(asked, with_bom=with_bom),
            "hxl": lambda: delimited.csv(asked, with_tags=True, with_bom=with_bom),
            "geojson": lambda: jsonlines.geojson(asked, about),
            "parquet": lambda: parquet(asked, about),
            "xlsx": lambda: xlsx(asked, about),
        }
        try:
            pieces = ways[asked_format]()
        except Invalid as error:
            raise Problem("invalid-parameter", error.message) from error
        except Busy as error:
            raise Problem(
                "unavailable",
                "As many XLSX files are being written as there is room for: ask again, or take "
                "format=csv.",
                headers={"Retry-After": str(BUSY_S)},
            ) from error
        if asked_format in BROKEN:
            pieces = told_if_broken(pieces, BROKEN[asked_format])
        return StreamingHttpResponse(pieces, headers=headers)

    def ndjson(self, asked: Asked, detail: str) -> Iterator[bytes]:
        """Lines of JSON; ``detail`` is for the lists that have stored texts."""
        return jsonlines.ndjson(asked)

    def _headers(self, asked_format: str, at: int, etag: str) -> dict[str, str]:
        form = FORMATS[asked_format]
        content_type = form.media_type
        if form.media_type.startswith("text/"):
            content_type += "; charset=utf-8; header=present"
        return {
            **conditional.headers(etag),
            "Content-Type": content_type,
            "Content-Disposition": "attachment; "
            f'filename="harmtracker-{self.list_name}-pos{at}.{form.extension}"',
            "Harmtracker-Position": str(at),
            "Link": f'<{DATA_LICENCE["url"]}>; rel="license"',
        }


# Until one of the XLSX files that are being written may be done.
BUSY_S = 30
# What an answer ends in that breaks off: no reader of its format takes it for whole.
BROKEN = {
    "ndjson": b'\n{"error":"The export broke off here: ask for it again.\n',
    "csv": b'\n"The export broke off here: ask for it again.\n',
    "hxl": b'\n"The export broke off here: ask for it again.\n',
    "xlsx": b"The export broke off here: narrow the filters, or take format=csv.\n",
}


def told_if_broken(content: Iterable[bytes], ending: bytes) -> Iterator[bytes]:
    """The content; where it breaks off, an ending that makes it unreadable.

    The server ends a streamed answer that fails as if it were whole, and its status has long been
    sent. GeoJSON and Parquet without their end are unreadable as they are.
    """
    try:
        yield from content
    except Exception as error:
        logger.error("An export broke off: %s", type(error).__name__)
        yield ending


def keys_picked(fields: list[str] | None) -> Callable[[bytes], bytes] | None:
    """How a stored text gives the keys asked for alone; None where all are."""
    if fields is None:
        return None

    def pick(stored: bytes) -> bytes:
        content = json.loads(stored)
        return rfc8785.dumps({key: content[key] for key in fields if key in content})

    return pick
