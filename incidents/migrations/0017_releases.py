import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

from harmtracker.history.sql import refuse, track

HOLDS = """
-- Whether a version was the current one of its code at a ledger position, or at any from one before
-- it on. Those are the versions that a release of that position is made of, its changelog included.
CREATE FUNCTION incidents_release_holds(at bigint, since bigint, of_code text, of_number integer)
RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT FROM incidents_publishedversion v
        WHERE v.code = of_code AND v.number = of_number AND v.seq <= at AND NOT EXISTS (
            SELECT FROM incidents_publishedversion later
            WHERE later.code = v.code AND later.number > v.number AND later.seq <= since))
$$;

CREATE FUNCTION incidents_release_redacted(at bigint, since bigint) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT coalesce(max(r.seq), 0) FROM incidents_redaction r
    WHERE incidents_release_holds(at, since, r.code, r.number)
$$;
"""
HOLDS_BACK = """
DROP FUNCTION incidents_release_redacted(bigint, bigint);
DROP FUNCTION incidents_release_holds(bigint, bigint, text, integer);
"""

GUARDS = """
CREATE FUNCTION incidents_release_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    acting bigint := nullif(current_setting('harmtracker.actor', true), '')::bigint;
BEGIN
    NEW.made_at := clock_timestamp();
    IF acting IS NULL OR NOT incidents_may(acting, 'make_release') THEN
        RAISE EXCEPTION 'You may not make a release.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'incidents_release_by_who_may';
    END IF;
    IF NEW.position < 1 OR NEW.position > (SELECT size FROM incidents_ledgerhead WHERE id = 1) THEN
        RAISE EXCEPTION 'A release is of a position that the ledger has.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'incidents_release_of_the_ledger';
    END IF;
    IF NEW.previous_id IS DISTINCT FROM (
        SELECT id FROM incidents_release WHERE position <= NEW.position ORDER BY position DESC, id DESC LIMIT 1) THEN
        RAISE EXCEPTION 'A release tells what moved since the one before: another has come meanwhile.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'incidents_release_after_the_one_before';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER incidents_release_guard BEFORE INSERT ON incidents_release
    FOR EACH ROW EXECUTE FUNCTION incidents_release_guard();

-- Under the ledger's head: no redaction comes between this look and the commit.
CREATE FUNCTION incidents_releasebuild_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    acting bigint := nullif(current_setting('harmtracker.actor', true), '')::bigint;
    own incidents_release%ROWTYPE;
    since bigint;
BEGIN
    NEW.made_at := clock_timestamp();
    NEW.transaction_id := pg_current_xact_id()::text::bigint;
    IF acting IS NULL OR NOT incidents_may(acting, 'make_release') THEN
        RAISE EXCEPTION 'You may not make a release.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'incidents_releasebuild_by_who_may';
    END IF;
    PERFORM FROM incidents_ledgerhead WHERE id = 1 FOR UPDATE;
    SELECT * INTO own FROM incidents_release WHERE id = NEW.release_id;
    SELECT coalesce((SELECT position FROM incidents_release WHERE id = own.previous_id), own.position) INTO since;
    IF NEW.redacted_at <> incidents_release_redacted(own.position, since) THEN
        RAISE EXCEPTION 'A text was taken out while the files were written: write them again.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'incidents_releasebuild_without_what_was_redacted';
    END IF;
    IF NEW.number <> 1 + (SELECT count(*) FROM incidents_releasebuild WHERE release_id = NEW.release_id)
       OR EXISTS (SELECT FROM incidents_releasebuild b WHERE b.release_id = NEW.release_id
                  AND NOT EXISTS (SELECT FROM incidents_releasewithdrawal w WHERE w.build_id = b.id)) THEN
        RAISE EXCEPTION 'A release has another build only when the last one was withdrawn.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'incidents_releasebuild_one_stands';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER incidents_releasebuild_guard BEFORE INSERT ON incidents_releasebuild
    FOR EACH ROW EXECUTE FUNCTION incidents_releasebuild_guard();

CREATE FUNCTION incidents_releasefile_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM new_rows n JOIN incidents_releasebuild b ON b.id = n.build_id
               WHERE b.transaction_id <> pg_current_xact_id()::text::bigint) THEN
        RAISE EXCEPTION 'The files of a build come with it, and none later.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'incidents_releasefile_with_its_build';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER incidents_releasefile_with_its_build AFTER INSERT ON incidents_releasefile
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION incidents_releasefile_guard();

CREATE FUNCTION incidents_redaction_withdraw() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO incidents_releasewithdrawal (build_id, redaction_id, at)
    SELECT b.id, NEW.seq, clock_timestamp()
    FROM incidents_releasebuild b
    JOIN incidents_release r ON r.id = b.release_id
    LEFT JOIN incidents_release p ON p.id = r.previous_id
    WHERE NOT EXISTS (SELECT FROM incidents_releasewithdrawal w WHERE w.build_id = b.id)
      AND incidents_release_holds(r.position, coalesce(p.position, r.position), NEW.code, NEW.number);
    RETURN NULL;
END $$;
CREATE TRIGGER incidents_redaction_withdraws AFTER INSERT ON incidents_redaction
    FOR EACH ROW EXECUTE FUNCTION incidents_redaction_withdraw();
"""
GUARDS_BACK = """
DROP TRIGGER incidents_redaction_withdraws ON incidents_redaction;
DROP FUNCTION incidents_redaction_withdraw();
DROP TRIGGER incidents_releasefile_with_its_build ON incidents_releasefile;
DROP FUNCTION incidents_releasefile_guard();
DROP TRIGGER incidents_releasebuild_guard ON incidents_releasebuild;
DROP FUNCTION incidents_releasebuild_guard();
DROP TRIGGER incidents_release_guard ON incidents_release;
DROP FUNCTION incidents_release_guard();
"""
MESSAGE = "A release stays as it was made: these rows only grow."


