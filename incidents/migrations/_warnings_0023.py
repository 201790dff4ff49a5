"""The SQL of migration 0023: what each warning is raised by. Beside it for its length alone."""

# Names and titles, however they are written.
SPELLINGS = r"""
-- Without case, accents, spaces and signs, and of Latin letters without vowels and h: Mung Lai Hkyet,
-- Munglai Kyet and Mong Lai Khet are one. Letters of other scripts stay as they are.
CREATE FUNCTION incidents_spelled(value text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT regexp_replace(
        regexp_replace(incidents_folded(value), '[[:space:][:punct:]aeiouwyh\u200b-\u200d]+', '', 'g'),
        '([^0-9])\1+', '\1', 'g')
$$;

-- A name of which too little is left tells nothing: then the whole of it is compared.
CREATE FUNCTION incidents_name_key(value text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN length(incidents_spelled(value)) >= 4 THEN incidents_spelled(value)
        ELSE regexp_replace(incidents_folded(value), '[[:space:][:punct:]\u200b-\u200d]+', '', 'g') END
$$;

CREATE FUNCTION incidents_name_keys(VARIADIC names text[]) RETURNS text[] LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce(array_agg(DISTINCT k) FILTER (WHERE k <> ''), '{}')
    FROM unnest(names) AS n CROSS JOIN LATERAL incidents_name_key(n) AS k
$$;

-- How many of the pairs of letters of two texts are in both, from 0 to 1 (Dice).
CREATE FUNCTION incidents_likeness(one text, other text) RETURNS float8 LANGUAGE sql IMMUTABLE AS $$
    WITH a AS (SELECT DISTINCT substr(t, n, 2) AS pair FROM incidents_spelled(one) AS t, generate_series(1, length(t) - 1) AS n),
        b AS (SELECT DISTINCT substr(t, n, 2) AS pair FROM incidents_spelled(other) AS t, generate_series(1, length(t) - 1) AS n)
    SELECT coalesce(2.0 * (SELECT count(*) FROM a JOIN b USING (pair))
        / nullif((SELECT count(*) FROM a) + (SELECT count(*) FROM b), 0), 0)::float8
$$;
"""

WORDS = """
-- Such as "28 to 33, best 29"; 0 is a figure, and what is not known is not one.
CREATE FUNCTION incidents_figures(low bigint, best bigint, high bigint) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE
        WHEN low IS NULL AND high IS NULL THEN coalesce('about ' || best, 'no figure')
        WHEN low = high THEN low::text
        ELSE concat_ws(', best ', CASE WHEN high IS NULL THEN 'at least ' || low
            WHEN low IS NULL THEN 'at most ' || high ELSE low || ' to ' || high END, best::text) END
$$;

-- Such as "killed, civilian, child".
CREATE FUNCTION incidents_of_whom(c incidents_casualtycount) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT replace(concat_ws(', ', c.outcome, nullif(c.status, 'all'), nullif(c.role, 'all'), nullif(c.sex, 'all'),
        nullif(c.age_group, 'all'), (SELECT 'of ' || name FROM incidents_actor WHERE id = c.affiliation_id)), '_', ' ')
$$;

CREATE FUNCTION incidents_same_group(a incidents_casualtycount, b incidents_casualtycount) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT (a.outcome, a.status, a.role, a.sex, a.age_group) = (b.outcome, b.status, b.role, b.sex, b.age_group)
        AND a.affiliation_id IS NOT DISTINCT FROM b.affiliation_id
$$;
"""

