"""Made-up casework rows, realistic in shape: the same ones for the same seed, in any order.

Everything about incident ``i`` follows from the seed and ``i``, so that two processes can make
different parts. Nothing here says anything about real events.
"""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Iterator
from random import Random
from typing import Any, NamedTuple

# Rows that an incident can have of one kind; its ids lie in its own range of so many.
STRIDE = 64
FIRST_ID = 1_000_000
FIRST_DAY = datetime.date(1989, 1, 1)
DAYS = (datetime.date(2025, 12, 31) - FIRST_DAY).days
COUNTRIES = {
    "SYR": "Syria", "YEM": "Yemen", "SDN": "Sudan", "UKR": "Ukraine", "SOM": "Somalia",
    "COD": "DR Congo", "AFG": "Afghanistan", "IRQ": "Iraq", "MLI": "Mali", "ETH": "Ethiopia",
}  # fmt: skip
SYLLABLES = [
    "mong",
    "lai",
    "het",
    "tan",
    "gyi",
    "nam",
    "hkam",
    "lo",
    "daw",
    "myit",
    "kyi",
    "na",
    "bha",
    "mo",
    "sa",
    "ga",
    "ing",
    "kale",
    "wa",
    "min",
    "dat",
    "hpa",
    "kant",
    "wai",
    "maw",
    "shwe",
    "ku",
    "chipwe",
    "puta",
    "o",
    "law",
    "kha",
    "sung",
    "hka",
    "machan",
    "baw",
    "sin",
    "bum",
    "injang",
    "yang",
    "war",
    "rab",
    "ler",
]
# What outlets, articles, places and actors are called; and what happened, in general words.
WORDS = [
    "residents",
    "villagers",
    "shells",
    "houses",
    "monastery",
    "market",
    "school",
    "clinic",
    "road",
    "convoy",
    "morning",
    "night",
    "reported",
    "said",
    "according",
    "witnesses",
    "troops",
    "group",
    "column",
    "outpost",
    "township",
    "village",
    "northern",
    "southern",
    "after",
    "during",
    "clashes",
    "fighting",
    "displaced",
    "families",
    "sheltering",
    "church",
    "hospital",
    "bodies",
    "recovered",
    "wounded",
    "treated",
    "nearby",
    "artillery",
    "aircraft",
    "struck",
    "fired",
    "landed",
    "compound",
    "bridge",
    "river",
    "local",
    "media",
    "administration",
    "statement",
    "denied",
    "confirmed",
    "identified",
    "buried",
    "relatives",
    "children",
    "women",
    "farmers",
    "returning",
    "fields",
    "destroyed",
    "damaged",
    "burned",
    "several",
    "dozens",
    "unknown",
    "later",
]
BURMESE = ["လေကြောင်းတိုက်ခိုက်မှုကြောင့်", "အရပ်သား", "များ", "သေဆုံးခဲ့သည်"]
WEAPONS = [
    "EXG-ART",
    "EXA-UNS",
    "EXG-MOR",
    "SAL-UNS",
    "SAL-RIF",
    "EXA-BOM",
    "EXP-APM",
    "EXU-UNS",
    "EXP-VBI",
    "INC-ARS",
    "EXA-DRD",
    "LLW-KIP",
    "EXP-SUI",
    "SAL-SNI",
    "ERW-UXO",
    "EXA-ROC",
    "EXA",
    "EXG",
    "SAL",
    "UNK-UNK",
]
PLATFORMS = ["ground", "unknown", "fixed_wing", "helicopter", "uav", "person", "vehicle"]
CIRCUMSTANCES = [
    "hostilities_crossfire", "indiscriminate_attack", "targeted_attack", "raid",
    "mine_erw_encounter", "displacement_related", "crowd_control", "unknown",
]  # fmt: skip
GRADINGS = ["confirmed", "fair", "weak", "contested", "discounted", "unassessed"]
STATUSES = ["civilian", "unknown", "all", "armed_group", "armed_forces", "protected", "disputed"]
PRECISIONS = ["settlement", "near_settlement", "adm3", "vicinity", "adm2", "site"]

