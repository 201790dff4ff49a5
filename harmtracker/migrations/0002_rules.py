from django.db import migrations

# The strict bounds of one EDTF date, without interval or set: 2014, 201X, 2014-11, 2014-11-XX,
# 2014-11-19, each with or without ~ ? %.
DATE = r"""
CREATE FUNCTION edtf_date_bounds(value text, OUT earliest date, OUT latest date)
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    plain text := regexp_replace(value, '[~?%]$', '');
    year text := left(plain, 4);
    months text := substr(plain, 6, 2);
    days text := substr(plain, 9, 2);
BEGIN
    IF plain !~ '^([0-9]{4}|[0-9]{3}X|[0-9]{2}XX|[0-9]{4}-([01][0-9]|XX)|[0-9]{4}-[01][0-9]-([0-3][0-9]|XX)|[0-9]{4}-XX-XX)$' THEN
        RAISE EXCEPTION '"%" is not a date as EDTF writes it, for example 2014-11-19, 2014-11 or 2014-11-19/2014-11-21.', value
            USING ERRCODE = 'check_violation', CONSTRAINT = 'edtf_is_valid';
    END IF;
    IF months IN ('', 'XX') THEN
        earliest := make_date(replace(year, 'X', '0')::int, 1, 1);
        latest := make_date(replace(year, 'X', '9')::int, 12, 31);
    ELSIF days IN ('', 'XX') THEN
        earliest := make_date(year::int, months::int, 1);
        latest := (earliest + interval '1 month' - interval '1 day')::date;
    ELSE
        earliest := make_date(year::int, months::int, days::int);
        latest := earliest;
    END IF;
EXCEPTION WHEN datetime_field_overflow THEN
    RAISE EXCEPTION '"%" is not a day of the calendar.', value
        USING ERRCODE = 'check_violation', CONSTRAINT = 'edtf_is_valid';
END $$;
"""

# The strict bounds of an EDTF text. NULL where an end is open (..). Kept equal to
# harmtracker.dates.parse_edtf, pattern and all, by a property test. It names its schema because
# pg_restore, which derives the columns anew, has none in its search path.
BOUNDS = r"""
CREATE FUNCTION edtf_bounds(value text, OUT earliest date, OUT latest date)
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    one constant text := '(?:[0-9]{4}|[0-9]{3}X|[0-9]{2}XX|[0-9]{4}-(?:[01][0-9]|XX)'
        '|[0-9]{4}-[01][0-9]-(?:[0-3][0-9]|XX)|[0-9]{4}-XX-XX)[~?%]?';
    item constant text := one || '(?:\.\.' || one || ')?';
    items constant text := '(?:' || one || '\.\.|(?:\.\.' || one || '|' || item || ')(?:,' || item
        || ')*(?:,' || one || '\.\.)?)';
    inner_text text;
    part text;
    first_end text;
    last_end text;
    first_day date;
    last_day date;
    open_start boolean := false;
    open_end boolean := false;
BEGIN
    IF value !~ ('^(?:' || one || '|' || one || '/(?:' || one || '|\.\.)|\.\./' || one
        || '|\[' || items || '\]|\{' || items || '\})$') THEN
        RAISE EXCEPTION '"%" is not a date as EDTF writes it, for example 2014-11-19, 2014-11 or 2014-11-19/2014-11-21.', value
            USING ERRCODE = 'check_violation', CONSTRAINT = 'edtf_is_valid';
    END IF;
    -- An interval is read as a range: 2014/2015 as 2014..2015, 2014/.. as 2014.., ../2014 as ..2014.
    inner_text := CASE WHEN value ~ '^[[{]' THEN substr(value, 2, length(value) - 2)
        ELSE replace(replace(replace(value, '../', '..'), '/..', '..'), '/', '..') END;
    FOREACH part IN ARRAY string_to_array(inner_text, ',') LOOP
        first_end := split_part(part, '..', 1);
        last_end := CASE WHEN part LIKE '%..%' THEN split_part(part, '..', 2) ELSE first_end END;
        first_day := NULL;
        last_day := NULL;
        IF first_end = '' THEN
            open_start := true;
        ELSE
            first_day := (public.edtf_date_bounds(first_end)).earliest;
        END IF;
        IF last_end = '' THEN
            open_end := true;
        ELSE
            last_day := (public.edtf_date_bounds(last_end)).latest;
        END IF;
        IF first_day > last_day THEN
            RAISE EXCEPTION '"%" ends before it begins.', value
                USING ERRCODE = 'check_violation', CONSTRAINT = 'edtf_is_valid';
        END IF;
        earliest := least(earliest, first_day);
        latest := greatest(latest, last_day);
    END LOOP;
    IF open_start THEN earliest := NULL; END IF;
    IF open_end THEN latest := NULL; END IF;
END $$;
CREATE FUNCTION edtf_earliest(value text) RETURNS date
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE RETURN (edtf_bounds(value)).earliest;
CREATE FUNCTION edtf_latest(value text) RETURNS date
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE RETURN (edtf_bounds(value)).latest;
"""

# The spans behind the codes of the list date_precision. An open end is as vague as a year.
PRECISION = """
CREATE FUNCTION edtf_precision(value text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE RETURN (
    SELECT CASE
        WHEN b.earliest IS NULL OR b.latest IS NULL THEN 'year'
        WHEN b.latest = b.earliest THEN 'day'
        WHEN b.latest - b.earliest < 6 THEN 'days'
        WHEN b.latest - b.earliest = 6 THEN 'week'
        WHEN b.latest - b.earliest < 31 THEN 'month'
        ELSE 'year' END
    FROM edtf_bounds(value) b);
"""

# TG_ARGV: column=list, or column[]=list for an array. Run once per statement over its rows.
CODES = """
CREATE FUNCTION codes_known() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    pair text;
    field text;
    list_name text;
    bad text;
BEGIN
    FOREACH pair IN ARRAY TG_ARGV LOOP
        field := split_part(pair, '=', 1);
        list_name := split_part(pair, '=', 2);
        IF field LIKE '%[]' THEN
            field := left(field, -2);
            EXECUTE format('SELECT v FROM new_rows n, unnest(n.%I) v WHERE NOT EXISTS
                (SELECT FROM harmtracker_code c WHERE c.list = %L AND c.code = v) LIMIT 1',
                field, list_name) INTO bad;
        ELSE
            EXECUTE format('SELECT n.%I FROM new_rows n WHERE n.%I IS NOT NULL AND NOT EXISTS
                (SELECT FROM harmtracker_code c WHERE c.list = %L AND c.code = n.%I) LIMIT 1',
                field, field, list_name, field) INTO bad;
        END IF;
        IF bad IS NOT NULL THEN
            RAISE EXCEPTION '"%" is not a code of the list %, which % takes its values from.', bad, list_name, field
                USING ERRCODE = 'check_violation', CONSTRAINT = TG_TABLE_NAME || '_codes_known';
        END IF;
    END LOOP;
    RETURN NULL;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("harmtracker", "0001_initial")]

    operations = [
        migrations.RunSQL(DATE, "DROP FUNCTION edtf_date_bounds(text);"),
        migrations.RunSQL(
            BOUNDS,
            "DROP FUNCTION edtf_latest(text); DROP FUNCTION edtf_earliest(text); DROP FUNCTION edtf_bounds(text);",
        ),
        migrations.RunSQL(PRECISION, "DROP FUNCTION edtf_precision(text);"),
        migrations.RunSQL(CODES, "DROP FUNCTION codes_known();"),
    ]