WHERE = """
-- Kilometres along the great circle.
CREATE FUNCTION incidents_km(lat1 float8, lon1 float8, lat2 float8, lon2 float8) RETURNS float8
LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT 2 * 6371.0088 * asin(sqrt(least(1, sin(radians(lat2 - lat1) / 2) ^ 2
        + cos(radians(lat1)) * cos(radians(lat2)) * sin(radians(lon2 - lon1) / 2) ^ 2)))
$$;

-- What a place lies in, itself first.
CREATE FUNCTION incidents_up(place bigint)
RETURNS TABLE (id bigint, level text, latitude numeric, longitude numeric, step integer) LANGUAGE sql STABLE AS $$
    WITH RECURSIVE up AS (
        SELECT p.id, p.parent_id, p.level::text, p.latitude, p.longitude, 0 AS step FROM incidents_place p WHERE p.id = place
        UNION ALL
        SELECT p.id, p.parent_id, p.level, p.latitude, p.longitude, up.step + 1
        FROM up JOIN incidents_place p ON p.id = up.parent_id WHERE up.step < 20)
    SELECT id, level, latitude, longitude, step FROM up
$$;

-- Where a record lies, as far as it can be told: its own point, where that is of a place and not the
-- middle of an area; else the point of its place, or of the town that this lies in.
CREATE FUNCTION incidents_whereabouts(i incidents_incident, OUT latitude float8, OUT longitude float8, OUT township bigint)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    place record;
    next bigint := i.place_id;
BEGIN
    IF i.place_precision IN ('site', 'vicinity', 'settlement', 'near_settlement') THEN
        latitude := i.latitude;
        longitude := i.longitude;
    END IF;
    FOR step IN 1 .. 20 LOOP
        EXIT WHEN next IS NULL;
        SELECT p.id, p.parent_id, p.level, p.latitude, p.longitude INTO place FROM incidents_place p WHERE p.id = next;
        IF place.level = 'adm3' THEN
            township := place.id;
        END IF;
        EXIT WHEN place.level IN ('adm3', 'adm2', 'adm1', 'country');
        IF latitude IS NULL THEN
            latitude := place.latitude;
            longitude := place.longitude;
        END IF;
        next := place.parent_id;
    END LOOP;
END $$;

-- Kilometres within which a point is still of a place of this level, or of a point of this precision.
CREATE FUNCTION incidents_reach_km(code text) RETURNS float8 LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE code WHEN 'site' THEN 3 WHEN 'camp' THEN 3 WHEN 'ward' THEN 3 WHEN 'vicinity' THEN 3
        WHEN 'settlement' THEN 10 WHEN 'near_settlement' THEN 25 WHEN 'adm3' THEN 60 WHEN 'adm2' THEN 100
        WHEN 'fuzzy' THEN 100 WHEN 'adm1' THEN 300 WHEN 'sea_air' THEN 300 ELSE 1500 END
$$;
"""

SPEAKERS = """
-- Who speaks in each claim: voice is the independence group.
CREATE FUNCTION incidents_speakers(incident bigint)
RETURNS TABLE (claim bigint, claim_uuid uuid, article bigint, actor bigint, outlet bigint, voice text, name text, keys text[], kind text)
LANGUAGE sql STABLE AS $$
    SELECT c.id, c.uuid, c.article_id, a.id, o.id, coalesce(o.independence_group, a.independence_group),
        coalesce(o.name, a.name), incidents_name_keys(VARIADIC coalesce(o.name || o.other_names, a.name || a.other_names)),
        c.kind
    FROM incidents_claim c LEFT JOIN sources_outlet o ON o.id = c.attributed_outlet_id
        LEFT JOIN incidents_actor a ON a.id = c.attributed_actor_id
    WHERE c.incident_id = incident
$$;

-- Whether one actor is the other, or lies in it.
CREATE FUNCTION incidents_is_within(unit bigint, whole bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
    WITH RECURSIVE up (id, parent_id) AS (
        SELECT id, parent_id FROM incidents_actor WHERE id = unit
        UNION SELECT a.id, a.parent_id FROM up JOIN incidents_actor a ON a.id = up.parent_id)
    SELECT EXISTS (SELECT FROM up WHERE id = whole)
$$;

-- Whom our assessment holds to have done it; where it names nobody, whom the claims do.
CREATE FUNCTION incidents_perpetrators(incident bigint) RETURNS TABLE (actor bigint, voice text) LANGUAGE sql STABLE AS $$
    SELECT DISTINCT v.actor_id, a.independence_group::text
    FROM incidents_involvement v JOIN incidents_actor a ON a.id = v.actor_id
    WHERE v.incident_id = incident AND v.role IN ('alleged_perpetrator', 'claimed_responsibility') AND v.certainty <> 'denied'
        AND (v.claim_id IS NULL OR NOT EXISTS (
            SELECT FROM incidents_involvement o WHERE o.incident_id = incident AND o.claim_id IS NULL
            AND o.role IN ('alleged_perpetrator', 'claimed_responsibility') AND o.certainty <> 'denied'))
$$;

-- The claims of the alleged perpetrator: its own, its units', and those of its outlets.
CREATE FUNCTION incidents_claims_of_perpetrator(incident bigint) RETURNS bigint[] LANGUAGE sql STABLE AS $$
    SELECT coalesce(array_agg(DISTINCT s.claim), '{}') FROM incidents_speakers(incident) s, incidents_perpetrators(incident) p
    WHERE s.voice = p.voice OR s.actor IS NOT NULL
        AND (incidents_is_within(s.actor, p.actor) OR incidents_is_within(p.actor, s.actor))
$$;
"""

