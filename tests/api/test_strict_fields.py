"""Fields take a value as it is or refuse it, and a record goes out as it can be sent back."""

from __future__ import annotations

import datetime
import json
import uuid
from collections.abc import Callable
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from rest_framework import serializers

from harmtracker.api import fields, problems
from harmtracker.api.serializers import EvidenceSerializer, StrictListSerializer
from harmtracker.history.acting import acting
from incidents.models import Claim, Incident, Place
from sources.models import Outlet
from tests import builders
from tests.api.example_views import IncidentSerializer, KindsSerializer, OutletSerializer
from tests.clients import Api

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.api.example_views")]

TAKEN: list[tuple[str, str, Any]] = [
    ("text", '" x\\n"', " x\n"),
    ("text", '"\\ud83d\\ude00🕊éo"', "😀🕊éo"),
    ("blank", '""', ""),
    ("nothing", "null", None),
    ("whole", "1", 1),
    ("whole", "9", 9),
    ("number", "1", 1),
    ("number", "1.5", 1.5),
    ("number", "-999.99", -999.99),
    ("number", "1e2", 100),
    ("number", "0.00", 0),
    ("number", "0e5", 0),
    ("flag", "true", True),
    ("flag", "false", False),
    ("maybe", "null", None),
    ("code", '"weak"', "weak"),
    ("codes", "[]", []),
    ("texts", '["a","a"," b "]', ["a", "a", " b "]),
    ("edtf", '"2014-11-19~"', "2014-11-19~"),
    ("edtf", '"2014-11/.."', "2014-11/.."),
    ("time", '"00:00"', "00:00"),
    ("time", '"23:59"', "23:59"),
    ("time", '"14:30:15"', "14:30:15"),
    ("moment", '"2024-03-07T14:30:00+06:30"', "2024-03-07T08:00:00Z"),
    ("moment", '"0001-01-01T00:00:00Z"', "0001-01-01T00:00:00Z"),
    ("moment", '"9999-12-31T23:59:59.999999Z"', "9999-12-31T23:59:59.999999Z"),
    ("url", '"https://example.org/a%20b?x=1&y=%FF#z"', "https://example.org/a%20b?x=1&y=%FF#z"),
    ("url", '"HTTP://EXAMPLE.org:8080"', "HTTP://EXAMPLE.org:8080"),
    ("url", '"https://မြန်မာ.example/သတင်း"', "https://မြန်မာ.example/သတင်း"),
    ("url", '"https://[::1]/@x"', "https://[::1]/@x"),
]


@pytest.mark.parametrize(("name", "written", "read"), TAKEN)
def test_value_is_taken_as_it_is(
    api: Callable[..., Api], name: str, written: str, read: Any
) -> None:
    response = api("researcher").post("/kinds/", raw=f'{{"{name}":{written}}}'.encode())
    assert response.status_code == 200, response.content
    assert response.json()[name] == read
    assert type(response.json()[name]) is type(read)


