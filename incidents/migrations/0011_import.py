"""Imports of other datasets: batches, the rows as they stood, and the rules of both."""

import uuid
from importlib import import_module

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

from harmtracker.history.sql import check, in_own_name, refuse, track

# Each step of a batch by the person it takes. What the records themselves need is held by their own
# guards, one by one: here it is held that the batch says of them what is so.
BATCH = """
CREATE FUNCTION incidents_batch_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    acting bigint := nullif(current_setting('harmtracker.actor', true), '')::bigint;
    step text := OLD.state || ' ' || NEW.state;
BEGIN
    IF (NEW.uuid, NEW.dataset_id, NEW.file_name, NEW.file_sha256, NEW.layout, NEW.columns, NEW.criteria,
        NEW.importer_id, NEW.started_at) IS DISTINCT FROM
       (OLD.uuid, OLD.dataset_id, OLD.file_name, OLD.file_sha256, OLD.layout, OLD.columns, OLD.criteria,
        OLD.importer_id, OLD.started_at) THEN
        RAISE EXCEPTION 'What was imported, and by whom, stays as it is.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'incidents_importbatch_origin_stays';
    END IF;
    IF step NOT IN ('importing importing', 'importing submitted', 'returned submitted',
                    'submitted verified', 'submitted returned', 'verified returned',
                    'verified published')
       OR OLD.state <> 'importing' AND (NEW.lines_done, NEW.counts) IS DISTINCT FROM (OLD.lines_done, OLD.counts)
       OR NEW.lines_done < OLD.lines_done THEN
        RAISE EXCEPTION 'An import goes from % to % by no step.', OLD.state, NEW.state
            USING ERRCODE = 'check_violation', CONSTRAINT = 'incidents_importbatch_state_by_step';
    END IF;
    IF acting IS DISTINCT FROM (CASE
           WHEN NEW.state IN ('importing', 'submitted') THEN NEW.importer_id
           WHEN NEW.state = 'verified' THEN NEW.verified_by_id
           WHEN NEW.state = 'published' THEN NEW.published_by_id
           ELSE acting END)
       OR NEW.state IN ('verified', 'published', 'returned')
          AND NOT incidents_may(acting, CASE NEW.state WHEN 'verified' THEN 'verify' WHEN 'published' THEN 'publish'
                                        ELSE 'return' END || '_incident')
       OR NEW.verified_by_id IS DISTINCT FROM OLD.verified_by_id AND NEW.state NOT IN ('verified', 'returned')
       OR NEW.published_by_id IS DISTINCT FROM OLD.published_by_id AND NEW.state <> 'published' THEN
        RAISE EXCEPTION 'A step of an import is taken in one''s own name, by who may.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'incidents_importbatch_in_own_name';
    END IF;
    IF NEW.state IN ('verified', 'published') AND EXISTS (
        SELECT FROM incidents_importedrow r JOIN incidents_claim c ON c.id = r.claim_id
            JOIN incidents_incident i ON i.id = c.incident_id
        WHERE r.batch_id = NEW.id AND r.outcome IN ('created', 'claim_added', 'corrected')
          -- A claim of a draft that was never published goes its own way.
          AND NOT (r.outcome = 'claim_added' AND i.code IS NULL)
          AND i.state IN ('draft', 'submitted', CASE NEW.state WHEN 'published' THEN 'verified' END)) THEN
        RAISE EXCEPTION 'A record of the import is not % yet.', NEW.state
            USING ERRCODE = 'check_violation', CONSTRAINT = 'incidents_importbatch_of_its_records';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER incidents_importbatch_guard BEFORE UPDATE ON incidents_importbatch
    FOR EACH ROW EXECUTE FUNCTION incidents_batch_guard();

CREATE FUNCTION incidents_batch_begins() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state <> 'importing' OR NEW.verified_by_id IS NOT NULL OR NEW.published_by_id IS NOT NULL
       OR NOT incidents_may(NEW.importer_id, 'add_importbatch') THEN
        RAISE EXCEPTION 'An import begins with nothing stored, by who may import.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'incidents_importbatch_begins';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER incidents_importbatch_begins BEFORE INSERT ON incidents_importbatch
    FOR EACH ROW EXECUTE FUNCTION incidents_batch_begins();
"""
BATCH_BACK = """
DROP TRIGGER incidents_importbatch_begins ON incidents_importbatch;
DROP FUNCTION incidents_batch_begins();
DROP TRIGGER incidents_importbatch_guard ON incidents_importbatch;
DROP FUNCTION incidents_batch_guard();
"""

