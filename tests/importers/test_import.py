"""What an import stores, refuses and leaves alone."""

from __future__ import annotations

import random
import subprocess
import sys
from collections import Counter
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connections

from harmtracker.errors import Conflict, Invalid, NotAllowed
from harmtracker.history.acting import acting
from harmtracker.history.models import HistoryEntry
from incidents import services
from incidents.choices import BatchState, RowOutcome, State
from incidents.importers import reviewing, ucdp_import
from incidents.importers.ucdp_import import Report, import_file
from incidents.models import (
    Actor,
    CasualtyCount,
    Claim,
    CountBasis,
    Dataset,
    ExternalId,
    ImportBatch,
    ImportedRow,
    Incident,
    PublishedVersion,
)
from incidents.publishing.document import build_content
from incidents.workflow import take_step
from tests.importers.files import COLUMNS_42, one_sided, row, text_of, write

SHIPPED = settings.FIXTURES / "ucdp_ged_kachin_1989-2023.csv"
pytestmark = pytest.mark.django_db


def counts(report: Report) -> dict[str, int]:
    return {str(outcome): number for outcome, number in report.counts.items() if number}


def everything() -> tuple[int, ...]:
    """How many rows there are of whatever an import can write."""
    models = (HistoryEntry, Incident, Claim, Actor, ImportBatch, ImportedRow, CasualtyCount)
    return tuple(model._default_manager.count() for model in models)


@pytest.fixture
def person(people: SimpleNamespace) -> Any:
    return people.researcher


class TestNew:
    def test_a_row_becomes_a_record_that_waits(self, tmp_path: Path, person: Any) -> None:
        path = write(tmp_path, row())
        report = import_file(path, person)
        assert counts(report) == {"created": 1}
        batch = ImportBatch.objects.get()
        assert (batch.state, batch.importer, batch.layout) == (
            BatchState.SUBMITTED,
            person,
            "ged-49",
        )
        kept = batch.rows.get()
        assert bytes(kept.original) == path.read_bytes().split(b"\n", 1)[1]
        assert (kept.line, kept.external_id, kept.outcome) == (2, "900001", RowOutcome.CREATED)
        incident = Incident.objects.get(pk=kept.incident_id)
        assert (incident.state, incident.author, incident.grading) == (
            State.SUBMITTED,
            person,
            "weak",
        )
        assert incident.place.pcode == "MMR001D002"
        assert (str(incident.latitude), str(incident.longitude)) == ("25.616667", "96.316667")
        assert incident.external_ids.get().value == "900001"
        assert incident.weaponuses.count() == 0

    def test_what_is_claimed_is_what_is_assessed(self, tmp_path: Path, person: Any) -> None:
        import_file(write(tmp_path, row()), person)
        claim = Claim.objects.get(imported_rows__isnull=False)
        assert claim.attributed_outlet is not None
        assert claim.attributed_outlet.independence_group == "ucdp"

        def figures(owner: Claim | None) -> set[tuple[Any, ...]]:
            rows = CasualtyCount.objects.filter(incident=claim.incident, claim=owner)
            return set(rows.values_list("status", "affiliation", "min", "best", "max"))

        assert figures(claim) == figures(None)
        assert len(figures(None)) == 5
        bases = CountBasis.objects.filter(incident=claim.incident)
        assert Counter(bases.values_list("bound", flat=True)) == {"min": 1, "best": 5, "max": 1}
        assert set(bases.values_list("claim", flat=True)) == {claim.pk}

    def test_totals_are_those_of_the_row(self, tmp_path: Path, person: Any) -> None:
        rows = [
            row(id="1"),
            row(id="2", low="9", best="5", high="1"),
            one_sided(id="3"),
            row(id="4", type_of_violence="2", side_a_new_id="180", side_a="KNU"),
        ]
        import_file(write(tmp_path, *rows), person)
        found = []
        for carried in ExternalId.objects.filter(value__in="1234").order_by("value"):
            killed = build_content(carried.incident_id)["totals"]["killed"]
            found.append(
                (
                    [killed["all"][name] for name in ("min", "best", "max")],
                    [killed["civilian"][name] for name in ("min", "best", "max")],
                    killed["uncertain"]["best"],
                )
            )
        assert found == [
            ([4, 5, 9], [None, 2, None], 0),
            ([None, 5, None], [None, 2, None], 0),
            ([4, 5, 9], [None, 5, None], 0),
            ([4, 5, 9], [None, 2, None], 0),
        ]

    def test_the_older_layout_gives_the_same(self, tmp_path: Path, person: Any) -> None:
        path = write(tmp_path, row(id="1"), columns=COLUMNS_42)
        assert counts(import_file(path, person)) == {"created": 1}
        assert ImportBatch.objects.get().layout == "ged-42"
        # The same event in the newer layout says more of the place, and nothing else.
        assert counts(import_file(write(tmp_path, row(id="2")), person)) == {"created": 1}
        one, two = (ExternalId.objects.get(value=value).incident for value in "12")
        assert one.date_edtf == two.date_edtf
        assert one.place == two.place
        assert one.casualtycounts.count() == two.casualtycounts.count()

    def test_parties_are_made_once(self, tmp_path: Path, person: Any) -> None:
        import_file(write(tmp_path, row(id="1"), row(id="2")), person)
        government = Actor.objects.get(slug="ucdp-actor-144")
        assert government.kind == "state_forces"
        assert government.involvements.count() == 4
        # The other side is an actor that was there.
        assert not Actor.objects.filter(slug="ucdp-actor-201").exists()
        assert Actor.objects.get(slug="kio").involvements.filter(certainty="possible").count() == 4

    def test_the_order_of_columns_is_not_looked_at(self, tmp_path: Path, person: Any) -> None:
        path = write(tmp_path, row(), columns=sorted(row()))
        assert counts(import_file(path, person)) == {"created": 1}

    def test_criteria(self, tmp_path: Path, person: Any) -> None:
        rows = [row(id="1"), row(id="2", adm_1="Chin state"), row(id="3", year="1999")]
        criteria = {"adm_1": "Kachin state", "year": "2021"}
        assert counts(import_file(write(tmp_path, *rows), person, criteria)) == {"created": 1}
        assert ImportBatch.objects.get().criteria == criteria
        with pytest.raises(Invalid, match=r"no column adm1\. Did you mean adm_1"):
            import_file(write(tmp_path, *rows), person, {"adm1": "x"})