REFUSED: list[tuple[str, str, str]] = [
    ("text", '""', "cannot be empty"),
    ("text", '"xxxxxx"', "at most 5"),
    ("text", "1", "It is a text"),
    ("text", "true", "It is a text"),
    ("text", "null", "cannot be null"),
    ("text", '["x"]', "It is a text"),
    ("nothing", '""', "give null"),
    ("whole", "0", "from 1 to 9"),
    ("whole", "10", "from 1 to 9"),
    ("whole", "3.0", "from 1 to 9"),
    ("whole", "3e0", "from 1 to 9"),
    ("whole", '"3"', "from 1 to 9"),
    ("whole", "true", "from 1 to 9"),
    ("whole", "null", "cannot be null"),
    ("number", "1.005", "at most 2 decimals"),
    ("number", "1.000", "at most 2 decimals"),
    ("number", "1e-3", "at most 2 decimals"),
    ("number", "1000", "at most 3 digits"),
    ("number", "1e3", "at most 3 digits"),
    ("number", "1e300", "at most 3 digits"),
    ("number", '"1"', "It is a number"),
    ("number", "false", "It is a number"),
    ("flag", "0", "true or false"),
    ("flag", '"true"', "true or false"),
    ("flag", "null", "cannot be null"),
    ("maybe", '""', "true or false"),
    ("code", '"Weak"', "No such code"),
    ("code", '""', "No such code"),
    ("code", "3", "A code is a text"),
    ("code", "[]", "A code is a text"),
    ("codes", '"x"', "It is a list"),
    ("codes", "{}", "It is a list"),
    ("texts", '["aaaa"]', "at most 3"),
    ("texts", '[""]', "cannot be empty"),
    ("texts", "[null]", "cannot be null"),
    ("texts", json.dumps(["a"] * 201), "at most 200 items"),
    ("edtf", '"yesterday"', "is not a date as EDTF"),
    ("edtf", '""', "cannot be empty"),
    ("edtf", '"2014-02-30"', "is not a date"),
    ("edtf", '"0000"', "is not a date"),
    ("edtf", '"2014-11-19 "', "is not a date"),
    ("edtf", json.dumps("[" + "2014," * 100 + "2014]"), "at most 120"),
    ("time", '"24:00"', "HH:MM"),
    ("time", '"9:00"', "HH:MM"),
    ("time", '"09:00Z"', "HH:MM"),
    ("time", '"09:00\\n"', "HH:MM"),
    ("time", "900", "HH:MM"),
    ("moment", '"2024-03-07T14:30:00"', "with its offset"),
    ("moment", '"2024-03-07 14:30:00Z"', "with its offset"),
    ("moment", '"2024-02-30T14:30:00Z"', "with its offset"),
    ("moment", '"2024-03-07T14:30:60Z"', "with its offset"),
    ("moment", '"2024-03-07T14:30:00+25:00"', "with its offset"),
    ("moment", '"0000-01-01T00:00:00Z"', "with its offset"),
    ("moment", '"0001-01-01T00:00:00+06:30"', "with its offset"),
    ("moment", '"9999-12-31T23:59:59-01:00"', "with its offset"),
    ("moment", "1709800000", "with its offset"),
    ("url", '"example.org"', "begins with http"),
    ("url", '"ftp://example.org/"', "begins with http"),
    ("url", '"javascript:alert(1)"', "begins with http"),
    ("url", '"https://"', "begins with http"),
    ("url", '"https:///path"', "begins with http"),
    ("url", '"https://:80/"', "begins with http"),
    ("url", '"https://example.org:x/"', "begins with http"),
    ("url", '"https://example.org:99999/"', "begins with http"),
    ("url", '"https://[::1/"', "begins with http"),
    ("url", '"https://a\\\\b/"', "begins with http"),
    ("url", '"https://me:secret@example.org/"', "no name or password"),
    ("url", '"https://me@example.org/"', "no name or password"),
    ("url", '" https://example.org/"', "no spaces"),
    ("url", '"https://example.org/a b"', "no spaces"),
    ("url", '"https://example.org/\\u00a0"', "no spaces"),
    ("url", '"https://example.org/\\r\\nX: y"', "no spaces"),
    ("url", json.dumps("https://example.org/" + "x" * 2000), "at most 2000"),
]


@pytest.mark.parametrize(("name", "written", "message"), REFUSED)
def test_value_is_refused_and_never_mended(
    api: Callable[..., Api], name: str, written: str, message: str
) -> None:
    response = api("researcher").post("/kinds/", raw=f'{{"{name}":{written}}}'.encode())
    assert response.status_code == 400
    assert len(response.content) < 2000
    (error,) = response.json()["errors"]
    assert error["field"].split("[")[0] == name
    assert message in error["message"]


