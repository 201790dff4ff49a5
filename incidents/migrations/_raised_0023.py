"""The SQL of migration 0023: the warnings themselves. Beside it for its length alone."""

# Rule, the field or part it is about, what it asks for, the sentence, the rows behind it as
# [{"type": ..., "id": ...}], the figures behind it, and the other record that it tells of.
# asks: "mend" bars from being submitted, "answer" from being verified, "nothing" is for the reader.
# enable_seqscan: a plan that is made while the tables are small is kept while thousands of records
# come in; what is called from here is planned under it as well. jit: to compile it takes longer.
RAISED = """
CREATE FUNCTION incidents_raised(record bigint)
RETURNS TABLE (rule text, field text, asks text, message text, rows jsonb, basis text, about bigint)
LANGUAGE plpgsql STABLE SET enable_seqscan = off SET jit = off SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
DECLARE
    i incidents_incident;
    voices bigint;
    voiced uuid[];
    all_claims uuid[];
    of_perpetrator bigint[];
    place record;
    away float8;
BEGIN
    SELECT * INTO i FROM incidents_incident t WHERE t.id = record;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    all_claims := array(SELECT c.uuid FROM incidents_claim c WHERE c.incident_id = record ORDER BY c.id);

    -- What a record is not submitted without.
    IF i.date_edtf IS NULL THEN
        RETURN QUERY SELECT 'date_missing', 'date_edtf', 'mend', 'The date is missing: a year or an interval will do.', '[]'::jsonb, '', NULL::bigint;
    END IF;
    IF i.place_id IS NULL THEN
        RETURN QUERY SELECT 'place_missing', 'place', 'mend', 'The place is missing: a country will do.', '[]'::jsonb, '', NULL::bigint;
    END IF;
    IF cardinality(all_claims) = 0 THEN
        RETURN QUERY SELECT 'claim_missing', 'claims', 'mend', 'Nobody is quoted: enter what at least one source says.', '[]'::jsonb, '', NULL::bigint;
    END IF;

    -- The grading and what it asks for.
    SELECT count(DISTINCT v.voice), array_agg(v.claim) INTO voices, voiced FROM incidents_voices(record) v;
    IF i.grading = 'unassessed' THEN
        RETURN QUERY SELECT 'grading_missing', 'grading', 'mend', 'Nobody has graded the record yet.', '[]'::jsonb, '', NULL::bigint;
    ELSIF i.grading = 'confirmed' AND NOT EXISTS (
            SELECT FROM incidents_claim c WHERE c.incident_id = record AND c.kind IN ('admission', 'finding')) THEN
        RETURN QUERY SELECT 'grading_without_sources', 'grading', 'mend',
            'Confirmed needs an admission or a finding among the claims; there is none.',
            incidents_rows('claim', all_claims), i.grading::text, NULL::bigint;
    ELSIF i.grading = 'fair' AND voices < 2 THEN
        RETURN QUERY SELECT 'grading_without_sources', 'grading', 'mend',
            format('Fair needs two independent sources; the claims come from %s.', voices),
            incidents_rows('claim', voiced), concat(i.grading, voices), NULL::bigint;
    ELSIF i.grading = 'contested'
        AND NOT EXISTS (SELECT FROM incidents_claim c WHERE c.incident_id = record AND c.kind = 'denial')
        AND NOT EXISTS (SELECT FROM incidents_involvement v WHERE v.incident_id = record AND v.claim_id IS NOT NULL
                        AND v.role = 'alleged_perpetrator' AND v.certainty = 'denied')
        AND (SELECT count(DISTINCT v.actor_id) FROM incidents_involvement v
             WHERE v.incident_id = record AND v.claim_id IS NOT NULL
             AND v.role IN ('alleged_perpetrator', 'claimed_responsibility') AND v.certainty <> 'denied') < 2 THEN
        RETURN QUERY SELECT 'grading_without_sources', 'grading', 'mend',
            'Contested needs claims that name different perpetrators, or a denial.',
            incidents_rows('claim', all_claims), i.grading::text, NULL::bigint;
    ELSIF i.grading = 'weak' AND voices > 1 THEN
        RETURN QUERY SELECT 'grading_below_sources', 'grading', 'answer',
            format('Weak is for one source; the claims come from %s independent ones.', voices),
            incidents_rows('claim', voiced), voices::text, NULL::bigint;
    END IF;

    -- Of one source, or of our own assessment.
    RETURN QUERY
    SELECT 'part_above_whole', 'counts', 'answer',
        format('A part (%s) has %s, its whole (%s) %s.',
            incidents_of_whom(p), incidents_figures(p.min, p.best, p.max),
            incidents_of_whom(w), incidents_figures(w.min, w.best, w.max)),
        incidents_rows('count', ARRAY[p.uuid, w.uuid]) || incidents_rows('claim', array(SELECT uuid FROM incidents_claim WHERE id = p.claim_id)),
        concat_ws('|', p.min, p.best, p.max, '/', w.min, w.best, w.max), NULL::bigint
    FROM incidents_casualtycount w JOIN incidents_casualtycount p
        ON p.incident_id = w.incident_id AND p.claim_id IS NOT DISTINCT FROM w.claim_id
        AND p.outcome = w.outcome AND p.id <> w.id
    WHERE w.incident_id = record AND (p.best > w.max OR p.best > w.best OR p.max > w.max OR p.min > w.best)
        AND incidents_covers(w.status, p.status) AND incidents_covers(w.role, p.role)
        AND incidents_covers(w.sex, p.sex) AND incidents_covers(w.age_group, p.age_group)
        AND (w.affiliation_id IS NULL OR w.affiliation_id = p.affiliation_id)
    ORDER BY p.id, w.id;

    -- A claim that sets the best figure sets the bounds that equal it. One whose figures are of
    -- another group, or in words alone, may have been reckoned with: that cannot be told from here.
    RETURN QUERY
    SELECT 'bound_without_claim', 'counts', 'answer',
        format(CASE WHEN named.of_claims IS NULL THEN 'No claim is named for the %1$s of %2$s (%3$s).'
            WHEN said.rows = 0 THEN 'The %1$s of %2$s (%3$s) rests on claims that say nothing of persons %4$s.'
            ELSE 'The %1$s of %2$s (%3$s) stands in none of the claims that are named for it: they say %5$s.' END,
            b.bound, b.figure, incidents_of_whom(c), replace(c.outcome, '_', ' '), told.figures),
        incidents_rows('count', ARRAY[c.uuid]) || incidents_rows('claim', array(
            SELECT k.uuid FROM incidents_claim k WHERE k.id = ANY (named.of_claims) ORDER BY k.id)),
        concat_ws('|', b.bound, b.figure, told.figures), NULL::bigint
    FROM incidents_casualtycount c
    CROSS JOIN LATERAL (VALUES ('min', c.min), ('best', c.best), ('max', c.max)) AS b (bound, figure)
    CROSS JOIN LATERAL (
        SELECT array_agg(DISTINCT s.claim_id) AS of_claims FROM incidents_countbasis s WHERE s.count_id = c.id
        AND (s.bound = b.bound OR s.bound = 'best' AND b.figure = c.best)) named
    CROSS JOIN LATERAL (
        SELECT count(*) AS rows, bool_or(b.figure IN (k.min, k.best, k.max)) AS gives_it,
            count(DISTINCT k.claim_id) FILTER (WHERE incidents_same_group(k, c)
                AND coalesce(k.min, k.best, k.max) IS NOT NULL) < cardinality(named.of_claims) AS may_be_reckoned
        FROM incidents_casualtycount k WHERE k.claim_id = ANY (named.of_claims) AND k.outcome = c.outcome) said
    CROSS JOIN LATERAL (
        SELECT string_agg(DISTINCT incidents_figures(k.min, k.best, k.max), '; ') AS figures
        FROM incidents_casualtycount k
        WHERE k.claim_id = ANY (named.of_claims) AND incidents_same_group(k, c) OFFSET 0) told
    WHERE c.incident_id = record AND c.claim_id IS NULL AND b.figure IS NOT NULL
        AND (named.of_claims IS NULL OR said.rows = 0
             OR said.gives_it IS NOT TRUE AND NOT said.may_be_reckoned)
    ORDER BY c.id, b.bound;

    -- "At least 28" is outside of 20 to 25, and inside of 28 to 33; "at most 40" is inside of both.
    RETURN QUERY
    SELECT 'claim_outside_bounds', 'counts', 'answer',
        format('%s says %s (%s), our bounds are %s, and no reason is given why that was left out.',
            coalesce(s.name, 'A claim'), incidents_figures(k.min, k.best, k.max), incidents_of_whom(c),
            incidents_figures(c.min, c.best, c.max)),
        incidents_rows('claim', ARRAY[s.claim_uuid]) || incidents_rows('count', ARRAY[k.uuid, c.uuid]),
        concat_ws('|', k.min, k.best, k.max, k.qualifier, '/', c.min, c.best, c.max), NULL::bigint
    FROM incidents_casualtycount c
    JOIN incidents_casualtycount k ON k.incident_id = record AND k.claim_id IS NOT NULL AND incidents_same_group(k, c)
    JOIN incidents_speakers(record) s ON s.claim = k.claim_id
    WHERE c.incident_id = record AND c.claim_id IS NULL
        AND (k.best NOT BETWEEN coalesce(c.min, k.best) AND coalesce(c.max, k.best)
             OR k.min > c.max OR k.max < c.min
             OR k.qualifier = 'range' AND (k.min < c.min OR k.max > c.max))
        AND NOT EXISTS (SELECT FROM incidents_countbasis b WHERE b.count_id = c.id AND b.claim_id = k.claim_id AND b.reason <> '')
    ORDER BY c.id, k.id;

    RETURN QUERY
    SELECT 'named_victims_above_max', 'victims', 'answer',
        format('%s persons %s are named, and the assessment has at most %s.',
            count(*), replace(v.outcome, '_', ' '), incidents_most(record, v.outcome)),
        incidents_rows('victim', array_agg(v.uuid ORDER BY v.id)),
        concat_ws('|', v.outcome, count(*), incidents_most(record, v.outcome)), NULL::bigint
    FROM incidents_victim v WHERE v.incident_id = record AND cardinality(v.names) > 0
    GROUP BY v.outcome HAVING count(*) > incidents_most(record, v.outcome);

    -- What only the alleged perpetrator says does not decide who somebody was. That it harmed
    -- civilians is nothing that it says for its own sake.
    of_perpetrator := incidents_claims_of_perpetrator(record);
    IF cardinality(of_perpetrator) > 0 THEN
        RETURN QUERY
        SELECT 'status_by_perpetrator', 'counts', 'answer',
            format('That %s %s are %s is said by the alleged perpetrator alone.',
                incidents_figures(c.min, c.best, c.max), replace(c.outcome, '_', ' '), replace(c.status, '_', ' ')),
            incidents_rows('count', ARRAY[c.uuid]) || incidents_rows('claim', said.claims),
            concat_ws('|', c.outcome, c.status), NULL::bigint
        FROM incidents_casualtycount c CROSS JOIN LATERAL (
            SELECT array_agg(DISTINCT q.uuid) AS claims, bool_and(k.claim_id = ANY (of_perpetrator)
                    AND NOT (q.kind = 'admission' AND k.status LIKE 'civilian%')) AS alone
            FROM incidents_casualtycount k JOIN incidents_claim q ON q.id = k.claim_id
            WHERE k.incident_id = record AND k.outcome = c.outcome AND k.status = c.status) said
        WHERE c.incident_id = record AND c.claim_id IS NULL AND c.status NOT IN ('all', 'unknown', 'disputed')
            AND said.alone
        ORDER BY c.id;
        RETURN QUERY
        SELECT 'status_by_perpetrator', 'victims', 'answer',
            format('That a person %s was %s is said by the alleged perpetrator alone.',
                replace(v.outcome, '_', ' '), replace(v.status, '_', ' ')),
            incidents_rows('victim', ARRAY[v.uuid]) || incidents_rows('claim', array_agg(q.uuid ORDER BY q.id)),
            v.status::text, NULL::bigint
        FROM incidents_victim v JOIN incidents_victimclaim l ON l.victim_id = v.id JOIN incidents_claim q ON q.id = l.claim_id
        WHERE v.incident_id = record AND v.status NOT IN ('unknown', 'disputed')
        GROUP BY v.id HAVING bool_and(q.id = ANY (of_perpetrator) AND NOT (q.kind = 'admission' AND v.status LIKE 'civilian%'))
        ORDER BY v.id;
    END IF;

    -- Two that count as independent and are one: a party and its unit, one name in two spellings, or
    -- the very same words. And one account that was entered twice.
    IF voices > 1 THEN
        RETURN QUERY
        WITH speakers AS MATERIALIZED (SELECT * FROM incidents_speakers(record) WHERE kind <> 'denial'),
        words AS MATERIALIZED (
            SELECT s.*, incidents_spelled(c.quotation) AS said FROM speakers s JOIN incidents_claim c ON c.id = s.claim),
        named AS (SELECT DISTINCT voice, name, actor, outlet, keys FROM speakers),
        pairs AS (
            SELECT a.voice AS one, b.voice AS other, a.name AS name, b.name AS other_name,
                CASE WHEN a.keys && b.keys THEN 'they bear the same name' ELSE 'one is part of the other' END AS why
            FROM named a JOIN named b ON a.voice < b.voice
            WHERE a.keys && b.keys OR a.actor IS NOT NULL AND b.actor IS NOT NULL
                AND (incidents_is_within(a.actor, b.actor) OR incidents_is_within(b.actor, a.actor))
            UNION
            SELECT a.voice, b.voice, a.name, b.name, 'their words are the same'
            FROM words a JOIN words b ON a.voice < b.voice AND a.said = b.said WHERE length(a.said) >= 20
        )
        SELECT 'voice_counted_twice', 'claims', 'answer',
            format('%s and %s count as two independent sources, and %s.', name, other_name, why),
            incidents_rows('claim', array(SELECT s.claim_uuid FROM speakers s
                WHERE s.voice = one AND s.name = p.name OR s.voice = other AND s.name = other_name ORDER BY s.claim)),
            concat_ws('|', one, other, name, other_name, why), NULL::bigint
        FROM pairs p;
    END IF;
    IF cardinality(all_claims) > 1 THEN
        RETURN QUERY
        SELECT 'voice_counted_twice', 'claims', 'answer',
            format('%s says the same figures in %s claims from one article: was it entered twice?', min(t.name), count(*)),
            incidents_rows('claim', array_agg(t.claim_uuid ORDER BY t.claim)), t.figures, NULL::bigint
        FROM (
            SELECT s.*, (SELECT string_agg(concat_ws(',', k.outcome, k.status, k.role, k.sex, k.age_group, k.affiliation_id,
                        coalesce(k.min::text, '?'), coalesce(k.best::text, '?'), coalesce(k.max::text, '?')), ';'
                        ORDER BY k.outcome, k.status, k.role, k.sex, k.age_group, k.affiliation_id)
                    FROM incidents_casualtycount k WHERE k.claim_id = s.claim
                        AND coalesce(k.min, k.best, k.max) IS NOT NULL) AS figures
            FROM incidents_speakers(record) s WHERE s.kind <> 'denial') t
        WHERE t.figures IS NOT NULL GROUP BY t.article, t.actor, t.outlet, t.figures HAVING count(*) > 1;
    END IF;

    RETURN QUERY
    SELECT 'article_before_event', 'claims', 'answer',
        format('%s appeared %s, and the incident is of %s: the article cannot tell of it.', a.title, a.published, i.date_edtf),
        incidents_rows('claim', array_agg(c.uuid ORDER BY c.id)), concat_ws('|', a.published, i.date_edtf), NULL::bigint
    FROM incidents_claim c JOIN sources_article a ON a.id = c.article_id
    WHERE c.incident_id = record AND edtf_latest(a.published) < i.date_earliest
    GROUP BY a.id ORDER BY a.id;

    -- Of the place, or of what it lies in up to the first of which a point is known.
    IF i.latitude IS NOT NULL AND i.place_id IS NOT NULL THEN
        SELECT u.id, u.level, u.latitude, u.longitude, p.name INTO place
        FROM incidents_up(i.place_id) u JOIN incidents_place p ON p.id = u.id
        WHERE u.latitude IS NOT NULL ORDER BY u.step LIMIT 1;
        away := incidents_km(i.latitude::float8, i.longitude::float8, place.latitude::float8, place.longitude::float8);
        IF away > greatest(incidents_reach_km(place.level), incidents_reach_km(i.place_precision))
                + coalesce(i.radius_m / 1000.0, 0)
           AND NOT EXISTS (SELECT FROM incidents_furtherplace f JOIN incidents_place p ON p.id = f.place_id
                WHERE f.incident_id = record AND p.latitude IS NOT NULL
                AND incidents_km(i.latitude::float8, i.longitude::float8, p.latitude::float8, p.longitude::float8)
                    <= incidents_reach_km(p.level) + coalesce(i.radius_m / 1000.0, 0)) THEN
            RETURN QUERY SELECT 'point_far_from_place', 'latitude', 'answer',
                format('The point lies %s km from %s, the place that is named.', round(away::numeric), place.name),
                incidents_rows('incident', ARRAY[i.uuid]),
                concat_ws('|', i.latitude, i.longitude, i.place_precision, i.radius_m, place.id, place.latitude, place.longitude),
                NULL::bigint;
        END IF;
    END IF;

    RETURN QUERY
    SELECT 'possible_duplicate', 'incident', 'answer',
        format('%s may be the same incident: %s.', d.called, d.why),
        incidents_rows('incident', ARRAY[d.other_uuid]), d.basis, d.other
    FROM incidents_duplicates(record) d;

    -- The published document says so itself, of each claim.
    RETURN QUERY
    SELECT 'article_not_kept', 'claims', 'nothing', 'No copy of the article is kept, here or in a public archive.',
        incidents_rows('claim', array_agg(c.uuid ORDER BY c.id)), '', NULL::bigint
    FROM incidents_claim c JOIN sources_article a ON a.id = c.article_id
    WHERE c.incident_id = record AND a.archive_url IS NULL
    AND NOT EXISTS (SELECT FROM sources_capture p WHERE p.article_id = a.id)
    HAVING count(*) > 0;
END $$;

-- With the answer that stands, and whether one is due. What is answered is a fingerprint of the rule,
-- the rows and the figures: of other ones it is another warning.
CREATE FUNCTION incidents_warnings(incident bigint)
RETURNS TABLE (rule text, field text, blocks boolean, message text, rows jsonb, asks text, fingerprint text,
               about bigint, answer bigint, is_open boolean)
LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT w.rule, w.field, w.asks = 'mend', w.message, w.rows, w.asks, f.fingerprint, w.about, a.id,
        w.asks = 'mend' OR w.asks = 'answer' AND a.id IS NULL
    FROM incidents_raised(incident) w
    CROSS JOIN LATERAL (SELECT encode(sha256(convert_to(
        concat_ws(chr(10), w.rule, w.rows, w.basis), 'UTF8')), 'hex') AS fingerprint) f
    LEFT JOIN LATERAL (
        SELECT a.id FROM incidents_warninganswer a
        WHERE a.incident_id = incident AND a.rule = w.rule AND a.fingerprint = f.fingerprint AND a.withdraws_id IS NULL
            AND NOT EXISTS (SELECT FROM incidents_warninganswer b WHERE b.withdraws_id = a.id)
        ORDER BY a.id LIMIT 1) a ON w.asks = 'answer';
END $$;
"""
