"""What every filter of incidents finds and does not find: the three incidents and three more."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from pytest_django.plugin import DjangoDbBlocker

from harmtracker.history.acting import acting
from incidents.api.public.filters import IncidentFilters
from incidents.api.public.values import EARTH_KM, Point, around
from incidents.choices import State
from incidents.models import Actor, Dataset, Incident, Place, PublishedReference
from sources.models import Article
from tests import builders, database
from tests.conftest import people_by_name
from tests.laying import renew_database

CADETS, CAMP, WARD = "MMR-2014-0001", "MMR-2023-0001", "MMR-2024-0001"
FIJI, POLE, PRISON = "FJI-2021-0001", "MMR-2020-0001", "MMR-2022-0001"
EVERY = [WARD, CAMP, PRISON, FIJI, POLE, CADETS]
ADDRESS = "https://example.org/news?id=7&lang=my#top"
COPY = "https://copies.example.org/7"


def _publish(people: Any, *, counts: list[dict[str, Any]], **fields: Any) -> Incident:
    parts = {name: fields.pop(name, []) for name in ("weapons", "actors", "victims")}
    further, article = fields.pop("further", []), fields.pop("article", None)
    dataset, kind = fields.pop("dataset", None), fields.pop("kind", "report")
    with acting(people.researcher, "Entered for a test"):
        incident = builders.incident(author=people.researcher, **fields)
        claim = builders.claim(incident, article=article or builders.article(), kind=kind)
        for count in counts:
            row = builders.count(incident, **count)
            bound = next(name for name in ("best", "min", "max") if count.get(name, 2) is not None)
            builders.basis(incident, count=row, claim=claim, bound=bound)
        for weapon in parts["weapons"]:
            builders.weapon_use(incident, **weapon)
        for actor in parts["actors"]:
            builders.involvement(incident, **actor)
        for victim in parts["victims"]:
            builders.victim(incident, **victim)
        for place in further:
            builders.further_place(incident, place=place)
        if dataset:
            builders.external_id(incident, dataset=dataset)
    return builders.take_to(incident, State.PUBLISHED, people)


def _enter() -> None:
    people = people_by_name()
    army, kia = Actor.objects.get(slug="myanmar-army"), Actor.objects.get(slug="kia")
    with acting(people.researcher, "Entered for a test"):
        fiji = builders.place(
            level="country", country="FJI", pcode="FJI", name="Fiji", slug="fji", parent=None
        )
        reef = builders.place(parent=fiji, country="FJI", name="Reef", slug="reef")
        article = builders.article(url=ADDRESS, copy_url=COPY)
    kachin = Place.objects.get(slug="mmr001")
    _publish(
        people,
        title="Boat sunk near the reef",
        date_edtf="2021-03",
        place=reef,
        latitude="-17.000000",
        longitude="179.950000",
        point_basis="source",
        place_precision="site",
        further=[Place.objects.get(slug="laiza")],
        record_type="aggregate_count",
        harm_reported="no",
        circumstances=["accident", "raid"],
        weapons=[{"weapon_id": "SAL-RIF", "platform": "naval"}, {"weapon_id": "EXG-MOR"}],
        actors=[{"actor": kia, "role": "target", "certainty": "confirmed"}],
        counts=[
            {
                "role": "journalist",
                "sex": "female",
                "age_group": "infant",
                "min": 5,
                "best": None,
                "max": None,
                "qualifier": "at_least",
            }
        ],
        victims=[{"consent_basis": "public_record", "names": ["Adi Saṅkhā"]}],
        article=article,
    )
    _publish(
        people,
        title="Raid in the snow",
        date_edtf="2020-01-01",
        place=kachin,
        latitude="89.900000",
        longitude="10.000000",
        point_basis="source",
        place_precision="site",
        circumstances=["raid"],
        weapons=[{"weapon_id": "EXA-BOM", "platform": "helicopter"}],
        actors=[
            {"actor": army, "role": "alleged_perpetrator", "certainty": "likely"},
            {"actor": kia, "role": "other_party", "certainty": "denied"},
        ],
        counts=[
            {"age_group": "elderly", "affiliation": None},
            {"status": "armed_group", "affiliation": kia, "sex": "male"},
        ],
        dataset=Dataset.objects.get(slug="harmtracker"),
    )
    _publish(
        people,
        title="People's prison",
        summary="ကချင်ပြည်နယ်ရှိ ထောင်တစ်ခု၊ ၂၀၂၂",
        date_edtf="2022-05-05",
        place=kachin,
        circumstances=["custody"],
        harm_reported="yes",
        grading="weak",
        weapons=[{"weapon_id": "OBJ-BLU", "platform": "person"}],
        actors=[],
        counts=[
            {"outcome": "detained", "min": 0, "best": 0, "max": 0},
            {"sex": "female", "age_group": "adult"},
            {"sex": "male", "age_group": "child"},
        ],
    )


@pytest.fixture(scope="module", autouse=True)
def _six(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    with django_db_blocker.unblock():
        _enter()
        yield
        database.connections.close_all()
        renew_database()


def codes(client: Client, query: str) -> list[str]:
    response = client.get(f"/api/v1/incidents/?{query}")
    assert response.status_code == 200, response.content
    return [row["code"] for row in response.json()["results"]]


def _id(name: str, kind: str = "actor") -> str:
    return PublishedReference.objects.using("published").get(kind=kind, name=name).key


ARMY, KIA = "{Myanmar army}", "{Kachin Independence Army}"
# Query, what it finds. A name in braces stands for the actor's id.
FOUND = [
    ("", EVERY),
    ("place=FJI", [FIJI]),
    ("place=MMR001", EVERY),
    ("not_place=FJI", [WARD, CAMP, PRISON, POLE, CADETS]),
    ("not_place=MMR", []),
    ("further_place=MMR001", [FIJI]),
    ("further_place=FJI", []),
    ("country=FJI", [FIJI]),
    ("country=MMR", EVERY),
    ("country=THA", []),
    ("not_country=FJI", [WARD, CAMP, PRISON, POLE, CADETS]),
    ("bbox=179,-18,-179,-16", [FIJI]),
    ("bbox=-180,80,180,90", [POLE]),
    ("bbox=0,-1,1,1", []),
    # Across the antimeridian, 11 km away.
    ("near=-17,-179.95,11", [FIJI]),
    ("near=-17,-179.95,10", []),
    # Across the pole: 22.24 km.
    ("near=89.9,-170,23", [POLE]),
    ("near=89.9,-170,22", []),
    ("near=90,0,11.2", [POLE]),
    ("near=24.767,97.559,5", [WARD, CAMP, CADETS]),
    ("near=24.767,97.559,0.5", [WARD]),
    ("near=0,0,20000", [WARD, CAMP, FIJI, POLE, CADETS]),
    ("near=0,0,100", []),
    ("weapon=SAL", [FIJI]),
    ("weapon=SAL-RIF&weapon=OBJ", [PRISON, FIJI]),
    ("weapon=ACC", []),
    ("not_weapon=EXG", [PRISON, POLE]),
    ("not_weapon=EXG&not_weapon=EXA-BOM", [PRISON]),
    ("platform=naval", [FIJI]),
    ("platform=paramotor", []),
    ("not_platform=ground", [PRISON, FIJI, POLE]),
    # One and the same weapon: the mortar was not used from a ship.
    ("weapon=SAL&platform=naval", [FIJI]),
    ("weapon=EXG-MOR&platform=naval", []),
    ("contested_weapon=true", [CAMP]),
    ("contested_weapon=false", [WARD, PRISON, FIJI, POLE, CADETS]),
    ("circumstance=raid", [FIJI, POLE]),
    ("circumstance=accident&circumstance=custody", [PRISON, FIJI]),
    ("circumstance=execution", []),
    ("not_circumstance=raid", [WARD, CAMP, PRISON, CADETS]),
    (f"actor={ARMY}", [WARD, CAMP, POLE, CADETS]),
    (f"actor={KIA}", [FIJI, POLE]),
    (f"not_actor={KIA}", [WARD, CAMP, PRISON, CADETS]),
    (f"actor={KIA}&actor_role=target", [FIJI]),
    (f"actor={KIA}&actor_role=alleged_perpetrator", []),
    (f"actor={ARMY}&actor_certainty=likely", [POLE]),
    # Not by one involvement and another: of the army, none is denied.
    (f"actor={ARMY}&actor_certainty=denied", []),
    (f"actor={ARMY}&actor_role=alleged_perpetrator&actor_certainty=confirmed", [CADETS]),
    (f"actor={ARMY}&actor_role=other_party&actor_certainty=denied", []),
    ("actor_role=target", [FIJI]),
    ("actor_role=claimed_responsibility", []),
    ("actor_role=target&actor_role=other_party", [FIJI, POLE]),
    ("actor_certainty=denied", [POLE]),
    ("actor_role=alleged_perpetrator&actor_certainty=denied", []),
    ("not_actor_role=alleged_perpetrator", [PRISON, FIJI]),
    ("not_actor_certainty=alleged", [PRISON, FIJI, POLE]),
    ("grading=weak", [PRISON, FIJI, POLE]),
    ("grading=confirmed", []),
    ("not_grading=weak", [WARD, CAMP, CADETS]),
    ("not_grading=weak&not_grading=fair", [CAMP, CADETS]),
    ("record_type=aggregate_count", [FIJI]),
    ("not_record_type=aggregate_count", [WARD, CAMP, PRISON, POLE, CADETS]),
    ("harm_reported=no", [FIJI]),
    ("not_harm_reported=yes", [FIJI, POLE, CADETS]),
    ("dataset=harmtracker", [POLE]),
    ("dataset=UCDP+Georeferenced+Event+Dataset", [CAMP, CADETS]),
    # Not redistributable: it does not leave.
    ("dataset=Insecurity+Insight,+SiND", []),
    ("not_dataset=UCDP+Georeferenced+Event+Dataset", [WARD, PRISON, FIJI, POLE]),
    ("outcome=detained", [PRISON]),
    ("outcome=abducted", []),
    ("not_outcome=injured", [PRISON, FIJI, POLE]),
    ("status=armed_group", [CAMP, POLE, CADETS]),
    ("status=disputed", []),
    ("not_status=armed_group", [WARD, PRISON, FIJI]),
    ("role=journalist", [FIJI]),
    ("role=cadet&role=journalist", [FIJI, CADETS]),
    ("role=teacher", []),
    ("not_role=cadet", [WARD, CAMP, PRISON, FIJI, POLE]),
    ("sex=male", [PRISON, POLE]),
    ("not_sex=female", [POLE, CADETS]),
    # An infant is a child, an elderly person an adult.
    ("age_group=child", [WARD, CAMP, PRISON, FIJI]),
    ("age_group=infant", [FIJI]),
    ("age_group=elderly", [POLE]),
    ("age_group=adult", [WARD, CAMP, PRISON, POLE]),
    ("not_age_group=child", [POLE, CADETS]),
    # Of one row: the prison's women are adult and its children male.
    ("sex=female&age_group=child", [FIJI]),
    ("sex=male&age_group=child", [PRISON]),
    ("sex=male&age_group=adult", []),
    ("sex=female&age_group=child&role=journalist", [FIJI]),
    ("sex=female&age_group=child&role=journalist&outcome=injured", []),
    ("status=armed_group&outcome=injured", [CAMP, CADETS]),
    ("status=armed_group&sex=all&outcome=killed", [CAMP, CADETS]),
    ("status=armed_group&sex=male", [POLE]),
    (f"affiliation={KIA}", [POLE]),
    (f"affiliation={ARMY}", []),
    (f"not_affiliation={KIA}", [WARD, CAMP, PRISON, FIJI, CADETS]),
    (f"affiliation={KIA}&status=armed_group", [POLE]),
    (f"affiliation={KIA}&status=civilian", []),
    ("killed_civilian_min__gte=5", [CAMP, FIJI]),
    # Not known is neither small nor large: of parts alone there is no maximum.
    ("killed_civilian_max__gte=0", [WARD, CAMP, CADETS]),
    ("killed_civilian_max__lte=2147483647", [WARD, CAMP, CADETS]),
    ("detained_civilian_max__lte=0", [PRISON]),
    ("detained_civilian_min__gte=1", []),
    ("has_victims=true", [WARD, CAMP, FIJI]),
    ("has_victims=false", [PRISON, POLE, CADETS]),
    ("has_denial=true", [CAMP]),
    ("has_denial=false", [WARD, PRISON, FIJI, POLE, CADETS]),
    ("independent_sources__gte=2", [WARD, CAMP, CADETS]),
    ("independent_sources__gte=10000", []),
    ("article_url=https%3A%2F%2Fexample.org%2Fnews%3Fid%3D7%26lang%3Dmy%23top", [FIJI]),
    (f"article_url={COPY}", [FIJI]),
    # Byte for byte.
    (f"article_url={COPY}/", []),
    ("published_after=2020-01-01", EVERY),
    ("published_after=2999-01-01", []),
    ("changed_after=2020-01-01T00:00:00Z", EVERY),
    ("changed_after=2999-01-01T00:00:00.5Z", []),
    (f"code={CAMP}", [CAMP]),
    (f"code={CAMP},{POLE}&code={WARD}", [WARD, CAMP, POLE]),
    ("code=MMR-1999-0001", []),
    ("q=reef", [FIJI]),
    # Of a public name, in another spelling.
    ("q=adi+sankha", [FIJI]),
    ("q=Tatmadaw", [WARD, CAMP, POLE, CADETS]),
    ("q=rifle", [FIJI]),
    ("q=people%E2%80%99s+prison", [PRISON]),
    ("q=%22prison+people%22", []),
    ("q=laiza+-reef+-ward", [CAMP, CADETS]),
    ("q=reef+or+prison", [PRISON, FIJI]),
    ("q=Mung-Lai", [CAMP]),
    ("q=%22lai+mung%22", []),
    # Not across the border of two names.
    ("q=%22laiza+lai+zar%22", []),
    # Burmese, inside a run of it; digits in any script.
    ("q=ထောင်", [PRISON]),
    ("q=ကချင်", EVERY),
    ("q=ချင်က", []),
    ("q=လိုင်ဇာ", [WARD, FIJI]),
    ("q=လိုင်", [WARD, FIJI]),
    ("q=2022", [PRISON]),
    ("circumstance=raid&harm_reported=no&weapon=SAL&q=boat", [FIJI]),
]


@pytest.mark.parametrize(("query", "expected"), FOUND, ids=[q or "nothing" for q, _ in FOUND])
def test_filter_finds_these_and_no_others(client: Client, query: str, expected: list[str]) -> None:
    for name in ("Myanmar army", "Kachin Independence Army"):
        query = query.replace(f"{{{name}}}", _id(name) if name in query else "")
    assert codes(client, query) == expected


def test_every_filter_both_finds_and_does_not_find() -> None:
    """But the counts, of which a table of their own says that there are 180."""
    by_name: dict[str, set[bool]] = {}
    for query, expected in FOUND:
        for part in filter(None, query.split("&")):
            by_name.setdefault(part.split("=")[0], set()).add(0 < len(expected) < len(EVERY))
    own = set(IncidentFilters.base_filters) - {"date_from", "date_to", "date_match", "outlet"}
    names = {name for name in own if "__lte" not in name and "__gte" not in name}
    assert names - by_name.keys() == {"not_outlet"}
    assert all(
        True in by_name[name]
        for name in names - {"not_outlet"} - {"published_after"} - {"changed_after"}
    )


def test_outlet_is_found_by_what_it_carried_and_where_it_speaks(client: Client) -> None:
    article = Article.objects.get(url=ADDRESS)
    outlet = article.outlet.uuid
    assert codes(client, f"outlet={outlet}") == [FIJI]
    assert FIJI not in codes(client, f"not_outlet={outlet}")
    assert len(codes(client, f"not_outlet={outlet}")) == len(EVERY) - 1


def test_moments_of_publication_and_of_change_are_those_of_the_versions(client: Client) -> None:
    at = client.get(f"/api/v1/incidents/{FIJI}/").json()["published_at"]
    assert codes(client, f"published_after={at}") == [PRISON, POLE]
    assert codes(client, f"changed_after={at}") == [PRISON, POLE]


REFUSED = [  # query, parameter, nearest
    ("platform=hellicopter", "platform", "helicopter"),
    ("not_platform=x", "not_platform", None),
    ("circumstance=custdy", "circumstance", "custody"),
    ("actor_role=perpetrator", "actor_role", "alleged_perpetrator"),
    ("actor_certainty=likly", "actor_certainty", "likely"),
    ("not_grading=contestd", "not_grading", "contested"),
    ("not_gradin=weak", "not_gradin", "not_grading"),
    ("status=civillian", "status", "civilian"),
    ("role=jurnalist", "role", "journalist"),
    ("sex=femal", "sex", "female"),
    ("age_group=children", "age_group", "child"),
    ("outcome=kiled", "outcome", "killed"),
    ("affiliation=kia", "affiliation", None),
    ("country=mmr", "country", None),
    ("country=Myanmar", "country", None),
    ("near=24,97", "near", None),
    ("near=91,0,1", "near", None),
    ("near=0,181,1", "near", None),
    ("near=0,0,0", "near", None),
    ("near=0,0,20001", "near", None),
    ("near=0,0,-1", "near", None),
    ("near=nan,0,1", "near", None),
    ("near=0,0,1&near=1,1,1", "near", None),
    ("has_victims=yes", "has_victims", None),
    ("has_denial=1", "has_denial", None),
    ("contested_weapon=True", "contested_weapon", "true"),
    ("independent_sources__gte=-1", "independent_sources__gte", None),
    ("independent_sources__gt=1", "independent_sources__gt", "independent_sources__gte"),
    ("outlet=Reuters", "outlet", None),
    ("article_url=" + "a" * 2001, "article_url", None),
    ("published_after=2024-02-30", "published_after", None),
    ("published_after=2024-02-03T25:00:00Z", "published_after", None),
    ("published_after=2024-02-03T10:00:00", "published_after", None),
    ("changed_after=2024-02-03T10:00:00%2B06:30", "changed_after", None),
    ("changed_afer=2024-02-03", "changed_afer", "changed_after"),
    ("code=MMR-2023", "code", None),
    ("code=MMR-2023-0001,", "code", None),
    ("further_place=laiza", "further_place", None),
    ("q=-reef", "q", None),
    ("q=reef+or+-boat", "q", None),
    ("q=%22a+b+c+d+e%22+f+g+h+i", "q", None),
]


@pytest.mark.parametrize(
    ("query", "parameter", "nearest"), REFUSED, ids=[r[0][:40] for r in REFUSED]
)
def test_filter_refuses(client: Client, query: str, parameter: str, nearest: str | None) -> None:
    response = client.get(f"/api/v1/incidents/?{query}")
    assert response.status_code == 400
    error = response.json()["errors"][0]
    assert error["field"] == parameter
    if nearest is not None:
        assert error["nearest"] == nearest


def test_every_enum_has_its_twin_that_drops() -> None:
    filters = IncidentFilters.base_filters
    enums = {name for name, item in filters.items() if "enum" in item.kind.schema}
    enums -= {"date_match"} | {name for name in enums if name.startswith("not_")}
    assert enums <= {name.removeprefix("not_") for name in filters if name.startswith("not_")}


def _distance(one: tuple[float, float], other: tuple[float, float]) -> float:
    """By the spherical law of cosines: another formula than the filter's."""
    a, b = math.radians(one[0]), math.radians(other[0])
    east = math.radians(other[1] - one[1])
    cosine = math.sin(a) * math.sin(b) + math.cos(a) * math.cos(b) * math.cos(east)
    return EARTH_KM * math.acos(max(-1, min(1, cosine)))


@pytest.mark.parametrize("latitude", [-90, -89.99, -60, 0, 24.7, 80, 89.95, 90])
@pytest.mark.parametrize("longitude", [-180, -179.9, 0, 97.5, 180])
@pytest.mark.parametrize("km", [1, 50, 1000, 9000, 11000, 20000])
def test_the_box_around_a_point_leaves_nothing_out(
    latitude: float, longitude: float, km: float
) -> None:
    box = around(Point(latitude, longitude, km))
    for north in (-90, -89.99, -89, -45.5, 0, 24.3, 60, 88.8, 89.99, 90):
        for east in (-180, -179.99, -90.5, 0, 97, 120, 179.99, 180):
            if _distance((latitude, longitude), (north, east)) > km or box is None:
                continue
            within = box.west <= east <= box.east
            if box.west > box.east:
                within = east >= box.west or east <= box.east
            assert within, (box, north, east)
            assert box.south <= north <= box.north