def _errors(response: Any) -> dict[str, tuple[str, str | None]]:
    assert response.status_code == 400, response.content
    return {e["field"]: (e["message"], e["nearest"]) for e in response.json()["errors"]}


def test_nearest_code_and_field_are_named_however_deep(api: Callable[..., Api]) -> None:
    client = api("researcher")
    errors = _errors(client.post("/kinds/", {"code": "wek", "codes": ["xx"], "whol": 1}))
    assert errors["code"][1] == "weak"
    assert errors["whol"] == ("No such field here.", "whole")
    assert errors["codes[0]"] == ("No such code in the list circumstance.", None)
    article = {"outlet": "gazete", "title": "x", "language": "en", "pubished": "2014"}
    errors = _errors(client.post("/incidents/", {"title": "x", "articles": [article, 3, article]}))
    assert errors["articles[0].pubished"][1] == "published"
    assert errors["articles[1]"] == ("It is an object, in braces.", None)


def test_code_is_not_named_twice(api: Callable[..., Api]) -> None:
    known = next(iter(fields.code_list("circumstance")))
    client = api("researcher")
    assert client.post("/kinds/", {"codes": [known]}).json()["codes"] == [known]
    errors = _errors(client.post("/kinds/", {"codes": [known, known]}))
    assert errors == {"codes": ("It names a code twice.", None)}


class TestReference:
    def test_record_is_named_by_any_of_its_names(self, api: Callable[..., Api]) -> None:
        client = api("researcher")
        place = Place.objects.exclude(pcode=None).first()
        assert place is not None
        for name in (place.slug, str(place.uuid), str(place.uuid).upper(), place.pcode):
            response = client.post("/incidents/", {"title": "x", "place": name})
            assert response.json()["place"] == str(place.uuid)
        assert client.post("/incidents/", {"title": "x", "place": None}).json()["place"] is None

    @pytest.mark.parametrize("bad", [3, True, [], {}, ["laiza"], {"uuid": "x"}])
    def test_name_is_a_text(self, api: Callable[..., Api], bad: Any) -> None:
        errors = _errors(api("researcher").post("/incidents/", {"title": "x", "place": bad}))
        assert "is named by a text" in errors["place"][0]

    def test_nearest_is_named(self, api: Callable[..., Api]) -> None:
        errors = _errors(api("researcher").post("/incidents/", {"title": "x", "place": "liaza"}))
        assert errors["place"] == ("No such place.", "laiza")

    def test_hidden_and_missing_are_refused_with_the_same_bytes(
        self, api: Callable[..., Api], people: SimpleNamespace
    ) -> None:
        with acting(people.researcher):
            hidden = builders.outlet(slug="hidden-witness")
        client = api("researcher")

        def ask(name: str) -> bytes:
            article = {"outlet": name, "title": "x", "language": "en"}
            body = {"title": "x", "articles": [article]}
            response = client.post("/incidents/", body)
            assert response.status_code == 400
            return response.content

        assert ask(str(hidden.uuid)) == ask(str(uuid.uuid4()))
        assert ask("hidden-witness") == ask("hidden-witnesz")
        assert b"hidden" not in ask("hidden-witness")

    def test_very_long_name_is_no_record(self, api: Callable[..., Api]) -> None:
        response = api("researcher").post("/incidents/", {"title": "x", "place": "a" * 900_000})
        assert _errors(response)["place"][0] == "No such place."

    def test_same_name_is_looked_up_once(
        self, api: Callable[..., Api], django_assert_max_num_queries: Any
    ) -> None:
        client = api("researcher")
        outlet = Outlet.objects.first()
        assert outlet is not None
        article = {"outlet": outlet.slug, "title": "x", "language": "en"}
        with django_assert_max_num_queries(6):
            response = client.post("/incidents/", {"title": "x", "articles": [article] * 100})
        assert response.status_code == 200