class Migration(migrations.Migration):
    dependencies = [("incidents", "0016_changes")]

    operations = [
        migrations.CreateModel(
            name="ReleaseBuild",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.SmallIntegerField(help_text="1, 2, 3 ... of this release.")),
                ("redacted_at", models.BigIntegerField(help_text="Ledger position of the last redaction of what it holds; 0 where there is none.")),
                ("software", models.CharField(help_text="Version of harmtracker that wrote it.", max_length=40)),
                ("pyarrow", models.CharField(help_text="Version of pyarrow that wrote Parquet.", max_length=40)),
                ("made_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), help_text="By the database's clock.")),
                ("transaction_id", models.BigIntegerField(default=0, editable=False)),
            ],
            options={
                "ordering": ["release", "number"],
            },
        ),
        migrations.CreateModel(
            name="Release",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(help_text="Year and number, such as 2026.1.", max_length=8)),
                ("position", models.BigIntegerField(help_text="Ledger position that it holds.")),
                ("site", models.CharField(blank=True, help_text="Where links lead, such as https://harm.example.org.", max_length=200)),
                ("made_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), help_text="By the database's clock.")),
                ("previous", models.ForeignKey(help_text="The release before, of that position or the nearest lower one.", null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="incidents.release")),
            ],
            options={
                "ordering": ["-position", "-pk"],
                "permissions": [("make_release", "Can make a release of what was published")],
            },
        ),
        migrations.CreateModel(
            name="ReleaseWithdrawal",
            fields=[
                ("build", models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name="withdrawal", serialize=False, to="incidents.releasebuild")),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
        ),
        migrations.AddField(
            model_name="releasebuild",
            name="release",
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="builds", to="incidents.release"),
        ),
        migrations.CreateModel(
            name="ReleaseFile",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("path", models.CharField(help_text="Below the build, such as csv/claims.csv.", max_length=200)),
                ("size", models.PositiveBigIntegerField(help_text="In bytes.")),
                ("sha256", models.CharField(max_length=64)),
                ("build", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="files", to="incidents.releasebuild")),
            ],
            options={
                "ordering": ["path"],
            },
        ),
        migrations.CreateModel(
            name="ReleaseText",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("path", models.CharField(help_text="Of its file in the release.", max_length=200)),
                ("content", models.TextField()),
                ("release", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="texts", to="incidents.release")),
            ],
            options={
                "ordering": ["path"],
            },
        ),
        migrations.AddConstraint(
            model_name="release",
            constraint=models.UniqueConstraint(fields=("name",), name="incidents_release_once", violation_error_message="There is a release of this name."),
        ),
        migrations.AddConstraint(
            model_name="release",
            constraint=models.CheckConstraint(condition=models.Q(("name__regex", "^[0-9]{4}\\.[1-9][0-9]{0,2}$")), name="incidents_release_has_a_name", violation_error_message="A release is named by year and number, such as 2026.1."),
        ),
        migrations.AddField(
            model_name="releasewithdrawal",
            name="redaction",
            field=models.ForeignKey(help_text="Which one withdrew it.", on_delete=django.db.models.deletion.PROTECT, related_name="+", to="incidents.redaction"),
        ),
        migrations.AddConstraint(
            model_name="releasebuild",
            constraint=models.UniqueConstraint(fields=("release", "number"), name="incidents_releasebuild_once", violation_error_message="This release has a build of that number."),
        ),
        migrations.AddConstraint(
            model_name="releasefile",
            constraint=models.UniqueConstraint(fields=("build", "path"), name="incidents_releasefile_once"),
        ),
        migrations.AddConstraint(
            model_name="releasefile",
            constraint=models.CheckConstraint(condition=models.Q(("path__regex", "^[A-Za-z0-9_=-][A-Za-z0-9_=.-]*(/[A-Za-z0-9_=-][A-Za-z0-9_=.-]*)*$")), name="incidents_releasefile_path_is_plain", violation_error_message="A path is of letters, digits, _ = - and dots inside."),
        ),
        migrations.AddConstraint(
            model_name="releasetext",
            constraint=models.UniqueConstraint(fields=("release", "path"), name="incidents_releasetext_once"),
        ),
        migrations.AddConstraint(
            model_name="releasetext",
            constraint=models.CheckConstraint(condition=models.Q(("path__regex", "^[A-Za-z0-9_=-][A-Za-z0-9_=.-]*(/[A-Za-z0-9_=-][A-Za-z0-9_=.-]*)*$")), name="incidents_releasetext_path_is_plain"),
        ),
        migrations.RunSQL(HOLDS, HOLDS_BACK),
        migrations.RunSQL(GUARDS, GUARDS_BACK),
        track("incidents_release"),
        track("incidents_releasebuild"),
        *(
            refuse(f"incidents_{table}", "UPDATE", "DELETE", "TRUNCATE", rule=f"incidents_{table}_only_grows", message=MESSAGE)
            for table in ("release", "releasetext", "releasebuild", "releasefile", "releasewithdrawal")
        ),
    ]