class TestAgain:
    def test_a_second_run_changes_nothing(self, tmp_path: Path, person: Any) -> None:
        rows = [row(id="1"), row(id="2", best="x"), row(id="1"), one_sided(id="4")]
        path = write(tmp_path, *rows)
        assert counts(import_file(path, person)) == {"created": 2, "refused": 2}
        before = everything()
        report = import_file(path, person)
        assert (counts(report), report.batch) == ({"unchanged": 2, "refused": 2}, None)
        assert everything() == before

    def test_another_file_of_the_same_rows_changes_nothing(
        self, tmp_path: Path, person: Any
    ) -> None:
        import_file(write(tmp_path, row(id="1"), row(id="2")), person)
        before = everything()
        import_file(write(tmp_path, row(id="2"), row(id="1"), name="other.csv"), person)
        import_file(write(tmp_path, row(id="1"), columns=COLUMNS_42), person)
        assert everything() == before

    def test_a_changed_row_corrects_what_was_published(
        self, tmp_path: Path, people: SimpleNamespace
    ) -> None:
        person = people.researcher
        batch = import_file(write(tmp_path, row(id="1"), row(id="2")), person).batch
        assert batch is not None
        reviewing.verify(batch.uuid, people.verifier)
        reviewing.publish(batch.uuid, people.verifier)
        changed = row(id="1", best="6", deaths_civilians="3", adm_2="Bhamo district")
        report = import_file(write(tmp_path, changed, row(id="2")), person)
        assert counts(report) == {"corrected": 1, "unchanged": 1}
        incident = ExternalId.objects.get(value="1").incident
        assert incident.state == State.SUBMITTED
        assert incident.place.name == "Bhamo"
        for owner in (None, incident.claims.get()):
            found = incident.casualtycounts.filter(claim=owner)
            assert found.get(status="all").best == 6
            assert found.get(status="civilian").best == 3
        assert incident.reviews.filter(verb="reopen").get().reason == "UCDP GED row 1"
        new = report.batch
        assert new is not None
        assert new.pk != batch.pk
        reviewing.verify(new.uuid, people.verifier)
        reviewing.publish(new.uuid, people.verifier)
        versions = PublishedVersion.objects.using("default").filter(code=incident.code)
        assert versions.count() == 2
        before = everything()
        import_file(write(tmp_path, changed, row(id="2")), person)
        assert everything() == before

    def test_what_was_edited_by_hand_is_left_and_told(
        self, tmp_path: Path, people: SimpleNamespace
    ) -> None:
        person = people.researcher
        batch = import_file(write(tmp_path, row(id="1")), person).batch
        assert batch is not None
        reviewing.give_back(batch.uuid, people.verifier, "Look again")
        incident = ExternalId.objects.get(value="1").incident
        with acting(person, "By hand"):
            services.change(incident, title="Our own title")
            ours = incident.casualtycounts.get(claim=None, status="all")
            services.change(ours, min=5, best=5, max=5, qualifier="exact")
        changed = row(id="1", best="6", deaths_a="3", where_coordinates="Tanai town")
        assert counts(import_file(write(tmp_path, changed), person)) == {"corrected": 1}
        incident.refresh_from_db()
        ours.refresh_from_db()
        assert (incident.title, ours.best) == ("Our own title", 5)
        # What UCDP says follows the row all the same.
        claim = incident.claims.get()
        assert claim.place_said == "Tanai town"
        assert claim.casualtycounts.get(status="all").best == 6
        notes = ImportedRow.objects.get(outcome=RowOutcome.CORRECTED).notes
        assert sum("by hand" in note["message"] for note in notes) == 2

    def test_a_record_that_waits_is_not_pulled_back(self, tmp_path: Path, person: Any) -> None:
        import_file(write(tmp_path, row(id="1")), person)
        report = import_file(write(tmp_path, row(id="1", high="20")), person)
        assert counts(report) == {"refused": 1}
        (line,) = report.named
        assert "have it published or returned first" in line[2].message


