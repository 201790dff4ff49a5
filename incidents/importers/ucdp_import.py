"""UCDP GED imported from a file: streamed, in chunks that are stored whole or not at all.

A run that is cut off goes on after the last chunk that it stored. Run again, it stores nothing
anew: a row is known by its id, and compared with what was imported of it before.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

from django.db import connections, transaction

from harmtracker.accounts.models import User
from harmtracker.accounts.services import setup_actor
from harmtracker.errors import Conflict, DomainError, Invalid, NotAllowed
from harmtracker.history.acting import acting
from incidents import fixtures_loading
from incidents.choices import BatchState, RowOutcome, State
from incidents.models import Claim, Dataset, ExternalId, ImportBatch, ImportedRow, Incident
from sources.models import Outlet

from . import correcting, csv_rows, reviewing, storing
from .csv_rows import CsvRow
from .storing import Origin, Parties
from .ucdp_crosswalk import Event, Remark, as_row, read_event
from .ucdp_layout import layout_of
from .ucdp_places import Places

PERMISSION = "incidents.add_importbatch"
DATASET = "ucdp-ged"
OUTLET = "ucdp"
# Rows of one transaction: what a run that is cut off has to do again.
CHUNK = 500
# Rows that a report names one by one; all of them are stored with the batch.
NAMED = 40


@dataclass(frozen=True)
class Taken:
    """A row of the file, and what it says if it can be read."""

    row: CsvRow
    external_id: str
    event: Event | None
    remarks: list[Remark]

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.row.original).hexdigest()

    def refused(self, refusal: DomainError) -> Taken:
        """The same, refused by the database or by the state of the record."""
        fields = getattr(refusal, "fields", None) or {"": [refusal.message]}
        remarks = [Remark(name, "refused", " ".join(messages)) for name, messages in fields.items()]
        return Taken(self.row, self.external_id, None, [*self.remarks, *remarks])


@dataclass
class Decided:
    """What is done with a row; of one that is ``unchanged`` nothing is stored."""

    taken: Taken
    outcome: RowOutcome
    earlier: ImportedRow | None = None
    incident: Incident | None = None
    # What the earlier row said, and what this one says with the columns that it lacks.
    was: Event | None = None
    now: Event | None = None
    is_stored: bool = True


@dataclass
class Report:
    """What a run did: rows by outcome, and remarks by kind, column and message."""

    batch: ImportBatch | None = None
    is_resumed_after: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    stored: int = 0
    best: int = 0
    civilians: int = 0
    remarks: Counter[tuple[str, str]] = field(default_factory=Counter)
    named: list[tuple[int, str, Remark]] = field(default_factory=list)

    def tell(self, decided: Decided) -> None:
        taken = decided.taken
        self.counts[decided.outcome] += 1
        if taken.event is not None and decided.outcome != RowOutcome.REFUSED:
            figures = {count.status: count.best or 0 for count in taken.event.counts}
            self.best += figures["all"]
            self.civilians += figures["civilian"]
        for remark in taken.remarks:
            self.remarks[remark.kind, remark.column] += 1
            is_named = remark.kind == "refused" or remark.column in ("best", "date_prec")
            if is_named and len(self.named) < NAMED:
                self.named.append((taken.row.line, taken.external_id, remark))


class Importer:
    """One run over one file."""

    def __init__(
        self,
        path: Path,
        importer: User,
        criteria: Mapping[str, str],
        *,
        is_dry: bool,
        say: Callable[[int], None],
    ) -> None:
        self.path = path
        self.importer = importer
        self.criteria = dict(criteria)
        self.is_dry = is_dry
        self.say = say
        self.report = Report()
        names = fixtures_loading.read("ucdp_names.json")
        self.parties = Parties(names["actors"])
        self.places = Places.of_database(names["places"])
        self.origin = Origin(
            Dataset.objects.get(slug=DATASET), Outlet.objects.get(slug=OUTLET), importer
        )
        self.batch: ImportBatch | None = None
        self.columns: list[str] = []
        self.layout = ""
        self.file_sha256 = csv_rows.sha256_of(path)

    def run(self) -> Report:
        with self.path.open("rb") as file:
            rows = csv_rows.read(file)
            self._read_header(next(rows, None))
            self._find_unfinished()
            chunk: list[Taken] = []
            for taken in self._taken(rows):
                chunk.append(taken)
                if len(chunk) == CHUNK:
                    self._store(chunk)
                    chunk = []
            self._store(chunk)
        if self.batch is not None:
            reviewing.submit(self.batch, self.importer)
        self.report.batch = self.batch
        return self.report

    def _read_header(self, header: CsvRow | None) -> None:
        self.columns = [name.strip() for name in header.values] if header else []
        self.layout = layout_of(self.columns)
        for column in self.criteria:
            if column not in self.columns:
                near = get_close_matches(column, self.columns, 1)
                hint = f" Did you mean {near[0]}?" if near else ""
                raise Invalid(f"The file has no column {column}.{hint}")

    def _find_unfinished(self) -> None:
        """The batch that an earlier run of this very file left unfinished."""
        batch = ImportBatch.objects.filter(
            dataset=self.origin.dataset, state=BatchState.IMPORTING
        ).first()
        if batch is None or self.is_dry:
            return
        same = (batch.file_sha256, batch.criteria) == (self.file_sha256, self.criteria)
        if not same or batch.importer_id != self.importer.pk:
            raise Conflict(
                f"{batch}, begun by {batch.importer}, is not finished: have it run again with the "
                "same file and the same criteria, and it goes on after line "
                f"{batch.lines_done}. If the file is lost, a verifier returns the batch."
            )
        self.batch = batch
        self.report.is_resumed_after = batch.lines_done

    def _taken(self, rows: Iterator[CsvRow]) -> Iterator[Taken]:
        """The rows that are asked for and are not stored yet, each with what it says."""
        seen: dict[str, int] = {}
        done = self.batch.lines_done if self.batch else 0
        wanted = {column: " ".join(text.split()) for column, text in self.criteria.items()}
        for row in rows:
            self.say(len(row.original))
            if row.fault:
                if row.line > done:
                    yield Taken(row, "", None, [Remark("", "refused", row.fault)])
                continue
            fields = as_row(self.columns, row.values)
            if any(" ".join(fields[column].split()) != text for column, text in wanted.items()):
                continue
            external_id = fields["id"].strip()
            first = seen.setdefault(external_id, row.line)
            if row.line <= done:
                continue
            if first != row.line:
                message = f"Line {first} has this id already: one event stands in one row."
                yield Taken(row, _id(external_id), None, [Remark("id", "refused", message)])
                continue
            event, remarks = read_event(fields, self.places, self.parties.kinds)
            yield Taken(row, _id(external_id), event, remarks)

    def _store(self, chunk: Sequence[Taken]) -> None:
        """Store a chunk whole. Where the database refuses it, halves of it, down to the row."""
        if not chunk:
            return
        if self.is_dry:
            for one in self._decide(chunk):
                self.report.tell(one)
            return
        batch = self.batch
        try:
            with acting(self.importer, f"Imported from {_plain(self.path.name)}"):
                decided = self._store_in_one(chunk)
        except Invalid as refusal:
            self.batch = batch
            self.parties.forget()
            if batch is not None:
                batch.refresh_from_db()
            if len(chunk) > 1:
                self._store(chunk[: len(chunk) // 2])
                self._store(chunk[len(chunk) // 2 :])
            elif chunk[0].event is None:
                raise
            else:
                self._store([chunk[0].refused(refusal)])
            return
        for one in decided:
            self.report.tell(one)
            self.report.stored += one.is_stored

    def _store_in_one(self, chunk: Sequence[Taken]) -> list[Decided]:
        decided = self._decide(chunk)
        if self.batch is None and any(one.is_stored for one in decided):
            self.batch = self._begin()
        if self.batch is None:
            return decided
        new = [one for one in decided if one.outcome == RowOutcome.CREATED]
        claims = storing.create_all(
            self.origin, self.parties, [one.taken.event for one in new if one.taken.event]
        )
        places = {one.taken.row.line: claim for one, claim in zip(new, claims, strict=True)}
        rows = []
        for one in decided:
            claim = places.get(one.taken.row.line)
            if one.outcome in (RowOutcome.CLAIM_ADDED, RowOutcome.CORRECTED):
                try:
                    claim = self._work_on(one)
                except DomainError as refusal:
                    self.parties.forget()
                    one.taken = one.taken.refused(refusal)
                    one.outcome = RowOutcome.REFUSED
                    one.is_stored = not self._is_refused_before(one.taken)
            elif one.outcome == RowOutcome.UNCHANGED and one.earlier is not None:
                claim = one.earlier.claim
            elif one.outcome == RowOutcome.UNCHANGED and one.incident and one.taken.event:
                claim = correcting.known_claim(self.origin, one.taken.event, one.incident)
            if one.is_stored:
                rows.append(
                    ImportedRow(
                        batch=self.batch,
                        line=one.taken.row.line,
                        external_id=one.taken.external_id,
                        original=one.taken.row.original,
                        original_sha256=one.taken.sha256,
                        outcome=one.outcome,
                        incident_id=None if claim is None else claim.incident_id,
                        claim=claim,
                        notes=[remark.as_json() for remark in one.taken.remarks],
                    )
                )
        ImportedRow.objects.bulk_create(rows)
        self.batch.lines_done = chunk[-1].row.line
        counts = Counter(self.batch.counts) + Counter(str(one.outcome) for one in decided)
        self.batch.counts = dict(counts)
        self.batch.save(update_fields=["lines_done", "counts"])
        return decided

    def _begin(self) -> ImportBatch:
        return ImportBatch.objects.create(
            dataset=self.origin.dataset,
            file_name=_plain(self.path.name),
            file_sha256=self.file_sha256,
            layout=self.layout,
            columns=self.columns,
            criteria=self.criteria,
            importer=self.importer,
        )

    def _decide(self, chunk: Sequence[Taken]) -> list[Decided]:
        """What is to be done with each row, by what the database has of it."""
        ids = [taken.external_id for taken in chunk if taken.event is not None]
        earlier = {
            row.external_id: row
            for row in ImportedRow.objects.filter(
                batch__dataset=self.origin.dataset, external_id__in=ids
            )
            .exclude(outcome=RowOutcome.REFUSED)
            .select_related("batch", "claim__incident")
            .order_by("pk")
        }
        carrying = {
            carried.value: carried.incident
            for carried in ExternalId.objects.filter(
                dataset=self.origin.dataset,
                value__in=[pk for pk in ids if pk not in earlier],
                incident__in=Incident.objects.visible_to(self.importer).exclude(state=State.MERGED),
            )
            .select_related("incident")
            # Of several the published one, which comes last and stays.
            .order_by("incident__code")
            .reverse()
        }
        return [self._decide_one(taken, earlier, carrying) for taken in chunk]

    def _decide_one(
        self,
        taken: Taken,
        earlier: Mapping[str, ImportedRow],
        carrying: Mapping[str, Incident],
    ) -> Decided:
        if taken.event is None:
            return Decided(taken, RowOutcome.REFUSED, is_stored=not self._is_refused_before(taken))
        before = earlier.get(taken.external_id)
        if before is not None:
            return self._compare(taken, before)
        incident = carrying.get(taken.external_id)
        if incident is None:
            return Decided(taken, RowOutcome.CREATED)
        if correcting.known_claim(self.origin, taken.event, incident) is not None:
            remark = Remark("id", "noted", "A claim of the record says this already.")
            taken.remarks.append(remark)
            return Decided(taken, RowOutcome.UNCHANGED, incident=incident)
        return Decided(taken, RowOutcome.CLAIM_ADDED, incident=incident, now=taken.event)

    def _compare(self, taken: Taken, before: ImportedRow) -> Decided:
        """Whether a row says other things than the one that was imported of the same event.

        Columns that its layout lacks keep what they were.
        """
        if before.original_sha256 == taken.sha256:
            return Decided(taken, RowOutcome.UNCHANGED, before, is_stored=False)
        old = as_row(before.batch.columns, csv_rows.values_of(bytes(before.original)))
        new = {**old, **as_row(self.columns, taken.row.values)}
        was, _ = read_event(old, self.places, self.parties.kinds)
        now, remarks = read_event(new, self.places, self.parties.kinds)
        same_columns = all(new[name] == text for name, text in old.items())
        if was is None or now is None or was == now:
            # What no record shows is kept all the same, but for another order of the columns.
            return Decided(taken, RowOutcome.UNCHANGED, before, is_stored=not same_columns)
        if before.outcome == RowOutcome.UNCHANGED and not self._is_of_import(before):
            message = "The claim of this event was entered by hand: correct it by hand."
            taken.remarks.append(Remark("id", "noted", message))
            return Decided(taken, RowOutcome.UNCHANGED, before)
        taken.remarks[:] = remarks
        return Decided(taken, RowOutcome.CORRECTED, before, was=was, now=now)

    def _is_of_import(self, row: ImportedRow) -> bool:
        """Whether the claim was made by an import, and not by a person."""
        made = (RowOutcome.CREATED, RowOutcome.CLAIM_ADDED)
        return ImportedRow.objects.filter(claim=row.claim_id, outcome__in=made).exists()

    def _is_refused_before(self, taken: Taken) -> bool:
        notes = [remark.as_json() for remark in taken.remarks]
        return any(
            row.notes == notes
            for row in ImportedRow.objects.filter(
                original_sha256=taken.sha256,
                outcome=RowOutcome.REFUSED,
                batch__dataset=self.origin.dataset,
            )
        )

    def _work_on(self, one: Decided) -> Claim:
        """Add the claim, or correct the record, in a transaction of its own within the chunk."""
        assert one.now is not None  # noqa: S101  (decided so)
        reason = f"UCDP GED row {one.taken.external_id}"
        with acting(self.importer, reason):
            if one.outcome == RowOutcome.CLAIM_ADDED:
                assert one.incident is not None  # noqa: S101
                correcting.open_for(one.incident, self.importer, reason)
                return correcting.add_claim(self.origin, self.parties, one.now, one.incident)
            assert one.earlier is not None and one.earlier.claim is not None  # noqa: S101, PT018
            assert one.was is not None  # noqa: S101
            claim = one.earlier.claim
            correcting.open_for(claim.incident, self.importer, reason)
            is_ours = ImportedRow.objects.filter(
                claim=claim, incident=claim.incident_id, outcome=RowOutcome.CREATED
            ).exists()
            one.taken.remarks.extend(
                correcting.correct(self.parties, one.was, one.now, claim, is_ours=is_ours)
            )
            return claim


def _id(text: str) -> str:
    """An id as it can be stored, also one that was refused."""
    return _plain(text)[:100]


def _plain(text: str) -> str:
    return "".join(c for c in text if c.isprintable())[:255]


@contextmanager
def _alone() -> Iterator[None]:
    """One import of this dataset at a time. Raises :class:`Conflict` where another one runs."""
    with connections["default"].cursor() as cursor:
        cursor.execute(f"SELECT pg_try_advisory_lock({reviewing.RUNNING})")
        if cursor.fetchone() != (True,):
            raise Conflict("Another import of this dataset is running: wait for its end.")
        try:
            yield
        finally:
            cursor.execute(f"SELECT pg_advisory_unlock({reviewing.RUNNING})")


def import_file(
    path: Path,
    importer: User,
    criteria: Mapping[str, str] | None = None,
    *,
    is_dry: bool = False,
    say: Callable[[int], None] = lambda size: None,
) -> Report:
    """Import the rows of a file that meet all ``criteria`` (column -> value), as ``importer``.

    Ends with a batch that waits for its verifier, or without one where nothing is new. ``say``
    hears how many bytes more were read. Raises :class:`NotAllowed`, :class:`Invalid` (not a file of
    UCDP GED) or :class:`Conflict` (an unfinished import of another file, one that is running).
    """
    if not importer.is_active or not importer.has_perm(PERMISSION):
        raise NotAllowed("Researchers import: this person may not.")
    with _alone():
        if is_dry:
            with transaction.atomic():
                fixtures_loading.load_places_and_parties(setup_actor())
                report = Importer(path, importer, criteria or {}, is_dry=True, say=say).run()
                transaction.set_rollback(True)
            return report
        fixtures_loading.load_places_and_parties(setup_actor())
        return Importer(path, importer, criteria or {}, is_dry=False, say=say).run()