# Once for all rows of a statement.
ROWS = """
CREATE FUNCTION incidents_importedrow_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM incidents_importbatch b
               WHERE b.id IN (SELECT batch_id FROM new_rows)
               AND (b.state <> 'importing' OR b.importer_id IS DISTINCT FROM
                    nullif(current_setting('harmtracker.actor', true), '')::bigint)) THEN
        RAISE EXCEPTION 'Rows are added to a batch by its importer, while it is imported.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'incidents_importedrow_by_importer';
    END IF;
    IF EXISTS (SELECT FROM new_rows r JOIN incidents_claim c ON c.id = r.claim_id
               WHERE c.incident_id <> r.incident_id) THEN
        RAISE EXCEPTION 'The claim of an imported event is of its record.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'incidents_importedrow_claim_of_record';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER incidents_importedrow_guard AFTER INSERT ON incidents_importedrow
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION incidents_importedrow_guard();
"""
ROWS_BACK = """
DROP TRIGGER incidents_importedrow_guard ON incidents_importedrow;
DROP FUNCTION incidents_importedrow_guard();
"""


REDACTION = import_module("incidents.migrations.0005_redaction")
MERGE = import_module("incidents.migrations.0006_merge")

# The history of each shared row by its index. Joined as a whole, the planner reads every entry since
# the record was begun, for each record: minutes where thousands were begun at once.
EDITORS = REDACTION.changed(
    MERGE.EDITORS[0],
    (
        """    SELECT h.actor_id FROM records r CROSS JOIN LATERAL incidents_shared(r.id) s
    JOIN history_historyentry h ON h.table_name = s.table_name AND h.row_id = s.row_id
    WHERE h.id >= (SELECT min(entry) FROM since)
""",
        """    SELECT h.actor_id FROM (SELECT min(entry) AS entry FROM since) f
    CROSS JOIN records r CROSS JOIN LATERAL incidents_shared(r.id) s
    CROSS JOIN LATERAL (
        SELECT e.actor_id FROM history_historyentry e
        WHERE e.table_name = s.table_name AND e.row_id = s.row_id AND e.id >= f.entry
        OFFSET 0) h  -- a fence: looked up row by row
""",
    ),
)

COMPLETE = import_module("incidents.migrations.0008_casework_rules")

# The carriers of the same id first, and their codes then. A plan that is made while few records have
# a code begins with those, and is kept while thousands get one in the same transaction.
PUBLISHED_IDS = REDACTION.function("incidents_published_ids_guard", COMPLETE.EXTERNAL_IDS)
PUBLISHED_IDS_FENCED = REDACTION.changed(
    PUBLISHED_IDS,
    (
        "    SELECT e.value, o.code INTO taken\n",
        "    SELECT f.value, f.code INTO taken\n",
    ),
    (
        """        JOIN incidents_externalid f ON (f.dataset_id, f.value) = (e.dataset_id, e.value) AND f.incident_id <> i.id
        JOIN incidents_incident o ON o.id = f.incident_id AND o.code IS NOT NULL
""",
        """        CROSS JOIN LATERAL (
            SELECT x.value, (SELECT code FROM incidents_incident WHERE id = x.incident_id) AS code
            FROM incidents_externalid x
            WHERE x.dataset_id = e.dataset_id AND x.value = e.value AND x.incident_id <> i.id
            OFFSET 0) f
""",
    ),
    ("    WHERE i.code = NEW.code LIMIT 1;", "    WHERE i.code = NEW.code AND f.code IS NOT NULL LIMIT 1;"),
)
FOUR_EYES = import_module("incidents.migrations.0003_four_eyes")