# Near in place and time first, by indexes; what these few say is compared then.
DUPLICATES = """
CREATE FUNCTION incidents_may_be_same(i incidents_incident) RETURNS SETOF incidents_incident
LANGUAGE plpgsql STABLE AS $$
DECLARE
    place record;
    wide float8;
    nearest bigint[];
BEGIN
    -- A record that says no more than the season cannot be told to be near in time.
    IF i.date_earliest IS NULL OR i.date_latest IS NULL OR i.date_latest - i.date_earliest > 31 THEN
        RETURN;
    END IF;
    SELECT * INTO place FROM incidents_whereabouts(i);
    wide := 0.14 / greatest(0.05, cos(radians(coalesce(place.latitude, 0))));
    nearest := array(
        SELECT i.place_id WHERE i.place_id IS NOT NULL
        UNION (WITH RECURSIVE down (id) AS (
            SELECT place.township WHERE place.township IS NOT NULL
            UNION SELECT p.id FROM down JOIN incidents_place p ON p.parent_id = down.id)
            SELECT id FROM down)
        UNION SELECT p.id FROM incidents_place p
            WHERE p.latitude BETWEEN (place.latitude - 0.14)::numeric AND (place.latitude + 0.14)::numeric
            AND p.longitude BETWEEN (place.longitude - wide)::numeric AND (place.longitude + wide)::numeric);
    RETURN QUERY
        SELECT o.* FROM incidents_incident o WHERE o.place_id = ANY (nearest)
            AND o.date_earliest BETWEEN i.date_earliest - 33 AND i.date_latest + 2
            AND o.date_latest BETWEEN i.date_earliest - 2 AND i.date_latest + 33
            AND o.date_latest - o.date_earliest <= 31 AND o.id <> i.id
        UNION
        SELECT o.* FROM incidents_incident o
            WHERE o.date_earliest BETWEEN i.date_earliest - 33 AND i.date_latest + 2
            AND o.latitude BETWEEN (place.latitude - 0.14)::numeric AND (place.latitude + 0.14)::numeric
            AND o.longitude BETWEEN (place.longitude - wide)::numeric AND (place.longitude + wide)::numeric
            AND o.date_latest BETWEEN i.date_earliest - 2 AND i.date_latest + 33
            AND o.date_latest - o.date_earliest <= 31 AND o.id <> i.id;
END $$;

-- Two tolls: 2 where they are the same, 1 where they overlap or one is at most twice the other, -1
-- where they are further apart, 0 where either is not known. -1 stands for what is not known.
CREATE FUNCTION incidents_toll_agrees(low1 bigint, high1 bigint, low2 bigint, high2 bigint) RETURNS integer
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE
        WHEN greatest(low1, high1) < 0 OR greatest(low2, high2) < 0 THEN 0
        WHEN (low1, high1) = (low2, high2) THEN CASE WHEN greatest(low1, high1) > 0 THEN 2 ELSE 0 END
        WHEN greatest(low1, low2, 0) <= least(nullif(high1, -1), nullif(high2, -1)) THEN 1
        WHEN 2 * least(greatest(low1, high1), greatest(low2, high2)) >= greatest(low1, low2, 0) THEN 1
        ELSE -1 END
$$;

-- The records that may be of the same incident, with the reasons. Not those that a link or a merge
-- has settled, nor those that one dataset tells apart by ids of its own.
CREATE FUNCTION incidents_duplicates(record bigint)
RETURNS TABLE (other bigint, other_uuid uuid, called text, why text, basis text)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    i incidents_incident;
    mine record;
    named text[];
BEGIN
    SELECT * INTO i FROM incidents_incident WHERE id = record;
    SELECT w.*, k.low, k.high INTO mine FROM incidents_whereabouts(i) w, incidents_killed(record) k;
    named := incidents_name_keys(VARIADIC array(
        SELECT unnest(v.names) FROM incidents_victim v WHERE v.incident_id = record));
    RETURN QUERY
    WITH near AS (
        SELECT o.*, w.latitude AS at_latitude, w.longitude AS at_longitude, w.township,
            incidents_km(mine.latitude, mine.longitude, w.latitude, w.longitude) AS km
        FROM incidents_may_be_same(i) o CROSS JOIN LATERAL incidents_whereabouts(o) w
        WHERE o.state NOT IN ('merged', 'retracted') AND o.record_type = i.record_type
            AND NOT EXISTS (SELECT FROM incidents_incidentlink l
                WHERE (l.incident_id, l.other_id) IN ((i.id, o.id), (o.id, i.id)))
            AND NOT EXISTS (SELECT FROM incidents_merge m WHERE m.undone_at IS NULL
                AND (m.source_id, m.target_id) IN ((i.id, o.id), (o.id, i.id)))
            AND NOT EXISTS (SELECT FROM incidents_externalid e JOIN incidents_externalid f
                ON f.incident_id = o.id AND f.dataset_id = e.dataset_id AND f.value <> e.value
                WHERE e.incident_id = i.id)
    ), compared AS (
        SELECT n.id, n.uuid, n.code, n.title, n.date_edtf, n.km, k.low, k.high,
            i.date_earliest = i.date_latest AND n.date_earliest = n.date_latest
                AND i.date_earliest = n.date_earliest AS same_day,
            coalesce(n.km <= 3, false)
                OR n.place_id = i.place_id AND p.level IN ('settlement', 'ward', 'camp', 'site')
                OR incidents_name_keys(VARIADIC p.name || p.other_names)
                    && incidents_name_keys(VARIADIC q.name || q.other_names)
                    AND q.level IN ('settlement', 'ward', 'camp', 'site') AS same_place,
            incidents_toll_agrees(mine.low, mine.high, k.low, k.high) AS tolls,
            named && incidents_name_keys(VARIADIC array(
                SELECT unnest(v.names) FROM incidents_victim v WHERE v.incident_id = n.id)) AS same_victim,
            incidents_likeness(i.title, n.title) >= 0.6 AS same_title,
            concat_ws(' ', n.date_edtf, n.place_id, n.latitude, n.longitude, k.low, k.high) AS figures
        FROM near n LEFT JOIN incidents_place p ON p.id = n.place_id LEFT JOIN incidents_place q ON q.id = i.place_id
        CROSS JOIN LATERAL incidents_killed(n.id) k
        WHERE n.km <= 15 OR n.km IS NULL AND (n.township = mine.township OR n.place_id = i.place_id)
    )
    SELECT c.id, c.uuid,
        concat(c.code || ': ', c.title, ' (', c.date_edtf, ')'),
        concat_ws('; ', CASE WHEN same_day THEN 'the same day' ELSE 'at most two days apart' END,
            CASE WHEN same_place THEN 'the same place' WHEN km IS NULL THEN 'the same township'
                ELSE format('%s km away', round(km::numeric, 1)) END,
            format('killed: there %s, here %s',
                incidents_figures(nullif(c.low, -1), NULL, nullif(c.high, -1)),
                incidents_figures(nullif(mine.low, -1), NULL, nullif(mine.high, -1))),
            CASE WHEN same_victim THEN 'a victim of the same name' END,
            CASE WHEN same_title THEN 'titles alike' END),
        concat_ws('|', c.uuid, figures, same_victim, same_title, i.date_edtf, i.place_id, i.latitude, i.longitude,
            mine.low, mine.high)
    FROM compared c
    WHERE same_victim OR CASE WHEN same_day THEN 2 ELSE 1 END + CASE WHEN same_place THEN 2 ELSE 1 END + tolls
        + CASE WHEN same_title THEN 1 ELSE 0 END >= 5
    ORDER BY c.id;
END $$;
"""

