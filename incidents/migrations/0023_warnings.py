"""Warnings with their rows, answers to them, and no verification while one is open."""

import uuid
from importlib import import_module

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import harmtracker.codes
from harmtracker.history.sql import codes, in_own_name, refuse

RULES = import_module("incidents.migrations._warnings_0023")
RAISED = import_module("incidents.migrations._raised_0023").RAISED
REDACTION = import_module("incidents.migrations.0005_redaction")
COMPLETE = import_module("incidents.migrations.0008_casework_rules").WARNINGS
BACKLOG = import_module("incidents.migrations.0022_backlog")

OLD_WARNINGS = REDACTION.function("incidents_warnings", COMPLETE)
OLD_GUARD = REDACTION.function("incidents_complete_guard", COMPLETE)
OLD_COUNT = REDACTION.function("incidents_waiting_warnings", BACKLOG.OPEN_WARNINGS)
OLD_RECKONED = REDACTION.function("incidents_reckon_waiting", BACKLOG.WAITING)

# What the database looks for near a record, in place and time.
NEAR = """
CREATE INDEX incidents_incident_near_place ON incidents_incident (place_id, date_earliest);
CREATE INDEX incidents_incident_near_point ON incidents_incident (date_earliest, latitude, longitude)
    WHERE latitude IS NOT NULL;
CREATE INDEX incidents_place_point ON incidents_place (latitude, longitude) WHERE latitude IS NOT NULL;
"""
NEAR_BACK = """
DROP INDEX incidents_place_point;
DROP INDEX incidents_incident_near_point;
DROP INDEX incidents_incident_near_place;
"""

GUARD = """
CREATE OR REPLACE FUNCTION incidents_complete_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    lacking text;
    unanswered text;
BEGIN
    SELECT string_agg(message, ' ') FILTER (WHERE blocks), string_agg(message, ' ') FILTER (WHERE is_open AND NOT blocks)
        INTO lacking, unanswered FROM incidents_warnings(NEW.incident_id);
    IF lacking IS NOT NULL THEN
        RAISE EXCEPTION '%', lacking
            USING ERRCODE = 'check_violation', CONSTRAINT = 'incidents_review_of_complete_record';
    END IF;
    IF NEW.verb = 'verify' AND unanswered IS NOT NULL THEN
        RAISE EXCEPTION 'A warning is open, to be mended or answered: %', unanswered
            USING ERRCODE = 'check_violation', CONSTRAINT = 'incidents_review_of_answered_record';
    END IF;
    RETURN NEW;
END $$;
"""

# Whoever may answer may withdraw: an author's reason that the verifier does not accept is withdrawn,
# and the warning is open again. On a draft those answer who edit it, of what waits its verifiers.
ANSWERS = """
CREATE FUNCTION incidents_answer_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    found record;
    taken_back record;
BEGIN
    NEW.at := clock_timestamp();
    -- An answer, an edit and a verification that come at once take turns here.
    SELECT i.state, r.number INTO found FROM incidents_incident i JOIN incidents_incidentrevision r ON r.incident_id = i.id
        WHERE i.id = NEW.incident_id FOR UPDATE OF r;
    IF NOT (found.state = 'draft' AND incidents_may(NEW.actor_id, 'change_incident')
            OR found.state = 'submitted' AND incidents_may(NEW.actor_id, 'verify_incident')) THEN
        RAISE EXCEPTION 'Warnings of a draft are answered by who may edit it, of a submitted record by who may verify it.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'incidents_warninganswer_by_who_may';
    END IF;
    IF NEW.revision IS DISTINCT FROM found.number THEN
        RAISE EXCEPTION 'The record was edited after it was looked at (revision % is now %).', NEW.revision, found.number
            USING ERRCODE = 'check_violation', CONSTRAINT = 'incidents_warninganswer_of_current_revision';
    END IF;
    IF NEW.withdraws_id IS NOT NULL THEN
        SELECT * INTO taken_back FROM incidents_warninganswer a WHERE a.id = NEW.withdraws_id;
        IF taken_back.withdraws_id IS NOT NULL
           OR (taken_back.incident_id, taken_back.rule, taken_back.fingerprint, taken_back.message)
                IS DISTINCT FROM (NEW.incident_id, NEW.rule, NEW.fingerprint, NEW.message)
           OR taken_back.about_id IS DISTINCT FROM NEW.about_id THEN
            RAISE EXCEPTION 'An answer is withdrawn as it was given, from the record that it is of.'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'incidents_warninganswer_withdraws_an_answer';
        END IF;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER incidents_warninganswer_guard BEFORE INSERT ON incidents_warninganswer
    FOR EACH ROW EXECUTE FUNCTION incidents_answer_guard();

-- Once for all rows of a statement: an import has thousands.
CREATE FUNCTION incidents_answered() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    ids bigint[] := array(SELECT DISTINCT incident_id FROM new_rows);
BEGIN
    IF EXISTS (
        SELECT FROM new_rows n LEFT JOIN (
            SELECT w.* FROM unnest(ids) AS i (id), LATERAL incidents_warnings(i.id) w) w ON w.answer = n.id
        WHERE n.withdraws_id IS NULL
            AND (w.message IS DISTINCT FROM n.message OR w.about IS DISTINCT FROM n.about_id)) THEN
        RAISE EXCEPTION 'No such warning is open on the record: look at it again.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'incidents_warninganswer_of_an_open_warning';
    END IF;
    PERFORM incidents_reckon_waiting(array(SELECT w.incident_id FROM incidents_waiting w WHERE w.incident_id = ANY (ids)));
    RETURN NULL;
END $$;
CREATE TRIGGER incidents_warninganswer_answered AFTER INSERT ON incidents_warninganswer
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION incidents_answered();
"""
ANSWERS_BACK = """
DROP TRIGGER incidents_warninganswer_answered ON incidents_warninganswer;
DROP FUNCTION incidents_answered();
DROP TRIGGER incidents_warninganswer_guard ON incidents_warninganswer;
DROP FUNCTION incidents_answer_guard();
"""