COLUMNS: dict[str, tuple[str, ...]] = {
    "incidents_place": (
        "id", "uuid", "slug", "level", "name", "other_names", "pcode", "parent_id", "country",
        "latitude", "longitude", "protected", "protected_reason",
    ),
    "incidents_actor": (
        "id", "uuid", "slug", "name", "other_names", "kind", "parent_id", "country",
        "independence_group",
    ),
    "sources_outlet": (
        "id", "uuid", "slug", "name", "other_names", "kind", "country", "languages",
        "reliability", "independence_group", "party_to_conflict",
    ),
    "sources_article": (
        "id", "uuid", "outlet_id", "title", "authors", "language", "published", "summary", "url",
        "copy_url", "archive_url",
    ),
    "incidents_incident": (
        "id", "uuid", "code", "state", "author_id", "title", "summary", "record_type",
        "dataset_id", "date_edtf", "local_time", "local_time_end", "time_kind", "utc_offset",
        "place_id", "latitude", "longitude", "point_basis", "point_note", "place_precision",
        "radius_m", "point_already_public", "circumstances", "harm_reported", "grading",
        "grading_rationale", "internal_note",
    ),
    "incidents_furtherplace": ("id", "uuid", "incident_id", "place_id"),
    "incidents_externalid": ("id", "uuid", "incident_id", "dataset_id", "value"),
    "incidents_claim": (
        "id", "uuid", "incident_id", "article_id", "attributed_outlet_id",
        "attributed_actor_id", "speaker", "kind", "credibility", "paraphrase", "quotation",
        "locator", "date_said", "time_said", "place_said", "latitude", "longitude", "note",
    ),
    "incidents_casualtycount": (
        "id", "uuid", "incident_id", "claim_id", "reported_text", "outcome", "status", "role",
        "sex", "age_group", "affiliation_id", "min", "best", "max", "qualifier",
    ),
    "incidents_countbasis": (
        "id", "uuid", "incident_id", "count_id", "claim_id", "bound", "reason",
    ),
    "incidents_weaponuse": (
        "id", "uuid", "incident_id", "claim_id", "reported_text", "weapon_id", "certainty",
        "platform", "calibre_mm", "is_cluster", "is_thermobaric", "is_incendiary",
        "alternative_group",
    ),
    "incidents_involvement": (
        "id", "uuid", "incident_id", "claim_id", "reported_text", "actor_id", "role",
        "certainty", "alternative_group",
    ),
    "incidents_victim": (
        "id", "uuid", "incident_id", "names", "age", "age_group", "sex", "status", "role",
        "outcome", "consent_basis", "note",
    ),
    "incidents_victimclaim": ("id", "incident_id", "victim_id", "claim_id"),
}  # fmt: skip

Rows = dict[str, list[tuple[Any, ...]]]


class World(NamedTuple):
    """What incidents refer to, the most frequent first: ids, and of places also the country."""

    seed: int
    author: int
    dataset: int
    places: list[tuple[int, str, float, float]]
    actors: list[int]
    outlets: list[int]


class Head(NamedTuple):
    """What the code of an incident is made of."""

    country: str
    year: int


def _uuid(random: Random) -> str:
    return str(uuid.UUID(int=random.getrandbits(128), version=4))


def _skewed(random: Random, length: int, power: float = 3.0) -> int:
    """A position, the first ones far more often: a few towns see most of it."""
    return int(length * random.random() ** power)


def _name(random: Random) -> str:
    return " ".join(
        "".join(random.choices(SYLLABLES, k=random.choice((1, 2, 2)))).capitalize()
        for _ in range(random.choice((1, 1, 2)))
    )


