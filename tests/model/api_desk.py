"""The product, asked over its API by each person's own program."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse

from harmtracker.accounts import tokens
from harmtracker.errors import Conflict, DomainError, Invalid, NotAllowed, NotFound, Stale
from incidents.models import Incident, IncidentLink, VictimClaim
from incidents.publishing.canonical import canonical, sha256
from incidents.publishing.document import build_content
from tests.clients import Api
from tests.model import acts
from tests.model.desks import MODELS, SHARED, Services, latest, qualifier
from tests.model.world import Record, Shared

BASE = "/api/v1/casework/incidents/"
PATHS = {"ids": "external-ids", "further": "further-places"}
REFUSALS: dict[int, type[DomainError]] = {
    400: Invalid,
    401: NotFound,
    403: NotAllowed,
    404: NotFound,
    409: Conflict,
    412: Stale,
    422: Invalid,
}


class OverTheApi(Services):
    """Steps, edits, merges and redactions by requests; the rest as the services do it."""

    def agrees(self, expected: acts.Refusal, got: acts.Refusal) -> bool:
        """A body is read, and a token's scope is looked at, before the record is: of two reasons
        to refuse, the API may tell the other one. A stale edit is told as one."""
        return (expected is None) == (got is None)

    def ask(
        self, method: str, person: str, record: Record, path: str, body: Any, revision: int = -1
    ) -> HttpResponse:
        someone = self.person(person)
        bearer = None
        if someone.is_active:
            scopes = tokens.scopes_of(someone)
            bearer = tokens.issue(someone, "For a test", scopes, None, someone)[1]
        etag = f'"{record.key.replace("-", "")[:8]}-{revision}"'
        answer = Api(bearer).request(
            method, f"{BASE}{record.key}/{path}", body, headers={"If-Match": etag}
        )
        if answer.status_code >= 300:
            assert answer.status_code in REFUSALS, (answer.status_code, answer.content)
            raise REFUSALS[answer.status_code](answer.content.decode())
        return answer

    def _named(self, values: dict[str, Any]) -> dict[str, Any]:
        """Values of the model as the API writes them."""
        body: dict[str, Any] = {}
        for name, value in values.items():
            if name == "speaker":
                body["attributed_outlet"] = value.key
            elif isinstance(value, Shared):
                body[name] = str(SHARED[value.kind].objects.get(pk=value.pk).uuid)
            elif isinstance(value, Record):
                body[name] = value.key
            elif name in ("claim", "count") and value is not None:
                body[name] = str(MODELS[f"{name}s"].objects.get(pk=value).uuid)
            else:
                body[name] = value
        if "min" in values:
            body["qualifier"] = qualifier(values)
        return body

    def edit(
        self, person: str, record: Record, revision: int, reason: str, change: acts.Change
    ) -> Any:
        why = {"change_reason": reason}

        def ask(method: str, path: str, body: dict[str, Any]) -> HttpResponse:
            return self.ask(method, person, record, path, {**body, **why}, revision)

        match change:
            case acts.Put(field, value):
                ask("PATCH", "", self._named({field: value}))
            case acts.Alter(kind, key, values):
                ask("PATCH", self._path(kind, key), self._named(values))
            case acts.Remove(kind, key):
                ask("DELETE", self._path(kind, key), {})
            case acts.Add(kind, values, claims):
                body = self._named(values)
                if kind == "ids":
                    body["dataset"] = self.dataset.slug
                elif kind == "victims":
                    rows = MODELS["claims"].objects.filter(pk__in=claims)
                    body["claims"] = [str(row.uuid) for row in rows]
                elif kind == "involvements":
                    body |= {"role": "alleged_perpetrator", "certainty": "alleged"}
                return self._added(kind, ask("POST", f"{PATHS.get(kind, kind)}/", body).json())
        return None

    def _path(self, kind: str, key: int) -> str:
        return f"{PATHS.get(kind, kind)}/{MODELS[kind].objects.get(pk=key).uuid}/"

    def _added(self, kind: str, told: dict[str, Any]) -> Any:
        row = MODELS[kind].objects.get(uuid=told["id"])
        links = VictimClaim.objects.filter(victim=row.pk) if kind == "victims" else None
        return row.pk, {
            "values": {"key": told["id"]} if kind == "claims" else {},
            "links": dict(links.values_list("pk", "claim_id")) if links is not None else {},
        }

    def answer(self, answer: acts.Answer) -> None:
        path = f"warnings/{answer.warning}/answer/"
        self.ask("POST", answer.person, answer.record, path, {"reason": answer.reason})

    def step(self, step: acts.Step, revision: int) -> Any:
        body = {"reason": step.reason, "note": step.note}
        if step.looked_at:
            content = sha256(canonical(build_content(step.record.pk)))
            body["seen_sha256"] = content if step.looked_at == "now" else "0" * 64
        path = f"{step.verb.replace('_', '-')}/"
        self.ask("POST", step.person, step.record, path, body, revision)
        if step.verb not in ("publish", "retract"):
            return None
        incident = Incident.objects.get(pk=step.record.pk)
        sources = Incident.objects.filter(merges_away__target=incident, state="merged")
        return latest(incident.code, *sources.values_list("code", flat=True))

    def merge(self, join: acts.Join) -> Any:
        source = join.source
        seen = f'"{source.key.replace("-", "")[:8]}-{source.revision}"'
        body = {"source": source.key, "source_etag": seen, "reason": join.reason}
        revision = join.target.revision - (1 if join.is_stale else 0)
        self.ask("POST", join.person, join.target, "merges/", body, revision)
        link = IncidentLink.objects.get(incident=source.pk, kind="merged_into")
        row = Incident.objects.get(pk=source.pk).merges_away.order_by("-pk")[0]
        return {"key": str(row.uuid), "link": link.pk}

    def undo(self, undo: acts.Undo, revision: int) -> Any:
        path = f"merges/{undo.merge.key}/undo/"
        body = {"reason": undo.reason}
        self.ask("POST", undo.person, undo.merge.target, path, body, revision)

    def redact(self, act: acts.Redact, expected: int) -> Any:
        body = {
            "text": act.word,
            "public_reason": act.reason,
            "expected": expected,
            "everywhere": act.everywhere,
        }
        self.ask("POST", act.person, act.record, "redact/", body)