# Open warnings of a record: all, and those that its author may be told of. A record without a code is
# its author's and the verifiers'; of one with a code any researcher may know.
COUNT = """
DROP FUNCTION incidents_waiting_warnings(bigint);
CREATE FUNCTION incidents_waiting_warnings(incident bigint, OUT all_open bigint, OUT told bigint) LANGUAGE sql STABLE AS $$
    SELECT count(*), count(*) FILTER (WHERE o.id IS NULL OR o.code IS NOT NULL
        OR o.author_id = i.author_id AND i.code IS NULL)
    FROM incidents_incident i CROSS JOIN LATERAL incidents_warnings(i.id) w
    LEFT JOIN incidents_incident o ON o.id = w.about
    WHERE i.id = $1 AND w.is_open
$$;
"""
COUNT_BACK = "DROP FUNCTION incidents_waiting_warnings(bigint);" + OLD_COUNT

# Of a verified record none was open when it was verified.
RECKONED = REDACTION.changed(
    OLD_RECKONED,
    ("taken_by_id, open_warnings, is_imported, words)\n    SELECT", "taken_by_id, open_warnings, warnings_told, is_imported, words)\n    SELECT"),
    (
        "CASE WHEN i.state = 'draft' THEN 0 ELSE incidents_waiting_warnings(i.id) END,",
        "coalesce(n.all_open, 0), coalesce(n.told, 0),",
    ),
    (
        "    LEFT JOIN incidents_assignment a",
        "    LEFT JOIN LATERAL incidents_waiting_warnings(i.id) n ON i.state = 'submitted'\n"
        "    LEFT JOIN incidents_assignment a",
    ),
    ("         open_warnings, is_imported, words)\n        =", "         open_warnings, warnings_told, is_imported, words)\n        ="),
    ("excluded.open_warnings, excluded.is_imported", "excluded.open_warnings, excluded.warnings_told, excluded.is_imported"),
)

RECKON = """
SELECT incidents_reckon_waiting(array(
    SELECT id FROM incidents_incident WHERE state IN ('draft', 'submitted', 'verified')));
"""


class Migration(migrations.Migration):
    dependencies = [
        ("incidents", "0022_backlog"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RunSQL(NEAR, NEAR_BACK),
        migrations.AddField(
            model_name="waiting",
            name="warnings_told",
            field=models.IntegerField(
                db_default=0,
                help_text="Those of them that its author may be told of: about no record hidden from them.",
            ),
        ),
        migrations.CreateModel(
            name="WarningAnswer",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("rule", harmtracker.codes.CodeField("record_warning", help_text="Which warning.", max_length=40)),
                (
                    "fingerprint",
                    models.CharField(
                        help_text="SHA-256 of the rows and figures that the warning was about.", max_length=64
                    ),
                ),
                ("message", models.TextField(help_text="What the warning said then.")),
                ("reason", models.TextField(help_text="Why the warning may stand; why the answer does not.")),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("revision", models.PositiveBigIntegerField(help_text="The revision that was looked at.")),
                (
                    "about",
                    models.ForeignKey(
                        blank=True,
                        help_text="The other record that it was about: who may not see that, is not told of this.",
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+",
                        to="incidents.incident",
                    ),
                ),
                (
                    "actor",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "incident",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="warning_answers",
                        to="incidents.incident",
                    ),
                ),
                (
                    "withdraws",
                    models.OneToOneField(
                        blank=True,
                        help_text="The answer that this row withdraws; none where it is an answer itself.",
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="withdrawn_by",
                        to="incidents.warninganswer",
                    ),
                ),
            ],
            options={
                "ordering": ["pk"],
                "indexes": [models.Index(fields=["incident", "rule", "fingerprint"], name="answer_standing")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("reason__regex", "^\\s*$"), _negated=True),
                        name="incidents_warninganswer_says_why",
                        violation_error_message="Say why.",
                    )
                ],
            },
        ),
        migrations.RunSQL("DROP FUNCTION incidents_warnings(bigint);", OLD_WARNINGS + RECKON),
        migrations.RunSQL(RULES.FUNCTIONS, RULES.FUNCTIONS_BACK),
        migrations.RunSQL(RAISED, "DROP FUNCTION incidents_warnings(bigint); DROP FUNCTION incidents_raised(bigint);"),
        migrations.RunSQL(GUARD, OLD_GUARD),
        codes("incidents_warninganswer", rule="record_warning"),
        in_own_name("incidents_warninganswer", "actor_id"),
        refuse(
            "incidents_warninganswer", "UPDATE", "DELETE", "TRUNCATE",
            rule="incidents_warninganswer_only_grows",
            message="What was answered stays: an answer is withdrawn, never changed.",
        ),
        migrations.RunSQL(ANSWERS, ANSWERS_BACK),
        migrations.RunSQL(COUNT + RECKONED + RECKON, COUNT_BACK + OLD_RECKONED),
    ]