def _words(random: Random, low: int, high: int) -> str:
    words = random.choices(WORDS, k=random.randint(low, high))
    if random.random() < 0.05:
        words[1:1] = BURMESE
    sentences, at = [], 0
    while at < len(words):
        step = random.randint(8, 18)
        sentences.append(" ".join(words[at : at + step]).capitalize())
        at += step
    return ". ".join(sentences) + "."


def shared(seed: int, known: dict[str, int]) -> tuple[Rows, list[int], list[int], list[int]]:
    """Places, actors and outlets beside those of the data files, and their ids by frequency.

    ``known`` are ids of the data files' rows by slug.
    """
    random = Random(seed)
    rows: Rows = {"incidents_place": [], "incidents_actor": [], "sources_outlet": []}
    ids = iter(range(FIRST_ID, 2 * FIRST_ID))
    places: list[int] = []

    def place(level: str, parent: int | None, country: str, name: str, where: Any) -> int:
        number = next(ids)
        names = [_name(random) for _ in range(random.choice((0, 0, 1, 2)))]
        slug = f"bench-{number}"
        rows["incidents_place"].append((
            number, _uuid(random), slug, level, name, names,
            # Myanmar's are given by OCHA, and the database knows their form.
            None if country == "MMR" or level == "settlement" else f"{country}{number}",
            parent, country,
            *where, random.random() < 0.01, "",
        ))  # fmt: skip
        return number

    def tree(country: str, adm1: list[int], size: int) -> None:
        for _ in range(size):
            where = (round(random.uniform(10, 28), 6), round(random.uniform(20, 99), 6))
            adm2 = place("adm2", random.choice(adm1), country, _name(random), where)
            for _ in range(3):
                adm3 = place("adm3", adm2, country, _name(random), where)
                places.append(adm3)
                for _ in range(5):
                    near = tuple(round(v + random.uniform(-0.4, 0.4), 6) for v in where)
                    places.append(place("settlement", adm3, country, _name(random), near))

    tree("MMR", [known[f"mmr{n:03d}"] for n in range(1, 18) if f"mmr{n:03d}" in known], 90)
    for code, name in COUNTRIES.items():
        top = place("country", None, code, name, (None, None))
        tree(code, [place("adm1", top, code, _name(random), (None, None)) for _ in range(8)], 12)
    random.shuffle(places)

    actors = []
    kinds = ["state_forces", "rebel_group", "political_militia", "identity_militia"]
    for n in range(60):
        top = next(ids)
        for level in range(4):
            number = top if level == 0 else next(ids)
            name = f"{_name(random)} {('Army', 'Brigade', 'Battalion', 'Company')[level]}"
            rows["incidents_actor"].append((
                number, _uuid(random), f"bench-actor-{number}", name, [name[:3].upper()],
                kinds[n % 4], None if level == 0 else top, None, f"bench-actor-{top}",
            ))  # fmt: skip
            actors.append(number)
    random.shuffle(actors)

    outlets = []
    kinds = ["local_media", "national_media", "international_media", "ngo", "un", "witness"]
    for n in range(120):
        number = next(ids)
        rows["sources_outlet"].append((
            number, _uuid(random), f"bench-outlet-{number}", f"{_name(random)} News",
            [_name(random)] if n % 3 == 0 else [], kinds[n % 6], None, ["en"],
            random.choice("ABCDF"), f"bench-outlet-{n // 2}", False,
        ))  # fmt: skip
        outlets.append(number)
    return rows, places, actors, outlets


def _start(world: World, i: int) -> tuple[Random, tuple[int, str, float, float], datetime.date]:
    """The place and day of an incident, and the source of chance for the rest."""
    random = Random(f"{world.seed}:{i}")
    place = world.places[_skewed(random, len(world.places))]
    # Most of what is recorded is recent.
    day = FIRST_DAY + datetime.timedelta(days=int(DAYS * (1 - random.random() ** 2.2)))
    return random, place, day


def head(world: World, i: int) -> Head:
    _random, place, day = _start(world, i)
    return Head(place[1], day.year)


