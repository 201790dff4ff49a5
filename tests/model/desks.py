"""The product, asked by its services."""

from __future__ import annotations

import json
from typing import Any

from harmtracker.accounts.models import User
from harmtracker.errors import NotAllowed, NotFound
from harmtracker.history.acting import acting
from incidents import answering, entering, merging, redaction, services, workflow
from incidents.editing import editing
from incidents.models import (
    Actor,
    CasualtyCount,
    Claim,
    CountBasis,
    Dataset,
    ExternalId,
    FurtherPlace,
    Incident,
    IncidentLink,
    IncidentRevision,
    Involvement,
    Place,
    PublishedVersion,
    ReviewComment,
    Victim,
    VictimClaim,
)
from incidents.publishing.canonical import canonical, sha256
from incidents.publishing.document import build_content
from sources.models import Article, Outlet
from tests.model import acts
from tests.model.world import Record, Shared, World

MODELS: dict[str, Any] = {
    "claims": Claim,
    "counts": CasualtyCount,
    "bases": CountBasis,
    "victims": Victim,
    "victim_claims": VictimClaim,
    "ids": ExternalId,
    "links": IncidentLink,
    "further": FurtherPlace,
    "involvements": Involvement,
}
SHARED: dict[str, Any] = {
    "place": Place,
    "actor": Actor,
    "outlet": Outlet,
    "article": Article,
    "dataset": Dataset,
}


def qualifier(figures: dict[str, Any]) -> str:
    low, high = figures["min"], figures["max"]
    if low is None and high is None:
        return "unknown"
    if high is None:
        return "at_least"
    return "exact" if low == high else "range"


def latest(*codes: str | None) -> dict[str, tuple[int, str, dict[str, Any], int]]:
    """The last version of each code: number, kind, document, ledger position."""
    found = {}
    for code in codes:
        versions = PublishedVersion.objects.using("default").filter(code=code)
        for one in versions.order_by("-number")[:1]:
            found[one.code] = (one.number, one.kind, json.loads(one.document), one.entry_id)
    return found