# As it was, but planned once in a session and not five times for each record.
HOLD = """
CREATE OR REPLACE FUNCTION incidents_hold_shared(incident bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
""" + "".join(
    f"""    PERFORM FROM {table} WHERE id IN (SELECT row_id FROM incidents_shared(incident)
        WHERE table_name = '{table}') ORDER BY id FOR SHARE;
"""
    for table in (
        "incidents_place", "incidents_actor", "sources_article", "sources_outlet",
        "incidents_dataset",
    )
) + "END $$;"


class Migration(migrations.Migration):
    dependencies = [
        ("incidents", "0010_index_shape"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='ImportBatch',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('file_name', models.CharField(help_text='Name of the file, without its folder.', max_length=255)),
                ('file_sha256', models.CharField(help_text='SHA-256 of the file.', max_length=64)),
                ('layout', models.CharField(help_text='Which layout of the dataset it has.', max_length=40)),
                ('columns', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=200), help_text='The header of the file, as it stands there.', size=None)),
                ('criteria', models.JSONField(default=dict, help_text='Column and value of the rows that were taken; empty: all.')),
                ('state', models.CharField(choices=[('importing', 'Importing'), ('submitted', 'Submitted'), ('verified', 'Verified'), ('published', 'Published'), ('returned', 'Returned')], default='importing', help_text='Where the batch stands.', max_length=20)),
                ('lines_done', models.PositiveIntegerField(default=0, help_text='The last line of the file that is stored: an import goes on after it.')),
                ('counts', models.JSONField(default=dict, help_text='Rows by what became of them; of unchanged ones nothing else.')),
                ('started_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), help_text='When the import began, UTC.')),
                ('finished_at', models.DateTimeField(blank=True, help_text='When it was complete and waited for its verifier, UTC.', null=True)),
                ('reason', models.TextField(blank=True, help_text='Why it was returned, the last time.')),
                ('dataset', models.ForeignKey(help_text='Whose rows these are.', on_delete=django.db.models.deletion.PROTECT, related_name='imports', to='incidents.dataset')),
                ('importer', models.ForeignKey(help_text='Who imported it. Never verifies nor publishes it.', on_delete=django.db.models.deletion.PROTECT, related_name='imports', to=settings.AUTH_USER_MODEL)),
                ('published_by', models.ForeignKey(blank=True, help_text='Who published it: somebody else than the importer.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('verified_by', models.ForeignKey(blank=True, help_text='Who verified it: somebody else than the importer.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name_plural': 'import batches',
                'ordering': ['-pk'],
            },
        ),
        migrations.CreateModel(
            name='ImportedRow',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('line', models.PositiveIntegerField(help_text='The line of the file on which it begins, from 1.')),
                ('external_id', models.CharField(blank=True, help_text='Its id in that dataset; empty where it has none.', max_length=100)),
                ('original', models.BinaryField(help_text='The row as it stands in the file.')),
                ('original_sha256', models.CharField(help_text='SHA-256 of it.', max_length=64)),
                ('outcome', models.CharField(choices=[('created', 'Created'), ('claim_added', 'Claim Added'), ('corrected', 'Corrected'), ('unchanged', 'Unchanged'), ('refused', 'Refused')], help_text='What became of the row.', max_length=20)),
                ('notes', models.JSONField(default=list, help_text='What was refused, not placed or remarked, each with column, kind and message.')),
                ('batch', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='rows', to='incidents.importbatch')),
                ('claim', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='imported_rows', to='incidents.claim')),
                ('incident', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='imported_rows', to='incidents.incident')),
            ],
            options={
                'ordering': ['pk'],
            },
        ),
        migrations.AddConstraint(
            model_name='importbatch',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['importing', 'submitted', 'verified', 'published', 'returned'])), name='incidents_importbatch_state_is_known', violation_error_message='A batch is importing, submitted, verified, published or returned.'),
        ),
        migrations.AddConstraint(
            model_name='importbatch',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('verified_by__isnull', True), models.Q(('verified_by', models.F('importer')), _negated=True), _connector='OR'), models.Q(('published_by__isnull', True), models.Q(('published_by', models.F('importer')), _negated=True), _connector='OR')), name='incidents_importbatch_four_eyes', violation_error_message='An import is verified and published by another person than the one who imported it.'),
        ),
        migrations.AddConstraint(
            model_name='importbatch',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(models.Q(('state__in', ['verified', 'published']), _negated=True), ('verified_by__isnull', False), _connector='OR'), models.Q(models.Q(('state', 'published'), _negated=True), ('published_by__isnull', False), _connector='OR')), name='incidents_importbatch_says_who', violation_error_message='A verified or published batch says by whom.'),
        ),
        migrations.AddConstraint(
            model_name='importbatch',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'returned'), _negated=True), ('reason__regex', '[^\\s]'), _connector='OR'), name='incidents_importbatch_returned_says_why', violation_error_message='Say why.'),
        ),
        migrations.AddConstraint(
            model_name='importbatch',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'importing')), fields=('dataset',), name='incidents_importbatch_one_at_a_time', violation_error_message='An import of this dataset is not finished: run it again with its file, and it goes on where it was stopped.'),
        ),
        migrations.AddIndex(
            model_name='importedrow',
            index=models.Index(fields=['external_id', '-id'], name='importedrow_by_external_id'),
        ),
        migrations.AddIndex(
            model_name='importedrow',
            index=models.Index(fields=['original_sha256'], name='importedrow_by_sha256'),
        ),
        migrations.AddConstraint(
            model_name='importedrow',
            constraint=models.UniqueConstraint(fields=('batch', 'line'), name='incidents_importedrow_line_once', violation_error_message='This line of the file is stored already.'),
        ),
        migrations.AddConstraint(
            model_name='importedrow',
            constraint=models.CheckConstraint(condition=models.Q(('outcome__in', ['created', 'claim_added', 'corrected', 'unchanged', 'refused'])), name='incidents_importedrow_outcome_is_known', violation_error_message='This is not what becomes of an imported event.'),
        ),
        migrations.AddConstraint(
            model_name='importedrow',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('claim__isnull', True), ('incident__isnull', True), ('outcome', 'refused')), models.Q(models.Q(('outcome', 'refused'), _negated=True), ('incident__isnull', False)), _connector='OR'), name='incidents_importedrow_refused_without_record', violation_error_message='A refused event has no record, any other has one.'),
        ),
        migrations.AddIndex(
            model_name="externalid",
            index=models.Index(fields=["dataset", "value"], name="externalid_by_value"),
        ),
        migrations.RunSQL(PUBLISHED_IDS_FENCED, PUBLISHED_IDS),
        migrations.RunSQL(EDITORS, MERGE.EDITORS[0]),
        migrations.RunSQL(
            HOLD, REDACTION.function("incidents_hold_shared", FOUR_EYES.SHARED)
        ),
        track("incidents_importbatch"),
        in_own_name("incidents_importbatch", "importer_id"),
        check(
            "incidents_importbatch", "incidents_importbatch_sha256_is_hex",
            "file_sha256 ~ '^[0-9a-f]{64}$'",
        ),
        migrations.RunSQL(BATCH, BATCH_BACK),
        check(
            "incidents_importedrow", "incidents_importedrow_hash",
            "original_sha256 = encode(sha256(original), 'hex')",
        ),
        migrations.RunSQL(ROWS, ROWS_BACK),
        refuse(
            "incidents_importbatch", "DELETE", "TRUNCATE",
            rule="incidents_importbatch_never_deleted", message="Nothing evidential is deleted.",
        ),
        refuse(
            "incidents_importedrow", "UPDATE", "DELETE", "TRUNCATE",
            rule="incidents_importedrow_only_grows",
            message="What was imported stays as it stood in its file.",
        ),
    ]
