"""What the database holds of copies, custody and confidential sources."""

from django.db import migrations

from harmtracker.history.sql import check, in_own_name, refuse, track

# The entry of the storing is not left to whoever stores.
CUSTODY = """
CREATE FUNCTION sources_capture_into_custody() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO sources_custodyentry (capture_id, action, by_id, "to", purpose)
    VALUES (NEW.id, 'stored', NEW.captured_by_id, '', '');
    RETURN NULL;
END $$;
CREATE TRIGGER sources_capture_into_custody AFTER INSERT ON sources_capture
    FOR EACH ROW EXECUTE FUNCTION sources_capture_into_custody();
"""

# A moment that could be chosen would prove nothing, and would lie outside the day that is counted.
STAMP = """
CREATE FUNCTION sources_stamp() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.at := clock_timestamp();
    RETURN NEW;
END $$;
CREATE TRIGGER sources_custodyentry_stamped BEFORE INSERT ON sources_custodyentry
    FOR EACH ROW EXECUTE FUNCTION sources_stamp();
CREATE TRIGGER sources_reveal_stamped BEFORE INSERT ON sources_reveal
    FOR EACH ROW EXECUTE FUNCTION sources_stamp();
"""

# The lock makes one person's reveals follow one another, so that two at once are counted as two.
CAP = """
CREATE FUNCTION sources_reveal_cap() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('sources_reveal', NEW.by_id));
    IF (SELECT count(*) FROM sources_reveal
        WHERE by_id = NEW.by_id AND at > clock_timestamp() - interval '24 hours') >= 20 THEN
        RAISE EXCEPTION 'You have seen who 20 sources are within 24 hours: wait, or ask another verifier.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'sources_reveal_twenty_a_day';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER sources_reveal_twenty_a_day BEFORE INSERT ON sources_reveal
    FOR EACH ROW EXECUTE FUNCTION sources_reveal_cap();
"""

FIXED = """
CREATE FUNCTION sources_confidentialsource_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.uuid, NEW.outlet_id) IS DISTINCT FROM (OLD.uuid, OLD.outlet_id) THEN
        RAISE EXCEPTION 'What was entered of one source is never moved to another.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'sources_confidentialsource_fixed';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER sources_confidentialsource_fixed BEFORE UPDATE ON sources_confidentialsource
    FOR EACH ROW EXECUTE FUNCTION sources_confidentialsource_fixed();
"""


class Migration(migrations.Migration):
    dependencies = [("sources", "0003_copies_and_confidential_sources")]

    operations = [
        migrations.RunSQL(
            CUSTODY,
            "DROP TRIGGER sources_capture_into_custody ON sources_capture;"
            "DROP FUNCTION sources_capture_into_custody();",
        ),
        migrations.RunSQL(
            STAMP,
            "DROP TRIGGER sources_custodyentry_stamped ON sources_custodyentry;"
            "DROP TRIGGER sources_reveal_stamped ON sources_reveal;"
            "DROP FUNCTION sources_stamp();",
        ),
        migrations.RunSQL(
            CAP,
            "DROP TRIGGER sources_reveal_twenty_a_day ON sources_reveal;"
            "DROP FUNCTION sources_reveal_cap();",
        ),
        migrations.RunSQL(
            FIXED,
            "DROP TRIGGER sources_confidentialsource_fixed ON sources_confidentialsource;"
            "DROP FUNCTION sources_confidentialsource_fixed();",
        ),
        track("sources_confidentialsource"),
        track("sources_reveal"),
        in_own_name("sources_reveal", "by_id"),
        refuse(
            "sources_confidentialsource", "DELETE", "TRUNCATE",
            rule="sources_confidentialsource_never_deleted",
            message="Nothing evidential is deleted.",
        ),
        refuse(
            "sources_reveal", "UPDATE", "DELETE", "TRUNCATE", rule="sources_reveal_only_grows",
            message="The record of who saw a source only grows.",
        ),
        # Nonce and tag are 28 bytes, and what is padded more than that: nothing shorter is sealed.
        check(
            "sources_confidentialsource", "sources_confidentialsource_is_sealed",
            "octet_length(sealed) > 500",
        ),
        # UTC+14: the first place on earth where it is a new day. The last day of year 9999 has no
        # day after it, and no article was published then.
        check(
            "sources_article", "sources_article_not_in_the_future",
            "published_earliest <= (now() AT TIME ZONE 'UTC' + interval '14 hours')::date "
            "AND edtf_latest(published) < DATE '9000-01-01'",
        ),
    ]
