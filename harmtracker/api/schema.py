"""How operations are described in OpenAPI: the same headers and errors everywhere, said once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from functools import cache
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiYamlRenderer
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiParameter,
    OpenApiResponse,
    extend_schema,
    extend_schema_view,
    inline_serializer,
)
from drf_spectacular.views import SpectacularSwaggerSplitView
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from harmtracker.api import problems
from harmtracker.api.authentication import BearerToken
from harmtracker.api.negotiation import PlainNegotiation
from harmtracker.api.renderers import (
    OpenAPIJSONRenderer,
    OpenAPIYAMLRenderer,
    ShortYAMLRenderer,
    StoredJSONRenderer,
)
from harmtracker.api.views import ReadView


class FieldErrorSerializer(serializers.Serializer):
    field = serializers.CharField(help_text="The parameter or field, as a path.")
    message = serializers.CharField(help_text="What is wrong with it.")
    nearest = serializers.CharField(
        allow_null=True, help_text="The valid name or value nearest to what was sent, if any."
    )


class ProblemSerializer(serializers.Serializer):
    """What went wrong, as RFC 9457 has it."""

    type = serializers.CharField(help_text="Which kind of problem: a path below /problems/.")
    title = serializers.CharField(help_text="The kind in words.")
    status = serializers.IntegerField(help_text="The HTTP status.")
    detail = serializers.CharField(help_text="What it is about this time.")
    errors = FieldErrorSerializer(  # type: ignore[assignment]
        many=True, required=False, help_text="What is wrong with which parameter or field."
    )
    request_id = serializers.CharField(
        required=False, help_text="Of a fault of ours: what to name when reporting it."
    )


class RetractedSerializer(ProblemSerializer):
    """What stands in the place of a record that was withdrawn."""

    code = serializers.CharField(help_text="Code of the record.")
    version = serializers.IntegerField(help_text="The version by which it was withdrawn.")
    reason = serializers.CharField(help_text="Why it was withdrawn.")
    versions = serializers.URLField(help_text="Its versions, which stay.")


IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match",
    str,
    OpenApiParameter.HEADER,
    description="An ETag had before: 304 without a body if nothing changed since.",
)
ETAG = OpenApiParameter(
    "ETag",
    str,
    OpenApiParameter.HEADER,
    description="A strong validator of the body.",
    response=[200, 304],
)
RATE_LIMIT_POLICY = OpenApiParameter(
    "RateLimit-Policy",
    str,
    OpenApiParameter.HEADER,
    description="How much one client may ask for: `q` requests in `w` seconds, of each kind.",
    response=[200, 429],
)
RATE_LIMIT = OpenApiParameter(
    "RateLimit",
    str,
    OpenApiParameter.HEADER,
    description="What is left: `r` requests, until in `t` seconds the count begins anew.",
    response=[200, 429],
)
RETRY_AFTER = OpenApiParameter(
    "Retry-After",
    int,
    OpenApiParameter.HEADER,
    description="In how many seconds to ask again.",
    response=[429, 503],
)
RATES = (RATE_LIMIT_POLICY, RATE_LIMIT, RETRY_AFTER)
IF_MATCH = OpenApiParameter(
    "If-Match",
    str,
    OpenApiParameter.HEADER,
    required=True,
    description="The strong ETag that was read with the record.",
)
IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description="Any text of yours that is new for each new request: sent again with the same "
    "one, the request has no second effect and gives the same answer.",
)
LINK = OpenApiParameter(
    "Link",
    str,
    OpenApiParameter.HEADER,
    description="The pages beside this one (rel next and prev), as in the body.",
    response=[200],
)

LOCATION = OpenApiParameter(
    "Location",
    str,
    OpenApiParameter.HEADER,
    description="The address that holds it now.",
    response=[301],
)
MOVED = "It is part of another record now, for ever."


def _problem(status: int, body: type[ProblemSerializer] = ProblemSerializer) -> dict[Any, Any]:
    kinds = [slug for slug, kind in problems.KINDS.items() if kind.status == status]
    meaning = problems.KINDS[kinds[0]].meaning if len(kinds) == 1 else f"One of {', '.join(kinds)}."
    return {(status, problems.MEDIA_TYPE): OpenApiResponse(body, description=meaning)}


def describe(
    operation: str,
    *,
    summary: str,
    tag: str,
    ok: Any,
    parameters: Iterable[OpenApiParameter] = (),
    found_by_path: bool = False,
    may_be_retracted: bool = False,
    moved: Any = None,
    is_page: bool = False,
    also: Collection[str] = (),
    more: Mapping[int, Any] | None = None,
) -> Callable[[Any], Any]:
    """Describe a view: its parameters, its answer, and every other answer it may give.

    ``also`` are media types of files that the same may be had as; where ``ok`` is None, there is no
    JSON beside them. ``more`` are answers by their status, those from 400 on as problems. The
    description is the docstring of the view, which is written for the API's users.
    """
    responses: dict[Any, Any] = {
        **(
            {(200, "application/json"): OpenApiResponse(ok, description="The answer.")}
            if ok is not None
            else {}
        ),
        **{
            (200, media_type): OpenApiResponse(OpenApiTypes.BINARY, description="The answer.")
            for media_type in also
            if media_type != "application/json"
        },
        304: OpenApiResponse(description="Nothing changed since the ETag of If-None-Match."),
        **({(301, "application/json"): OpenApiResponse(moved, description=MOVED)} if moved else {}),
        **_problem(400),
        **_problem(401),
        **(_problem(404) if found_by_path else {}),
        **_problem(405),
        **_problem(406),
        **(_problem(410, RetractedSerializer) if may_be_retracted else {}),
        **_problem(414),
        **_problem(429),
        **_problem(500),
        **_problem(503),
    }
    for status, body in (more or {}).items():
        responses |= _problem(status, body) if status >= 400 else {status: body}
    return extend_schema_view(
        get=extend_schema(
            operation_id=operation,
            summary=summary,
            tags=[tag],
            parameters=[
                *parameters,
                IF_NONE_MATCH,
                ETAG,
                *RATES,
                *([LINK] if is_page else []),
                *([LOCATION] if moved else []),
            ],
            responses=responses,
        )
    )


def describe_team(
    operation: str,
    *,
    summary: str,
    tag: str,
    ok: Any = None,
    status: int = 200,
    request: Any = None,
    parameters: Iterable[OpenApiParameter] = (),
    is_changed: bool = False,
    may_be: Collection[int] = (),
    media_type: str = "application/json",
) -> Callable[[Any], Any]:
    """Describe a method of a view of casework: its body, its answer, and its refusals.

    ``is_changed``: it needs If-Match. ``may_be`` are statuses besides those of every method.
    """
    answer = {(status, media_type): OpenApiResponse(ok, description="The answer.")}
    refusals = {400, 401, 403, 404, 405, 406, 414, 429, 500, 503, *may_be}
    if request is not None:
        refusals |= {413, 415}
    if is_changed:
        refusals |= {412, 428}
    responses: dict[Any, Any] = {**answer}
    for refusal in sorted(refusals):
        responses |= _problem(refusal)
    return extend_schema(
        operation_id=operation,
        summary=summary,
        tags=[tag],
        request=request,
        parameters=[*parameters, *([IF_MATCH] if is_changed else [])],
        responses=responses,
    )


def page_of(serializer: type[serializers.BaseSerializer], name: str) -> Any:
    """The shape of a page of a list in casework."""
    return inline_serializer(
        name,
        {
            "next": serializers.URLField(allow_null=True, help_text="The next page."),
            "previous": serializers.URLField(allow_null=True, help_text="The page before."),
            "count": serializers.IntegerField(
                required=False, help_text="Rows found in all; with count=true alone."
            ),
            "results": serializer(many=True, help_text="The rows."),
        },
    )


class TokenScheme(OpenApiAuthenticationExtension):
    """How a request says who asks."""

    target_class = BearerToken
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "A token of a person of the team, such as ht_...: docs/people.md.",
        }


@cache
def written(*, as_json: bool) -> bytes:
    """The description, which is the same for everybody and made once in a process."""
    described = SchemaGenerator().get_schema(request=None, public=True)
    renderer = StoredJSONRenderer() if as_json else OpenApiYamlRenderer()
    return bytes(renderer.render(described, renderer_context={}))


class SchemaView(ReadView):
    """This API in OpenAPI 3.1: JSON, or YAML if the client asks for it."""

    is_counted = False

    renderer_classes = [
        StoredJSONRenderer,
        OpenAPIJSONRenderer,
        OpenAPIYAMLRenderer,
        ShortYAMLRenderer,
    ]

    @extend_schema(exclude=True)
    def get(self, request: Request) -> Response:
        return self.whole(written(as_json="json" in request.accepted_media_type))


class DocsView(SpectacularSwaggerSplitView):
    """The same for people: Swagger UI, whose files are our own."""

    is_counted = False

    http_method_names = ["get", "head"]
    content_negotiation_class = PlainNegotiation
    url_name = "schema"
    template_name = "docs.html"

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        # `?script=` asks for the page's script; the page repeats nothing else of its address.
        if set(request.GET) - {"script"}:
            raise problems.Problem("unknown-parameter")