def _edtf(random: Random, day: datetime.date) -> str:
    chance = random.random()
    if chance < 0.85:
        return day.isoformat()
    if chance < 0.91:
        return f"{day:%Y-%m}"
    if chance < 0.96:
        # Within the year: a code is of one.
        end = min(day + datetime.timedelta(days=3), datetime.date(day.year, 12, 31))
        return day.isoformat() if end == day else f"{day}/{end}"
    if chance < 0.98:
        return f"{day}~"
    return f"{day:%Y}"


def _figures(random: Random, best: int) -> tuple[int | None, int | None, int | None, str]:
    chance = random.random()
    if chance < 0.55:
        return best, best, best, "exact"
    if chance < 0.75:
        return max(best - 1, 0), best, best + random.randint(1, 3), "range"
    if chance < 0.9:
        return best, best, None, "at_least"
    if chance < 0.95:
        return None, best, None, "approximate"
    return None, None, None, "unknown"


def incident(world: World, i: int, code: str) -> Rows:
    """All casework rows of one incident."""
    random, place, day = _start(world, i)
    rows: Rows = {table: [] for table in COLUMNS}
    number = FIRST_ID + i
    base = FIRST_ID + i * STRIDE
    harmed = random.random() < 0.9
    deaths = min(int(random.paretovariate(1.1)), 300)
    grading = GRADINGS[_skewed(random, 6, 1.8)]
    is_point = random.random() < 0.7
    point = (
        (round(place[2] + random.uniform(-0.05, 0.05), 6),
         round(place[3] + random.uniform(-0.05, 0.05), 6))
        if is_point else (None, None)
    )  # fmt: skip
    has_time = random.random() < 0.4
    edtf = _edtf(random, day)
    town = _name(random)
    rows["incidents_incident"].append((
        number, _uuid(random), code, "published", world.author,
        f"{random.choice(('Shelling', 'Air strike', 'Shooting', 'Mine', 'Raid'))} at {town}, "
        + " ".join(random.choices(WORDS, k=random.randint(4, 12))),
        _words(random, 25, 110), "aggregate_count" if random.random() < 0.03 else "incident",
        None, edtf, datetime.time(random.randrange(24), random.choice((0, 15, 30)))
        if has_time else None, None, "approximate" if has_time else "unknown",
        "+06:30" if has_time else None, place[0], *point,
        "gazetteer" if is_point else "unknown", "Village centre." if is_point else "",
        PRECISIONS[_skewed(random, 6, 1.5)], random.choice((None, 500, 2000)) if is_point else None,
        False, [CIRCUMSTANCES[_skewed(random, 8, 2)]],
        random.choice(("yes", "yes", "yes", "no", "unknown")), grading, _words(random, 10, 30), "",
    ))  # fmt: skip
    if random.random() < 0.1:
        further = world.places[_skewed(random, len(world.places))][0]
        if further != place[0]:
            rows["incidents_furtherplace"].append((base, _uuid(random), number, further))
    if random.random() < 0.3:
        rows["incidents_externalid"].append(
            (base, _uuid(random), number, world.dataset, str(200_000 + i))
        )

    counts, weapons, parties = iter(range(STRIDE)), iter(range(STRIDE)), iter(range(STRIDE))
    kind = WEAPONS[_skewed(random, len(WEAPONS), 2)]
    perpetrator = world.actors[_skewed(random, len(world.actors))]
    status = STATUSES[_skewed(random, 7, 2.5)]

    def count(claim: int | None, outcome: str, best: int, **group: Any) -> int:
        row = base + next(counts)
        low, middle, high, qualifier = _figures(random, best)
        rows["incidents_casualtycount"].append((
            row, _uuid(random), number, claim, f"{best} {outcome}" if claim else "", outcome,
            group.get("status", status), group.get("role", "all"), group.get("sex", "all"),
            group.get("age_group", "all"), group.get("affiliation"), low, middle, high, qualifier,
        ))  # fmt: skip
        return row

    def weapon(claim: int | None, code: str, certainty: str) -> None:
        calibre = 81 if code == "EXG-MOR" and claim else None
        rows["incidents_weaponuse"].append((
            base + next(weapons), _uuid(random), number, claim,
            "mortar shells" if calibre else "", code, certainty,
            PLATFORMS[_skewed(random, 7, 2)], calibre, None, None, None, None,
        ))  # fmt: skip

    def party(claim: int | None, actor: int, role: str, certainty: str) -> None:
        rows["incidents_involvement"].append((
            base + next(parties), _uuid(random), number, claim, "", actor, role, certainty, None,
        ))  # fmt: skip

    def harm(claim: int | None, best: int) -> list[int]:
        """A whole, and now and then its parts and the injured."""
        made = [count(claim, "killed", best)] if harmed else [count(claim, "killed", 0)]
        if best > 2 and random.random() < 0.5:
            made.append(count(claim, "killed", best // 3, age_group="child"))
            made.append(count(claim, "killed", best // 2, sex="female"))
        if random.random() < 0.5:
            made.append(count(claim, "injured", best * 2))
        return made

    claims = []
    for k in range(random.choice((2, 2, 2, 3, 3, 4) if random.random() < 0.9 else (1, 6, 8))):
        claim = base + k
        claims.append(claim)
        outlet = world.outlets[_skewed(random, len(world.outlets), 2)]
        article = claim
        rows["sources_article"].append((
            article, _uuid(random), outlet, " ".join(random.choices(WORDS, k=9)).capitalize(),
            [], "my" if random.random() < 0.2 else "en", day.isoformat(), "",
            f"https://example.org/{i}/{k}", None, None,
        ))  # fmt: skip
        speaks = random.random() < 0.12
        rows["incidents_claim"].append((
            claim, _uuid(random), number, article, None if speaks else outlet,
            perpetrator if speaks else None, "spokesman" if speaks else "",
            "denial" if speaks and random.random() < 0.5 else "report", random.choice("12366"),
            _words(random, 12, 45), _words(random, 12, 40) if random.random() < 0.5 else "",
            "para. 2" if random.random() < 0.3 else "", day.isoformat(), "", town,
            *(point if random.random() < 0.3 else (None, None)), "",
        ))  # fmt: skip
        harm(claim, max(deaths + random.randint(-1, 2), 0))
        if random.random() < 0.7:
            weapon(claim, kind, "alleged")
        if random.random() < 0.6:
            party(claim, perpetrator, "alleged_perpetrator", "alleged")

    for position, row in enumerate(harm(None, deaths)):
        for n, bound in enumerate(("min", "best", "max")[: 1 + position % 3]):
            rows["incidents_countbasis"].append((
                base + position * 3 + n, _uuid(random), number, row, random.choice(claims), bound,
                "",
            ))  # fmt: skip
    weapon(None, kind, random.choice(("confirmed", "likely", "possible")))
    party(None, perpetrator, "alleged_perpetrator", random.choice(("confirmed", "likely")))
    if random.random() < 0.3:
        party(None, world.actors[_skewed(random, len(world.actors))], "target", "possible")

    if random.random() < 0.06:
        for n in range(random.randint(1, 4)):
            victim = base + n
            named = random.random() < 0.6
            rows["incidents_victim"].append((
                victim, _uuid(random), number, [f"U {_name(random)}"] if named else [],
                random.choice((None, 34)), "adult", random.choice(("male", "female")), "civilian",
                "none", "killed", "public_record" if named else None, "",
            ))  # fmt: skip
            rows["incidents_victimclaim"].append((victim, number, victim, random.choice(claims)))
    return rows


def incidents(world: World, numbers: range, codes: list[str]) -> Iterator[Rows]:
    for i, code in zip(numbers, codes, strict=True):
        yield incident(world, i, code)
