"""What a page of the desk costs however much there is: the queue with 100 and with 100,000 records,
and a record with 50 claims and 500 victims against one with 5 and 10.

    uv run benchmarks/desk.py
    uv run benchmarks/desk.py --records 20000 --rounds 15
    uv run benchmarks/desk.py --only record

Two databases are cloned from one template on a throw-away PostgreSQL and filled with submitted
and verified records by SQL, past the workflow and the triggers; the rows that the queue is answered
from are then reckoned by the project's own function, and their counts by its triggers. Each page is
asked for by Django's test client, by turns in both databases, so that noise falls on both; the
median of the rounds counts, and its ratio. Pages are asked for once before the clock starts.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from pathlib import Path
from typing import LiteralString, cast

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

import django

django.setup()

import psycopg  # noqa: E402
from django.conf import settings  # noqa: E402
from django.db import connection, connections  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402

from harmtracker.accounts.models import User  # noqa: E402
from harmtracker.garbage import look_seldom  # noqa: E402
from harmtracker.postgres import SUPERUSER  # noqa: E402
from incidents.models import Incident  # noqa: E402
from tests import database  # noqa: E402
from tests.clients import logged_in  # noqa: E402

GOAL = 1.5
SMALL, LARGE = "bench_desk_small", "bench_desk_large"
QUEUE = "/admin/incidents/incident/queue/"
PAGES = {
    "all that waits": QUEUE,
    "free, gravest": f"{QUEUE}?tab=free&order=gravest",
    "submitted, fair": f"{QUEUE}?state=submitted&grading=fair&order=killed",
    "of which there is none": f"{QUEUE}?state=submitted&grading=weak&order=killed",
    "one state or region": f"{QUEUE}?place={{place}}",
    "open warnings": f"{QUEUE}?warnings=yes",
    "deep in the list": f"{QUEUE}?after={{after}}",
    "searched": f"{QUEUE}?q=record+7",
    "first page of the admin": "/admin/",
}
# Not held to the goal: they count all there is, once a day or for whoever looks at the whole.
WHOLE = {"overview": "/admin/incidents/incident/overview/", "public backlog": "/api/v1/backlog/"}

# So many on a day in a township, however many there are: the database looks for duplicates of each,
# and of 100,000 within one year nearly all would be possible ones, of 100 over the whole country
# none. Their titles differ; they wait since up to 300 days, over the gradings, with two to three
# claims of different voices each.
FILL = """
CREATE TEMP TABLE made AS
    SELECT nextval(pg_get_serial_sequence('incidents_incident', 'id')) AS id, n,
        (SELECT id FROM accounts_user WHERE username = 'researcher') AS author
    FROM generate_series(1, {records}) AS n;
CREATE TEMP TABLE township AS
    SELECT id, row_number() OVER (ORDER BY id) - 1 AS n FROM incidents_place
    WHERE level IN ('adm2', 'adm3') ORDER BY id LIMIT {townships};
CREATE TEMP TABLE story AS SELECT id, outlet_id, row_number() OVER (ORDER BY id) - 1 AS n
    FROM sources_article;
INSERT INTO incidents_incident (id, uuid, state, author_id, title, summary, record_type, date_edtf,
    time_kind, place_id, point_basis, point_note, point_already_public, circumstances,
    harm_reported,
    grading, grading_rationale, internal_note)
SELECT m.id, gen_random_uuid(), CASE WHEN m.n % 4 = 0 THEN 'verified' ELSE 'submitted' END, author,
    'Shelling, record ' || m.n || ' ' || md5(m.n::text), 'What happened, in our words.', 'incident',
    to_char(date '2016-01-01' + (m.n / {townships} % {days})::integer, 'YYYY-MM-DD'), 'unknown',
    t.id, 'unknown', '', false,
    '{{}}', 'unknown', (ARRAY['weak', 'fair', 'confirmed', 'contested'])[1 + m.n % 4], '', ''
FROM made m JOIN township t ON t.n = m.n % {townships};
INSERT INTO incidents_incidentrevision (incident_id, number) SELECT id, 1 FROM made;
INSERT INTO incidents_claim (uuid, incident_id, article_id, kind, credibility,
    attributed_outlet_id,
    paraphrase, quotation, locator, speaker, place_said, time_said, note)
SELECT gen_random_uuid(), m.id, s.id, 'report', 'unknown', s.outlet_id, 'So many were killed.',
    '', '', '', '', '', ''