def _body(instance: Any, serializer: type[EvidenceSerializer] = OutletSerializer) -> dict[str, Any]:
    return dict(json.loads(json.dumps(serializer(instance).data, default=str)))


@pytest.fixture
def outlet(people: SimpleNamespace) -> Outlet:
    with acting(people.researcher):
        return builders.outlet(
            slug="a-paper",
            name=" A  paper\r\n",
            other_names=["é", "e\u0301"],
            country="MMR",
            languages=["my"],
            reliability="B",
        )


class TestRecord:
    def _put(self, client: Api, outlet: Outlet, body: Any, method: str = "PUT") -> Any:
        path = f"/outlets/{outlet.uuid}/"
        tag = client.get(path)["ETag"]
        return client.request(method, path, body, headers={"If-Match": tag})

    def test_what_was_read_can_be_put_back(self, api: Callable[..., Api], outlet: Outlet) -> None:
        client = api("researcher")
        read = client.get(f"/outlets/{outlet.uuid}/")
        response = self._put(client, outlet, read.json())
        assert response.status_code == 200, response.content
        assert response.content == read.content
        assert response["ETag"] == read["ETag"]

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("uuid", "00000000-0000-0000-0000-000000000000"),
            ("uuid", None),
            ("letters", {"count": 1, "half": 0.5}),
            ("letters", {"count": True}),
            ("letters", None),
        ],
    )
    def test_what_is_not_set_by_hand_cannot_be_changed(
        self, api: Callable[..., Api], outlet: Outlet, name: str, value: Any
    ) -> None:
        client = api("researcher")
        body = client.get(f"/outlets/{outlet.uuid}/").json() | {name: value}
        for method in ("PUT", "PATCH"):
            errors = _errors(self._put(client, outlet, body, method))
            assert errors == {name: ("This is not set by hand.", None)}

    def test_put_resets_what_is_left_out(self, api: Callable[..., Api], outlet: Outlet) -> None:
        needed = {"slug": "a-paper", "name": "B", "kind": "ngo", "independence_group": "b"}
        response = self._put(api("researcher"), outlet, needed)
        assert response.status_code == 200, response.content
        outlet.refresh_from_db()
        assert outlet.name == "B"
        assert (outlet.other_names, outlet.country, outlet.languages) == ([], None, [])
        assert outlet.reliability == "F"

    def test_put_needs_what_has_no_default(self, api: Callable[..., Api], outlet: Outlet) -> None:
        errors = _errors(self._put(api("researcher"), outlet, {"slug": "a-paper"}))
        assert set(errors) == {"name", "kind", "independence_group"}
        assert {message for message, _ in errors.values()} == {"It is needed."}

    def test_patch_leaves_the_rest(self, api: Callable[..., Api], outlet: Outlet) -> None:
        before = _body(outlet)
        response = self._put(api("researcher"), outlet, {"country": None}, "PATCH")
        assert response.json() == before | {"country": None}
        outlet.refresh_from_db()
        assert (outlet.name, outlet.other_names) == (" A  paper\r\n", ["é", "e\u0301"])

    def test_service_names_the_field_of_the_model(
        self, api: Callable[..., Api], outlet: Outlet
    ) -> None:
        response = self._put(api("researcher"), outlet, {"slug": "no slug!"}, "PATCH")
        assert set(_errors(response)) == {"slug"}