class Services:
    """Asks as the admin's pages and the commands do."""

    def __init__(self, world: World) -> None:
        self.dataset = Dataset.objects.get(pk=world.shared["dataset"][0].pk)

    def agrees(self, expected: acts.Refusal, got: acts.Refusal) -> bool:
        """Whether what came of an act is what the model says."""
        return expected is got

    def person(self, name: str) -> User:
        """Read anew, since what somebody may do is remembered with the row."""
        return User.objects.get(username=name)

    def _columns(self, kind: str, values: dict[str, Any], incident: Incident) -> dict[str, Any]:
        """Values of the model as fields of a row."""
        fields: dict[str, Any] = {}
        for name, value in values.items():
            if name == "speaker":
                fields["attributed_outlet"] = Outlet.objects.get(pk=value.pk)
            elif isinstance(value, Shared):
                fields[name] = SHARED[value.kind].objects.get(pk=value.pk)
            elif name == "other":
                fields[name] = Incident.objects.get(pk=value.pk)
            elif name == "claim":
                fields[name] = Claim.objects.get(pk=value) if value is not None else None
            elif name == "count":
                fields[name] = CasualtyCount.objects.get(pk=value)
            else:
                fields[name] = value
        if "min" in values:
            fields["qualifier"] = qualifier(values)
        if kind == "ids":
            fields["dataset"] = self.dataset
        if kind == "involvements":
            fields |= {"role": "alleged_perpetrator", "certainty": "alleged"}
        return fields

    def enter(
        self,
        person: str,
        fields: dict[str, Any],
        claim: dict[str, Any],
        numbers: dict[str, Any],
        victim: dict[str, Any],
    ) -> dict[str, Any]:
        author = self.person(person)
        if not author.has_perm("incidents.add_incident"):
            raise NotAllowed("Asked of the API and the pages.")
        count = {**numbers, "qualifier": qualifier(numbers)}
        unsaved = Incident()
        body = {
            **self._columns("", fields, unsaved),
            "claims": [
                {"key": "c", **self._columns("claims", claim, unsaved), "counts": [count]},
            ],
            "assessment": {"counts": [{**count, "basis": [{"claim": "c", "bound": "best"}]}]},
            "victims": [{**victim, "claims": ["c"]}],
        }
        with acting(author, "Entered"):
            incident = entering.enter(author, body)
        return entered(incident)

    def edit(
        self, person: str, record: Record, revision: int, reason: str, change: acts.Change
    ) -> Any:
        actor = self.person(person)
        named = Incident.objects.get(pk=record.pk).uuid
        with editing(actor, named, revision=revision, reason=reason) as incident:
            return self._change(incident, change)

    def _change(self, incident: Incident, change: acts.Change) -> Any:
        match change:
            case acts.Put(field, value):
                services.change(incident, **self._columns("", {field: value}, incident))
                return None
            case acts.Add("victims", values, claims):
                victim = services.add_victim(
                    incident=incident, claims=list(Claim.objects.filter(pk__in=claims)), **values
                )
                links = VictimClaim.objects.filter(victim=victim)
                return victim.pk, {"links": dict(links.values_list("pk", "claim_id"))}
            case acts.Add("bases", values):
                row = services.add_basis(**self._columns("bases", values, incident))
                return row.pk, {}
            case acts.Add(kind, values):
                fields = self._columns(kind, values, incident)
                row = services.add_part(MODELS[kind], incident=incident, **fields)
                return row.pk, {"values": {"key": str(row.uuid)} if kind == "claims" else {}}
            case acts.Alter(kind, key, values):
                row = MODELS[kind].objects.get(pk=key, incident=incident)
                services.change(row, **self._columns(kind, values, incident))
                return None
            case acts.Remove(kind, key):
                services.remove(MODELS[kind].objects.get(pk=key, incident=incident))
                return None
        raise NotImplementedError(change)

    def rename(self, person: str, thing: Shared, name: str) -> None:
        row = SHARED[thing.kind].objects.get(pk=thing.pk)
        with acting(self.person(person), "Renamed"):
            services.change(row, **{"title" if thing.kind == "article" else "name": name})

    def remark(self, person: str, record: Record) -> None:
        author = self.person(person)
        incident = Incident.objects.visible_to(author).filter(pk=record.pk).first()
        if incident is None:
            raise NotFound("There is no such incident.")
        with acting(author):
            services.save(
                ReviewComment(incident=incident, field="title", text="Which?", author=author)
            )

    def set_active(self, person: str, who: str, is_active: bool) -> None:
        with acting(self.person(person)):
            User.objects.filter(username=who).update(is_active=is_active)

    def answer(self, answer: acts.Answer) -> None:
        named = Incident.objects.get(pk=answer.record.pk).uuid
        answering.answer(self.person(answer.person), named, answer.warning, answer.reason)

    def step(self, step: acts.Step, revision: int) -> Any:
        seen = None
        if step.looked_at == "now":
            seen = sha256(canonical(build_content(step.record.pk)))
        elif step.looked_at == "else":
            seen = "0" * 64
        incident = workflow.take_step(
            step.verb,
            incident_id=step.record.pk,
            actor=self.person(step.person),
            revision=revision,
            seen_sha256=seen,
            reason=step.reason,
            note=step.note,
        )
        if step.verb not in ("publish", "retract"):
            return None
        sources = Incident.objects.filter(merges_away__target=incident, state="merged")
        return latest(incident.code, *sources.values_list("code", flat=True))

    def merge(self, join: acts.Join) -> Any:
        seen = (join.source.revision, join.target.revision - (1 if join.is_stale else 0))
        row = merging.merge(
            join.source.pk, join.target.pk, self.person(join.person), join.reason, seen
        )
        link = IncidentLink.objects.get(incident=row.source_id, kind="merged_into")
        return {"key": str(row.uuid), "link": link.pk}

    def undo(self, undo: acts.Undo, revision: int) -> Any:
        row = merging.Merge.objects.get(uuid=undo.merge.key)
        merging.undo(row.uuid, self.person(undo.person), undo.reason, revision=revision)

    def redact(self, act: acts.Redact, expected: int) -> Any:
        redaction.redact(
            act.record.pk,
            act.word,
            self.person(act.person),
            act.reason,
            expected,
            everywhere=act.everywhere,
        )


def entered(incident: Incident) -> dict[str, Any]:
    """The keys of all that :class:`tests.model.acts.Enter` enters."""
    claim = Claim.objects.get(incident=incident)
    counts = CasualtyCount.objects.filter(incident=incident)
    return {
        "pk": incident.pk,
        "key": str(incident.uuid),
        "claim": claim.pk,
        "claim_key": str(claim.uuid),
        "said": counts.get(claim=claim).pk,
        "ours": counts.get(claim=None).pk,
        "basis": CountBasis.objects.get(incident=incident).pk,
        "victim": Victim.objects.get(incident=incident).pk,
        "link": VictimClaim.objects.get(incident=incident).pk,
        "revision": IncidentRevision.objects.get(incident=incident).number,
    }