class TestKnown:
    def test_the_two_shipped_records_have_their_claim_already(self, person: Any) -> None:
        before = PublishedVersion.objects.using("default").count()
        report = import_file(SHIPPED, person)
        assert counts(report) == {"created": 432, "unchanged": 2}
        assert (report.best, report.civilians) == (1762, 315)
        known = ImportedRow.objects.filter(outcome=RowOutcome.UNCHANGED)
        assert set(known.values_list("external_id", "incident__code")) == {
            ("494205", "MMR-2023-0001"),
            ("157025", "MMR-2014-0001"),
        }
        assert all(kept.claim is not None for kept in known)
        states = Incident.objects.filter(imported_rows__in=known).values_list("state", flat=True)
        assert set(states) == {State.PUBLISHED}
        assert PublishedVersion.objects.using("default").count() == before

    @pytest.mark.parametrize("state", [State.DRAFT, State.PUBLISHED])
    def test_a_row_becomes_a_claim_of_the_record_with_its_id(
        self, tmp_path: Path, people: SimpleNamespace, draft: Any, state: State
    ) -> None:
        person = people.researcher
        incident = draft()
        with acting(person, "Its id"):
            services.add_part(
                ExternalId,
                incident=incident,
                dataset=Dataset.objects.get(slug="ucdp-ged"),
                value="900001",
            )
        if state == State.PUBLISHED:
            for verb, by in (("submit", person), ("verify", people.verifier)):
                take_step(verb, incident_id=incident.pk, actor=by)
            take_step("publish", incident_id=incident.pk, actor=people.verifier)
        records = Incident.objects.count()
        assessed = list(incident.casualtycounts.filter(claim=None).values())
        report = import_file(write(tmp_path, row()), person)
        assert counts(report) == {"claim_added": 1}
        assert Incident.objects.count() == records
        incident.refresh_from_db()
        assert incident.claims.count() == 2
        assert list(incident.casualtycounts.filter(claim=None).values()) == assessed
        # One's own draft goes its own way; what was published is reviewed with the batch.
        assert incident.state == (State.DRAFT if state == State.DRAFT else State.SUBMITTED)
        batch = report.batch
        assert batch is not None
        # Two independent voices now, and the grading is that of one.
        reviewing.verify(batch.uuid, people.verifier, "The grading waits for a third.")
        reviewing.publish(batch.uuid, people.verifier)
        incident.refresh_from_db()
        assert incident.state == state
        before = everything()
        import_file(write(tmp_path, row()), person)
        assert everything() == before

    def test_a_draft_of_somebody_else_is_not_told_of(
        self, tmp_path: Path, people: SimpleNamespace, draft: Any
    ) -> None:
        incident = draft()
        with acting(people.researcher, "Its id"):
            dataset = Dataset.objects.get(slug="ucdp-ged")
            services.add_part(ExternalId, incident=incident, dataset=dataset, value="900001")
        report = import_file(write(tmp_path, row()), people.other_researcher)
        assert counts(report) == {"created": 1}