FROM made m CROSS JOIN generate_series(0, 2) AS k
JOIN story s ON s.n = (m.n * 3 + k) % (SELECT count(*) FROM story) WHERE k < 2 OR m.n % 2 = 0;
INSERT INTO incidents_casualtycount (uuid, incident_id, claim_id, outcome, status, role, sex,
    age_group,
    min, best, max, qualifier, reported_text)
SELECT gen_random_uuid(), m.id, NULL, 'killed', status, 'all', 'all', 'all', m.n * 13 % 9, NULL,
    9 + m.n * 31 % 90, 'range', ''
FROM made m CROSS JOIN (VALUES ('civilian'), ('armed_group')) AS s (status)
    WHERE status = 'civilian' OR m.n % 3 = 0;
INSERT INTO incidents_review (incident_id, verb, actor_id, revision, reason, at)
SELECT id, 'submit', author, 1, '',
    now() - (n * 17 % 300) * interval '1 day' - n * interval '1 millisecond' FROM made;
INSERT INTO incidents_review (incident_id, verb, actor_id, revision, reason, content,
    content_sha256, at)
SELECT m.id, 'verify', (SELECT id FROM accounts_user WHERE username = 'other_verifier'), 1, '',
    '{{}}',
    encode(sha256('{{}}'), 'hex'), r.at + interval '20 hours'
FROM made m JOIN incidents_review r ON r.incident_id = m.id WHERE m.n % 4 = 0;
INSERT INTO incidents_assignment (incident_id, person_id)
SELECT id, (SELECT id FROM accounts_user WHERE username = 'other_verifier') FROM made
    WHERE n % 20 = 0;
"""
# The triggers of the counts are on again; those of everything else have nothing to do.
RECKON = "SELECT incidents_reckon_waiting(array(SELECT id FROM made WHERE n BETWEEN %s AND %s))"
AT_ONCE = 2_000
# Days of a township for each record: 100,000 lie over all townships that we have and 3,000 days.
DAYS_EACH = 2.94
MOST_TOWNSHIPS = 98


def spread(records: int) -> dict[str, int]:
    """The townships and days of which each has its records."""
    townships = min(MOST_TOWNSHIPS, max(4, records // 25))
    return {"townships": townships, "days": round(records * DAYS_EACH / townships)}


def fill(name: str, records: int) -> None:
    database.clone(database.TEMPLATE, name)
    dsn = settings.TEST_CLUSTER.dsn(SUPERUSER)
    start = time.perf_counter()
    with psycopg.connect(dsn, dbname=name, autocommit=True) as owner:
        owner.execute("SET session_replication_role = replica")
        for statement in FILL.format(records=records, **spread(records)).split(";\n"):
            if statement.strip():
                owner.execute(cast("LiteralString", statement))
        owner.execute("SET session_replication_role = DEFAULT")
        owner.execute("ANALYZE")
        for first in range(1, records + 1, AT_ONCE):
            owner.execute(RECKON, [first, first + AT_ONCE - 1])
            done = min(first + AT_ONCE - 1, records)
            sys.stderr.write(f"\r{done:>8,} reckoned, {time.perf_counter() - start:.0f} s")
        sys.stderr.write("\r")
        owner.execute("VACUUM ANALYZE")
        each = owner.execute(
            "SELECT round(avg(open_warnings), 1) FROM incidents_waiting"
        ).fetchone()
    sys.stdout.write(
        f"{records:>8,} records in {time.perf_counter() - start:.0f} s, "
        f"{each[0] if each else 0} open warnings each\n"
    )


def addresses(pages: dict[str, str]) -> dict[str, str]:
    """The pages with a place and a row of this database in them."""
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "SELECT adm1_id FROM incidents_waiting GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1"
        )
        (place,) = cursor.fetchone() or (0,)
        cursor.execute(
            "SELECT day || '~' || killed_high || '~' || incident_id FROM incidents_waiting "
            "ORDER BY day, killed_high DESC, incident_id "
            "OFFSET (SELECT count(*) * 4 / 10 FROM incidents_waiting) LIMIT 1"
        )
        (after,) = cursor.fetchone() or ("",)
    return {name: url.format(place=place, after=after) for name, url in pages.items()}


class Side:
    """One database with the client that asks in it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.enter()
        self.client = logged_in(User.objects.get(username="verifier"), Client())
        self.addresses = addresses({**PAGES, **WHOLE})
        self.queries: dict[str, int] = {}
        self.rows: dict[str, int] = {}
        for page, url in self.addresses.items():
            with CaptureQueriesContext(connection) as caught:
                self.ask(url)
            self.queries[page] = len(caught)
            self.rows[page] = self.client.get(url).content.count(b'class="open"')

    def enter(self) -> None:
        database.use(self.name)

    def ask(self, url: str) -> float:
        start = time.perf_counter()
        response = self.client.get(url)
        taken = time.perf_counter() - start
        if response.status_code != 200:
            raise SystemExit(f"{url} answered {response.status_code}.")
        return taken