FUNCTIONS = SPELLINGS + WORDS + WHERE + SPEAKERS + DUPLICATES
FUNCTIONS_BACK = """
DROP FUNCTION incidents_duplicates(bigint);
DROP FUNCTION incidents_toll_agrees(bigint, bigint, bigint, bigint);
DROP FUNCTION incidents_may_be_same(incidents_incident);
DROP FUNCTION incidents_claims_of_perpetrator(bigint);
DROP FUNCTION incidents_perpetrators(bigint);
DROP FUNCTION incidents_is_within(bigint, bigint);
DROP FUNCTION incidents_speakers(bigint);
DROP FUNCTION incidents_reach_km(text);
DROP FUNCTION incidents_whereabouts(incidents_incident);
DROP FUNCTION incidents_up(bigint);
DROP FUNCTION incidents_km(float8, float8, float8, float8);
DROP FUNCTION incidents_same_group(incidents_casualtycount, incidents_casualtycount);
DROP FUNCTION incidents_of_whom(incidents_casualtycount);
DROP FUNCTION incidents_figures(bigint, bigint, bigint);
DROP FUNCTION incidents_likeness(text, text);
DROP FUNCTION incidents_name_keys(text[]);
DROP FUNCTION incidents_name_key(text);
DROP FUNCTION incidents_spelled(text);
"""