class TestRefused:
    def test_a_row_is_refused_by_line_id_and_column(self, tmp_path: Path, person: Any) -> None:
        report = import_file(write(tmp_path, row(id="7", best="x"), row(id="8")), person)
        assert counts(report) == {"created": 1, "refused": 1}
        kept = ImportedRow.objects.get(outcome=RowOutcome.REFUSED)
        assert (kept.line, kept.external_id, kept.incident) == (2, "7", None)
        assert kept.notes == [
            {"column": "best", "kind": "refused", "message": "“x” is not a number of persons."}
        ]
        assert reviewing.remarks(kept.batch) == [{"kind": "refused", "column": "best", "rows": 1}]

    def test_what_the_database_alone_refuses_takes_no_neighbour_along(
        self, tmp_path: Path, person: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """As where a crosswalk of ours gives a code that no list has."""
        read = ucdp_import.read_event

        def bad(fields: Any, *others: Any) -> Any:
            event, remarks = read(fields, *others)
            if fields["id"] == "3":
                event.incident["place_precision"] = "galaxy"
            return event, remarks

        monkeypatch.setattr(ucdp_import, "read_event", bad)
        path = write(tmp_path, *(row(id=str(number)) for number in range(1, 8)))
        report = import_file(path, person)
        assert counts(report) == {"created": 6, "refused": 1}
        assert [external_id for _, external_id, _ in report.named] == ["3"]
        assert "galaxy" in report.named[0][2].message
        assert ImportBatch.objects.get().counts == {"created": 6, "refused": 1}

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            (b"", "missing are"),
            (b"\x00\x01\x02", "missing are"),
            ("id,best\n1,2\n".encode("utf-16"), "missing are"),
            (b"PK\x03\x04 a workbook", "missing are"),
            (text_of([row()]).replace("deaths_civilians", "civilians").encode(), "deaths_civ"),
            (text_of([row()]).replace("deaths_a,", "best,").encode(), "twice: best"),
            (text_of([row()]).replace(",", ";").encode(), "missing are"),
        ],
    )
    def test_another_file_is_refused_whole(
        self, tmp_path: Path, person: Any, content: bytes, said: str
    ) -> None:
        path = tmp_path / "ged.csv"
        path.write_bytes(content)
        before = everything()
        with pytest.raises(Invalid, match=said):
            import_file(path, person)
        assert everything() == before

    @pytest.mark.parametrize(
        "spoilt",
        [
            lambda text: text.replace(b"Hpakant", b"Hp\xe9kant"),
            lambda text: text.replace(b"Hpakant", b"Hp\x00kant"),
            lambda text: text.replace(b"Hpakant", b"H" * 200_000),
            lambda text: text.replace(b"Hpakant", b"H" * 2_000_000),
            lambda text: text.replace(b"Kachin state", b'"Kachin state'),
            lambda text: text.replace(b"Asia", b"Asia,Asia"),
            lambda text: text.replace(b"2021-03-27", b"2921-03-27"),
            lambda text: text.replace(b"144", b"=1+1"),
        ],
    )
    def test_a_hostile_row_is_refused_and_the_next_is_taken(
        self, tmp_path: Path, person: Any, spoilt: Any
    ) -> None:
        header, bad = text_of([row(id="1")]).encode().split(b"\n", 1)
        _, good = text_of([row(id="2")]).encode().split(b"\n", 1)
        path = tmp_path / "ged.csv"
        path.write_bytes(header + b"\n" + spoilt(bad) + good)
        found = counts(import_file(path, person))
        assert found["created"] == 1
        assert found["refused"] >= 1
        assert ExternalId.objects.filter(value="2").exists()

    def test_who_may_not_import(self, tmp_path: Path, people: SimpleNamespace) -> None:
        for person in (people.verifier, people.administrator):
            with pytest.raises(NotAllowed):
                import_file(write(tmp_path, row()), person)

    def test_another_file_waits_for_an_unfinished_one(self, tmp_path: Path, person: Any) -> None:
        path = write(tmp_path, *(row(id=str(n)) for n in range(1, 4)))
        with pytest.raises(KeyboardInterrupt):
            cut_off(path, person, after=3)
        other = write(tmp_path, row(id="9"), name="other.csv")
        with pytest.raises(Conflict, match=r"ged\.csv.* is not finished"):
            import_file(other, person)
        assert counts(import_file(path, person)) == {"created": 1}