def measure(rounds: int) -> bool:
    sides = [Side(SMALL), Side(LARGE)]
    times: dict[tuple[str, str], list[float]] = {}
    for _ in range(rounds):
        for side in sides:
            side.enter()
            # The first answer opens the connections.
            side.ask(side.addresses["first page of the admin"])
            for page, url in side.addresses.items():
                times.setdefault((side.name, page), []).append(side.ask(url))
    sys.stdout.write(f"\n{'':26}{'100':>10}{'large':>10}{'ratio':>8}  queries, rows\n")
    is_met = True
    for page in (*PAGES, *WHOLE):
        small, large = (statistics.median(times[side.name, page]) for side in sides)
        queries = {side.queries[page] for side in sides}
        ratio = large / small
        mark = ""
        rows = [side.rows[page] for side in sides]
        if page in PAGES and rows[0] == rows[1]:
            mark = "" if ratio <= GOAL else f"  above {GOAL}"
            is_met = is_met and ratio <= GOAL
        sys.stdout.write(
            f"{page:26}{small * 1000:7.1f} ms{large * 1000:7.1f} ms{ratio:8.2f}  "
            f"{', '.join(map(str, sorted(queries)))}, {'/'.join(map(str, rows))}{mark}\n"
        )
    return is_met


# A record whose claims each give two counts, a weapon and an actor, and speak of people; every
# claim sets a bound of ours.
ONE_RECORD = """
CREATE TEMP TABLE one AS
    SELECT nextval(pg_get_serial_sequence('incidents_incident', 'id')) AS id,
        (SELECT id FROM accounts_user WHERE username = 'researcher') AS author;
CREATE TEMP TABLE story AS SELECT id, outlet_id, row_number() OVER (ORDER BY id) - 1 AS n
    FROM sources_article;
INSERT INTO incidents_incident (id, uuid, state, author_id, title, summary, record_type, date_edtf,
    time_kind, place_id, point_basis, point_note, point_already_public, circumstances,
    harm_reported, grading, grading_rationale, internal_note, latitude, longitude,
    place_precision)
SELECT o.id, gen_random_uuid(), 'submitted', author, 'Of {claims} claims', 'What happened.',
    'incident', '2024-03-05', 'unknown', (SELECT id FROM incidents_place WHERE slug = 'laiza'),
    'source', '', false, '{{}}', 'unknown', 'contested', '', '', 24.76, 97.56, 'site' FROM one o;
INSERT INTO incidents_incidentrevision (incident_id, number) SELECT id, 1 FROM one;
INSERT INTO incidents_claim (uuid, incident_id, article_id, kind, credibility,
    attributed_outlet_id, paraphrase, quotation, locator, speaker, place_said, date_said, time_said,
    note, latitude, longitude)
SELECT gen_random_uuid(), o.id, s.id, 'report', 'unknown', s.outlet_id, 'So many were killed.',
    repeat('“They came at night.” ', 8), '', 'a nurse', 'near Laiza, place ' || k, '2024-03-05', '',
    '', 24.76 + k * 0.001, 97.56
FROM one o CROSS JOIN generate_series(1, {claims}) AS k
JOIN story s ON s.n = k % (SELECT count(*) FROM story);
INSERT INTO incidents_casualtycount (uuid, incident_id, claim_id, outcome, status, role, sex,
    age_group, min, best, max, qualifier, reported_text)
SELECT gen_random_uuid(), o.id, c.id, outcome, 'civilian', 'all', 'all', 'all', c.id % 9, c.id % 9,
    c.id % 9, 'exact', 'so many'
FROM one o JOIN incidents_claim c ON c.incident_id = o.id
CROSS JOIN (VALUES ('killed'), ('injured')) AS x (outcome)
UNION ALL SELECT gen_random_uuid(), o.id, NULL, outcome, 'civilian', 'all', 'all', 'all', 1, NULL,
    600, 'range', '' FROM one o CROSS JOIN (VALUES ('killed'), ('injured')) AS x (outcome);
INSERT INTO incidents_countbasis (uuid, incident_id, count_id, claim_id, bound, reason)
SELECT gen_random_uuid(), o.id, k.id, c.id, 'min', '' FROM one o
JOIN incidents_claim c ON c.incident_id = o.id
JOIN incidents_casualtycount k ON k.incident_id = o.id AND k.claim_id IS NULL;
INSERT INTO incidents_weaponuse (uuid, incident_id, claim_id, weapon_id, certainty, platform,
    is_cluster, is_thermobaric, is_incendiary, reported_text)
SELECT gen_random_uuid(), o.id, c.id, 'EXG-ART', 'alleged', 'ground', false, false, false, ''
FROM one o JOIN incidents_claim c ON c.incident_id = o.id;
INSERT INTO incidents_involvement (uuid, incident_id, claim_id, actor_id, role, certainty,
    reported_text)
SELECT gen_random_uuid(), o.id, c.id, (SELECT min(id) FROM incidents_actor), 'alleged_perpetrator',
    'alleged', '' FROM one o JOIN incidents_claim c ON c.incident_id = o.id;
INSERT INTO incidents_victim (uuid, incident_id, names, outcome, status, role, sex, age_group, note)
SELECT gen_random_uuid(), o.id, ARRAY['Person ' || n], 'killed', 'civilian', 'unknown', 'unknown',
    'unknown', '' FROM one o CROSS JOIN generate_series(1, {victims}) AS n;
INSERT INTO incidents_victimclaim (incident_id, victim_id, claim_id)
SELECT o.id, v.id, c.id FROM one o JOIN incidents_victim v
    ON v.incident_id = o.id JOIN LATERAL (SELECT id FROM incidents_claim
        WHERE incident_id = o.id ORDER BY (id + v.id) % {claims} LIMIT 2) c ON true;
INSERT INTO incidents_review (incident_id, verb, actor_id, revision, reason, at)
SELECT id, 'submit', author, 1, '', now() FROM one;
SELECT incidents_reckon_waiting(array(SELECT id FROM one));
"""
RECORD_GOAL, MOST_QUERIES = 5, 25
RECORD = "bench_desk_record"