class TestMapping:
    """Which field a column of a model is read by."""

    def test_each_kind_of_column_has_its_strict_field(self) -> None:
        built = IncidentSerializer().fields
        kinds = {name: type(field).__name__ for name, field in built.items()}
        assert kinds == {
            "uuid": "UUIDField",
            "code": "Text",
            "state": "Code",
            "title": "Text",
            "summary": "Text",
            "place": "Reference",
            "date_edtf": "Edtf",
            "date_earliest": "DateField",
            "local_time": "Time",
            "latitude": "Number",
            "radius_m": "Whole",
            "point_already_public": "Flag",
            "utc_offset": "Text",
            "circumstances": "Codes",
            "grading": "Code",
            "articles": "StrictListSerializer",
        }
        assert {name for name, field in built.items() if field.read_only} == {
            "uuid",
            "code",
            "state",
            "date_earliest",
        }
        assert {name for name, field in built.items() if field.required} == {"title"}
        assert built["title"].help_text == "What happened, where, when, in a line."

    def test_a_relation_is_declared(self) -> None:
        class Careless(EvidenceSerializer):
            class Meta:
                model = Claim
                fields = ["article"]

        with pytest.raises(TypeError, match="Declare article of Careless as a Reference"):
            _ = Careless().fields

    def test_nothing_is_stored_without_a_service(self, people: SimpleNamespace) -> None:
        serializer = OutletSerializer(data={**_GOOD})
        serializer.is_valid(raise_exception=True)
        with pytest.raises(NotImplementedError):
            serializer.save()
        serializer = OutletSerializer(Outlet(), data={**_GOOD})
        serializer.is_valid(raise_exception=True)
        with pytest.raises(NotImplementedError):
            serializer.save()

    def test_numbers_go_out_as_numbers(self) -> None:
        incident = Incident(title="x", latitude=Decimal("24.500000"), radius_m=0)
        shown = IncidentSerializer(incident, context={}).data
        assert (shown["latitude"], shown["radius_m"]) == (24.5, 0)
        assert (
            fields.Number(max_digits=9, decimal_places=6).to_representation(Decimal("97.166667"))
            == 97.166667
        )

    def test_times_and_moments_go_out_whole(self) -> None:
        exact = datetime.time(14, 30, 5, 7)
        assert fields.Time().to_representation(exact) == "14:30:05.000007"
        offset = datetime.timezone(datetime.timedelta(hours=6, minutes=30))
        moment = datetime.datetime(2024, 3, 7, 14, 30, tzinfo=offset)
        assert fields.Moment().to_representation(moment) == "2024-03-07T08:00:00Z"

    def test_fields_are_described(self) -> None:
        described = {name: field.schema() for name, field in KindsSerializer().fields.items()}
        assert described["text"] == {"type": "string", "minLength": 1, "maxLength": 5}
        assert described["whole"] == {"type": "integer", "minimum": 1, "maximum": 9}
        assert described["number"] == {"type": "number", "multipleOf": 0.01}
        assert described["codes"]["uniqueItems"]
        assert described["texts"]["items"] == {"type": "string", "minLength": 1, "maxLength": 3}
        assert "Code list grading." in str(KindsSerializer().fields["code"].help_text)


_GOOD = {"slug": "new", "name": "New", "kind": "local_media", "independence_group": "new"}


class Row(serializers.Serializer):
    text = fields.Text()


class TestLists:
    @pytest.mark.parametrize(
        ("data", "count"),
        [([{"text": 1}] * 400, 5), ([{"text": "x"}] * 501, 1), ({}, 1), ("x", 1), (None, 1)],
    )
    def test_list_that_is_wrong_is_refused_early(self, data: Any, count: int) -> None:
        rows = StrictListSerializer(child=Row(), data=data)
        with pytest.raises(serializers.ValidationError) as caught:
            rows.is_valid(raise_exception=True)
        assert len(problems.of(caught.value).errors) == count

    def test_empty_list_may_be_refused(self) -> None:
        rows = StrictListSerializer(child=Row(), data=[], allow_empty=False)
        assert not rows.is_valid()
        assert StrictListSerializer(child=Row(), data=[]).is_valid()


def test_answer_stays_below_2_kB_whatever_is_echoed(api: Callable[..., Api]) -> None:
    body = {"🕊" * i: "x" for i in range(100, 120)} | {"edtf": "\U000e0001" * 120}
    response = api("researcher").post("/kinds/", body)
    assert len(response.content) < 2000
    assert len(response.json()["errors"]) == 5
