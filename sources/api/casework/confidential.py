"""Confidential sources, for the team. The docstrings are the API's description."""

from __future__ import annotations

import uuid
from functools import partial
from typing import cast

from django.http import HttpResponse
from django.urls import reverse
from drf_spectacular.utils import extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response

from harmtracker.accounts import lockout, second_factor
from harmtracker.api import conditional, preconditions
from harmtracker.api.problems import Problem
from harmtracker.api.schema import IDEMPOTENCY_KEY, describe_team
from harmtracker.api.shared import ID, RightsView, SharedListView, by_text, describe_list
from harmtracker.api.team import TeamRequest
from sources import confidential, sealing
from sources.models import ConfidentialSource

from . import filters
from . import serializers as shapes
from .permissions import Rights
from .tags import TAG

CONFIDENTIAL = ConfidentialSource.objects.select_related("outlet").defer("sealed")


@describe_list(
    "listConfidentialSources",
    tag=TAG,
    summary="Confidential sources",
    name="ConfidentialSourcePage",
)
@extend_schema_view(
    post=describe_team(
        "addConfidentialSource",
        summary="Enter who a confidential source is",
        tag=TAG,
        request=shapes.NewConfidentialSourceSerializer,
        ok=shapes.ConfidentialSourceSerializer,
        status=201,
        parameters=[IDEMPOTENCY_KEY],
        may_be=[409, 422],
    ),
)
class ConfidentialSourceListView(SharedListView):
    """Sources that must not be named, by what may be said of them.

    POST: who stands behind an outlet. It is encrypted before it is stored, and no answer but
    `reveal/` ever holds it.
    """

    rights = Rights.CONFIDENTIAL
    filterset = filters.ConfidentialSourceFilters
    shape = shapes.ConfidentialSourceSerializer
    orders = by_text("outlet__name")

    def get(self, request: Request) -> Response:
        return self.page(CONFIDENTIAL)

    def post(self, request: Request) -> HttpResponse:
        return self.once(self._enter, body_sha256=_sealed_digest(request))

    def _enter(self) -> Response:
        context = {"request": self.request}
        said = self.validated(
            shapes.NewConfidentialSourceSerializer(data=self.request.data, context=context)
        )
        source = confidential.create(
            said["outlet"],
            sealing.Identity(**said["identity"]),
            by=self.person,
            request_id=self.request_id,
        )
        data = dict(shapes.ConfidentialSourceSerializer(source).data)
        location = reverse("casework-confidential-source", args=[source.uuid])
        return self.created(data, location, _sealed_etag(source))


@extend_schema_view(
    get=describe_team(
        "getConfidentialSource",
        summary="One confidential source",
        tag=TAG,
        ok=shapes.ConfidentialSourceSerializer,
        parameters=[ID],
    ),
    put=describe_team(
        "replaceIdentity",
        summary="Replace who a confidential source is",
        tag=TAG,
        request=shapes.ReplacedIdentitySerializer,
        ok=shapes.ConfidentialSourceSerializer,
        parameters=[ID],
        is_changed=True,
    ),
)
class ConfidentialSourceView(RightsView):
    """What may be said of a confidential source. PUT: another identity, and why."""

    http_method_names = ["get", "head", "put"]
    rights = Rights.CONFIDENTIAL

    def get(self, request: Request, id: uuid.UUID) -> Response:
        return self._answer(self.found(CONFIDENTIAL, id))

    def put(self, request: Request, id: uuid.UUID) -> Response:
        said = self.validated(shapes.ReplacedIdentitySerializer(data=request.data))
        preconditions.if_match(request)
        source = self.found(CONFIDENTIAL, id)
        with self.acting(said["change_reason"]):
            locked = ConfidentialSource.objects.select_for_update().get(pk=source.pk)
            preconditions.check(request, _sealed_etag(locked))
            source = confidential.replace(
                locked,
                sealing.Identity(**said["identity"]),
                by=self.person,
                reason=said["change_reason"],
                request_id=self.request_id,
            )
        return self._answer(source)

    def _answer(self, source: ConfidentialSource) -> Response:
        data = dict(shapes.ConfidentialSourceSerializer(source).data)
        return self.ok(data, _sealed_etag(source))


def _sealed_etag(source: ConfidentialSource) -> str:
    """A validator that moves with the identity and tells nothing of it."""
    return conditional.etag_of(source.key_name, bytes(source.sealed), source.outlet.name)


def _sealed_digest(request: Request) -> str:
    """A digest of the body, by which no name in it can be guessed."""
    team_request = cast(TeamRequest, request)
    _parsed = team_request.data  # reads the body, or refuses it
    return sealing.keyed_digest(team_request.raw_body)


@extend_schema_view(
    post=describe_team(
        "revealConfidentialSource",
        summary="Who a confidential source is",
        tag=TAG,
        request=shapes.RevealSerializer,
        ok=shapes.IdentitySerializer,
        parameters=[ID],
        may_be=[409, 429],
    ),
)
class RevealView(RightsView):
    """Who a confidential source is: for a verifier, with a reason and a fresh second factor.

    Who asked, when and why is stored before anything is shown. At most 20 in 24 hours. It takes
    no Idempotency-Key: an answer that was kept would be a second way to the name.
    """

    http_method_names = ["post"]
    scopes = {"POST": "verify"}
    rights = Rights.REVEAL

    def post(self, request: Request, id: uuid.UUID) -> Response:
        if "HTTP_IDEMPOTENCY_KEY" in request.META:
            raise Problem("malformed-request", "This takes no Idempotency-Key: nothing is kept.")
        source = self.found(CONFIDENTIAL, id)
        said = self.validated(shapes.RevealSerializer(data=request.data))
        identity = confidential.reveal(
            source,
            by=self.person,
            check_code=partial(second_factor.check, network=lockout.network_of(request._request)),
            request_id=self.request_id,
            **said,
        )
        return self.ok({"name": identity.name, "contact": identity.contact, "note": identity.note})