def fill_records() -> None:
    """Two records, the small one first."""
    database.clone(database.TEMPLATE, RECORD)
    dsn = settings.TEST_CLUSTER.dsn(SUPERUSER)
    for claims, victims in ((5, 10), (50, 500)):
        with psycopg.connect(dsn, dbname=RECORD, autocommit=True) as owner:
            owner.execute("SET session_replication_role = replica")
            for statement in ONE_RECORD.format(claims=claims, victims=victims).split(";\n"):
                if statement.strip():
                    owner.execute(cast("LiteralString", statement))
            owner.execute("ANALYZE")


def measure_record(rounds: int) -> bool:
    database.use(RECORD)
    client = logged_in(User.objects.get(username="verifier"), Client())
    # As the running app does.
    look_seldom()
    records = list(Incident.objects.filter(title__endswith=" claims").order_by("pk"))
    times: dict[int, list[float]] = {}
    queries = {}
    for incident in records:
        url = f"/admin/incidents/incident/{incident.pk}/record/"
        client.get(url)
        with CaptureQueriesContext(connection) as caught:
            client.get(url)
        queries[incident.pk] = len(caught)
    for _ in range(rounds):
        for incident in records:
            start = time.perf_counter()
            response = client.get(f"/admin/incidents/incident/{incident.pk}/record/")
            times.setdefault(incident.pk, []).append(time.perf_counter() - start)
            if response.status_code != 200:
                raise SystemExit(f"The record answered {response.status_code}.")
    small, large = (statistics.median(times[incident.pk]) for incident in records)
    ratio = large / small
    counted = list(queries.values())
    is_met = ratio <= RECORD_GOAL and counted[0] == counted[1] <= MOST_QUERIES
    sys.stdout.write(
        f"\nrecord, 5 claims and 10 victims: {small * 1000:.1f} ms; 50 and 500: "
        f"{large * 1000:.1f} ms; ratio {ratio:.2f}, queries {counted[0]} and {counted[1]}"
        f"{'' if is_met else '  not met'}\n"
    )
    return is_met


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--records", type=int, default=100_000, help="in the large one (100,000)")
    parser.add_argument("--rounds", type=int, default=15, help="answers of each page (15)")
    parser.add_argument("--only", choices=["queue", "record"], help="one of the two")
    given = parser.parse_args()
    cluster = database.start_cluster()
    is_met = True
    try:
        database.build_template()
        if given.only != "queue":
            fill_records()
            is_met = measure_record(given.rounds)
        if given.only != "record":
            fill(SMALL, 100)
            fill(LARGE, given.records)
            is_met = measure(given.rounds) and is_met
        return 0 if is_met else 1
    finally:
        connections.close_all()
        if cluster is not None:
            cluster.destroy()


if __name__ == "__main__":
    sys.exit(main())