def cut_off(path: Path, person: Any, *, after: int) -> None:
    """An import that ends when this row is read, with two rows to a chunk."""
    heard = 0

    def say(size: int) -> None:
        nonlocal heard
        heard += 1
        if heard == after:
            raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ucdp_import, "CHUNK", 2)
        import_file(path, person, say=say)


class TestDryRun:
    def test_it_tells_the_same_and_stores_nothing(self, tmp_path: Path, person: Any) -> None:
        path = write(tmp_path, row(id="1"), row(id="2", best="x"), row(id="494205"))
        before = everything()
        report = import_file(path, person, is_dry=True)
        assert counts(report) == {"created": 1, "refused": 1, "unchanged": 1}
        assert everything() == before


class TestCommand:
    def test_it_tells_what_it_did(self, tmp_path: Path, person: Any) -> None:
        out = StringIO()
        path = write(tmp_path, row(id="1", low="9"), row(id="2", best="x"))
        call_command("import_ucdp_ged", path, "--as", "researcher", stdout=out, stderr=StringIO())
        said = out.getvalue()
        assert "1 created, 1 refused" in said
        assert "line 5, id 2, best: “x” is not a number of persons." in said
        assert "is submitted: another person looks at it" in said

    @pytest.mark.parametrize(
        ("options", "said"),
        [
            (["nowhere.csv", "--as", "researcher"], "cannot be read"),
            (["{}", "--as", "nobody"], "There is no active person nobody"),
            (["{}"], "2 persons may do this"),
            (["{}", "--as", "verifier"], "Researchers import"),
            (["{}", "--as", "researcher", "--where", "adm_1"], "COLUMN=VALUE"),
        ],
    )
    def test_it_refuses_in_a_sentence(self, tmp_path: Path, options: list[str], said: str) -> None:
        path = str(write(tmp_path, row()))
        with pytest.raises(CommandError, match=said):
            call_command("import_ucdp_ged", *(option.format(path) for option in options))


# A process of its own that imports, and is killed over it.
PROCESS = """
import os, signal, sys
import django
django.setup()
from pathlib import Path
from harmtracker.accounts.models import User
from incidents.importers import ucdp_import
from tests import database
database.use(sys.argv[2])
ucdp_import.CHUNK = 40
left = int(sys.argv[3])
def say(size):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
person = User.objects.get(username="researcher")
from django.db import connection
if sys.argv[4] == "within":
    # In the middle of a chunk's transaction: after so many statements, not after so many rows.
    from django.db.backends.signals import connection_created
    def wrapper(execute, sql, params, many, context):
        if sql.startswith("INSERT"):
            say(0)
        return execute(sql, params, many, context)
    with connection.execute_wrapper(wrapper):
        ucdp_import.import_file(Path(sys.argv[1]), person)
else:
    ucdp_import.import_file(Path(sys.argv[1]), person, say=say)
"""


@pytest.mark.usefixtures("committed")
def test_an_import_that_is_killed_goes_on_to_the_same_rows(people: SimpleNamespace) -> None:
    database = str(connections["default"].settings_dict["NAME"])
    dice = random.Random(7)
    for number in range(4):
        after, where = (dice.randrange(30, 400), "between") if number % 2 else (
            dice.randrange(20, 60), "within"
        )  # fmt: skip
        process = subprocess.run(
            [sys.executable, "-c", PROCESS, str(SHIPPED), database, str(after), where],
            cwd=settings.BASE_DIR,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert process.returncode == -9, process.stderr
        batch = ImportBatch.objects.filter(state=BatchState.IMPORTING).first()
        done = ImportedRow.objects.filter(outcome=RowOutcome.CREATED)
        assert done.count() == Incident.objects.filter(dataset__slug="ucdp-ged").count()
        assert not Incident.objects.filter(state=State.SUBMITTED).exists()
        assert done.count() == (batch.counts["created"] if batch else 0)
    import_file(SHIPPED, people.researcher)
    batch = ImportBatch.objects.get()
    assert batch.state == BatchState.SUBMITTED
    assert batch.counts == {"created": 432, "unchanged": 2}
    kept = b"".join(bytes(one) for one in batch.rows.values_list("original", flat=True))
    _, rows = SHIPPED.read_bytes().split(b"\n", 1)
    assert kept == rows
    assert Incident.objects.filter(dataset__slug="ucdp-ged", state="submitted").count() == 432
    before = everything()
    import_file(SHIPPED, people.researcher)
    assert everything() == before


class TestLines:
    @pytest.mark.parametrize(
        ("column", "text"),
        [
            ("source_headline", "one\u2028two"),
            ("where_coordinates", "Hpakant\u2028town"),
            ("source_headline", "one\x0btwo"),
        ],
    )
    def test_a_field_with_what_others_take_for_a_line_end_is_compared(
        self, tmp_path: Path, people: SimpleNamespace, column: str, text: str
    ) -> None:
        batch = import_file(write(tmp_path, row(**{column: text})), people.researcher).batch
        assert batch is not None
        reviewing.give_back(batch.uuid, people.verifier, "Look again")
        changed = write(tmp_path, row(**{column: text, "high": "10"}))
        assert counts(import_file(changed, people.researcher)) == {"corrected": 1}

    @pytest.mark.parametrize("ends", [b"\n", b"\r\n"])
    @pytest.mark.parametrize("is_quoted", [False, True])
    def test_a_byte_order_mark_and_line_ends_as_excel_and_r_write_them(
        self, tmp_path: Path, person: Any, ends: bytes, is_quoted: bool
    ) -> None:
        header, rest = text_of([row()]).encode().split(b"\n", 1)
        if is_quoted:
            header = b'"' + header.replace(b",", b'","') + b'"'
        path = tmp_path / "ged.csv"
        path.write_bytes(b"\xef\xbb\xbf" + header + ends + rest.removesuffix(b"\n") + ends)
        assert counts(import_file(path, person)) == {"created": 1}
        before = everything()
        import_file(write(tmp_path, row(), name="plain.csv"), person)
        assert everything() == before


class TestOthers:
    def test_a_lost_file_stops_no_other_import(
        self, tmp_path: Path, people: SimpleNamespace
    ) -> None:
        path = write(tmp_path, *(row(id=str(n)) for n in range(1, 4)))
        with pytest.raises(KeyboardInterrupt):
            cut_off(path, people.researcher, after=3)
        lost = ImportBatch.objects.get()
        reviewing.give_back(lost.uuid, people.verifier, "Its file is lost")
        other = write(tmp_path, row(id="9"), name="other.csv")
        assert counts(import_file(other, people.other_researcher)) == {"created": 1}
        # What was stored of it is reviewed as any batch.
        submitted = reviewing.submit_again(lost.uuid, people.researcher)
        assert (submitted.state, reviewing.states(lost)) == ("submitted", {"submitted": 2})
        assert counts(import_file(path, people.researcher)) == {"created": 1, "unchanged": 2}

    def test_nobody_returns_an_import_that_runs(
        self, tmp_path: Path, people: SimpleNamespace
    ) -> None:
        with pytest.raises(KeyboardInterrupt):
            cut_off(
                write(tmp_path, *(row(id=str(n)) for n in range(3))), people.researcher, after=3
            )
        batch = ImportBatch.objects.get()
        at = connections["default"].get_connection_params()
        place = {name: at[name] for name in ("host", "port", "user", "password") if name in at}
        with psycopg.connect(**place, dbname=at["dbname"]) as running:
            running.execute(f"SELECT pg_advisory_lock({reviewing.RUNNING})")
            with pytest.raises(Conflict, match="is running"):
                reviewing.give_back(batch.uuid, people.verifier, "Its file is lost")
        with pytest.raises(NotAllowed):
            reviewing.give_back(batch.uuid, people.researcher, "Mine")

    def test_a_draft_of_somebody_else_is_not_corrected(
        self, tmp_path: Path, people: SimpleNamespace
    ) -> None:
        batch = import_file(write(tmp_path, row(id="1")), people.researcher).batch
        assert batch is not None
        reviewing.give_back(batch.uuid, people.verifier, "Look again")
        incident = ExternalId.objects.get(value="1").incident
        before = build_content(incident.pk)
        report = import_file(write(tmp_path, row(id="1", best="6")), people.other_researcher)
        assert counts(report) == {"refused": 1}
        assert "not published" in report.named[-1][2].message
        assert build_content(incident.pk) == before
