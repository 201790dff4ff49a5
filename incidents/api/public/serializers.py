"""The shape of what is published, for the API's description.

Documents are served as they are stored; nothing is built from these classes. A test holds them
to what the documents of the three incidents have.
"""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field, inline_serializer
from rest_framework import serializers

from incidents.choices import ChangeKind


def string(help_text: str, **kwargs: Any) -> serializers.CharField:
    return serializers.CharField(help_text=help_text, **kwargs)


def coded(code_list: str, help_text: str, **kwargs: Any) -> serializers.CharField:
    return serializers.CharField(help_text=f"{help_text} Code list {code_list}.", **kwargs)


def whole(help_text: str, **kwargs: Any) -> serializers.IntegerField:
    return serializers.IntegerField(help_text=help_text, **kwargs)


def words(help_text: str, **kwargs: Any) -> serializers.CharField:
    """A text that a redaction may have taken out: then it is NULL."""
    return serializers.CharField(help_text=help_text, allow_null=True, **kwargs)


def strings(help_text: str) -> serializers.ListField:
    return serializers.ListField(child=serializers.CharField(), help_text=help_text)


def names(help_text: str, **kwargs: Any) -> serializers.ListField:
    """Texts of which a redaction may have taken out each: then it is NULL."""
    child = serializers.CharField(allow_null=True)
    return serializers.ListField(child=child, help_text=help_text, **kwargs)


PERSONS = "NULL is not known, which is not 0."
NONCE = "32 random bytes, base64url. NULL: values were taken out, and it with them."


class DateSerializer(serializers.Serializer):
    edtf = string("The date as EDTF (ISO 8601-2), with its uncertainty.", allow_null=True)
    earliest = serializers.DateField(
        allow_null=True, help_text="First day it can have been. NULL: not known, or open."
    )
    latest = serializers.DateField(
        allow_null=True, help_text="Last day it can have been. NULL: not known, or open."
    )
    precision = coded("date_precision", "How far the two lie apart.", allow_null=True)
    local_time = string(
        "HH:MM by the clocks of the place, HH:MM:SS where known so.", allow_null=True
    )
    local_time_end = string("End of the window, in the same way.", allow_null=True)
    time_kind = coded("time_kind", "What the time says.")
    utc_offset = string("Offset of the local time, such as +06:30.", allow_null=True)


class PointSerializer(serializers.Serializer):
    latitude = serializers.FloatField(help_text="Degrees north, WGS 84.")
    longitude = serializers.FloatField(help_text="Degrees east, WGS 84.")


class PlaceStepSerializer(serializers.Serializer):
    id = serializers.UUIDField(help_text="Id of the place, the same in all documents.")
    pcode = string("P-code of the United Nations, where it has one.", allow_null=True)
    level = coded("place_level", "What sort of place.")
    name = words("Its name.")
    names = names("Other names and spellings.")


class PlaceReferenceSerializer(PlaceStepSerializer):
    path = PlaceStepSerializer(many=True, help_text="What it lies in, narrowest first.")


class PlaceSerializer(PlaceReferenceSerializer):
    country = string("ISO 3166-1 alpha-3.")
    point = PointSerializer(allow_null=True, help_text="Where it happened. NULL: no point.")
    point_basis = coded("point_basis", "Where the point is from.", allow_null=True)
    point_note = words("How the point was found.")
    precision = coded("place_precision", "How far the point may be trusted.", allow_null=True)
    radius_m = whole("Metres around the point in which it lies.", allow_null=True)
    protected = serializers.BooleanField(help_text="A place that people could be harmed at again.")
    on_grid = serializers.BooleanField(
        help_text="The point is of a grid of 0.1 degrees and not the place itself."
    )


class ActorStepSerializer(serializers.Serializer):
    id = serializers.UUIDField(help_text="Id of the actor, the same in all documents.")
    name = words("Its name.")
    names = names("Other names and spellings.")
    kind = coded("actor_kind", "What sort of actor.")


class ActorSerializer(ActorStepSerializer):
    path = ActorStepSerializer(many=True, help_text="What it is part of, narrowest first.")


class OutletSerializer(serializers.Serializer):
    id = serializers.UUIDField(help_text="Id of the outlet, the same in all documents.")
    name = words("Its name.")
    names = names("Other names and spellings.")
    kind = coded("outlet_kind", "What sort of source.")
    country = string("ISO 3166-1 alpha-3. NULL: of none.", allow_null=True)
    reliability = coded("reliability", "How reliable it has been.")


@extend_schema_field(
    {
        "oneOf": [
            {"type": "boolean", "const": False, "description": "It is kept nowhere."},
            {
                "type": "object",
                "required": ["url", "sha256"],
                "properties": {
                    "url": {
                        "type": ["string", "null"],
                        "description": "Where a public archive holds it.",
                    },
                    "sha256": {
                        "type": "array",
                        "items": {"type": "string"},
                        "description": "SHA-256 of the copies that we hold.",
                    },
                },
            },
        ]
    }
)
class ArchivedField(serializers.Field):
    """False, or where an article is kept."""


class ArticleSerializer(serializers.Serializer):
    id = serializers.UUIDField(help_text="Id of the article, the same in all documents.")
    outlet = OutletSerializer(help_text="Who published it.")
    title = words("Its title.")
    url = string("Its address. NULL: print, radio, a witness, a file.", allow_null=True)
    copy_url = string("The address of another copy of it.", allow_null=True)
    archived = ArchivedField(help_text="Where it is kept; false if nowhere.")
    published = string("When, as EDTF.", allow_null=True)
    language = string("Language tag (BCP 47).", allow_null=True)


class WeaponSerializer(serializers.Serializer):
    code = string("Code of the weapon type, such as EXG-ART.")
    label = string("The term.")  # type: ignore[assignment]
    parent = string("Code of the first level. NULL: it is of the first level.", allow_null=True)  # type: ignore[assignment]
    certainty = coded("certainty", "How sure that is.")
    platform = coded("platform", "What it was fired from.")
    calibre_mm = serializers.FloatField(allow_null=True, help_text="Calibre in millimetres.")
    cluster = serializers.BooleanField(allow_null=True, help_text="Cluster munition.")
    thermobaric = serializers.BooleanField(allow_null=True, help_text="Thermobaric fill.")
    incendiary = serializers.BooleanField(allow_null=True, help_text="Incendiary fill.")
    alternative_group = whole(
        "Rows with the same number are either/or: one of them, never both.", allow_null=True
    )
    reported_text = words("In the words of the sources.")


class InvolvementSerializer(serializers.Serializer):
    actor = ActorSerializer(help_text="Who.")
    role = coded("involvement_role", "As what.")
    certainty = coded("certainty", "How sure that is.")
    alternative_group = whole(
        "Rows with the same number are either/or: one of them, never both.", allow_null=True
    )
    reported_text = words("In the words of the sources.")


class CountSerializer(serializers.Serializer):
    outcome = coded("outcome", "What happened to the persons.")
    status = coded("person_status", "Who they were in relation to the hostilities.")
    bucket = coded("count_bucket", "The total that the status belongs to.")
    role = coded("person_role", "What they did, where it explains the status.")
    sex = coded("sex", "Their sex; all is every one.")
    age_group = coded("age_group", "Their age; all is every one.")
    affiliation = ActorSerializer(allow_null=True, help_text="Whose they were. NULL: of all.")
    min = whole(f"At least so many persons. {PERSONS}", allow_null=True)
    best = whole(f"Most likely so many persons. {PERSONS}", allow_null=True)
    max = whole(f"At most so many persons. {PERSONS}", allow_null=True)
    qualifier = coded("count_qualifier", "How the number was said.")
    reported_text = words("In the words of the sources.")


class BasisSerializer(serializers.Serializer):
    bound = coded("basis_bound", "Which bound the claim sets, or left_out.")
    claim = serializers.UUIDField(help_text="Id of the claim.")
    reason = words("Why.")


class CasualtySerializer(CountSerializer):
    basis = BasisSerializer(many=True, help_text="Which claims set which bound, and why.")


class CasualtySummarySerializer(CountSerializer):
    basis_count = whole("How many claims bear on it.")


class TotalSerializer(serializers.Serializer):
    min = whole(f"At least so many persons. {PERSONS}", allow_null=True)
    best = whole(f"Most likely so many persons. {PERSONS}", allow_null=True)
    max = whole("At most so many persons. NULL: not known, or open.", allow_null=True)
    at_least = serializers.BooleanField(help_text="Open above: there may be more than best.")


class VictimSerializer(serializers.Serializer):
    outcome = coded("outcome", "What happened to the person.")
    status = coded("person_status", "Who the person was in relation to the hostilities.")
    role = coded("person_role", "What the person did.")
    sex = coded("sex", "Their sex.")
    age_group = coded("age_group", "Their age.")
    claims = serializers.ListField(
        child=serializers.UUIDField(),
        required=False,
        help_text="Ids of the claims that speak of the person, where the name may be said: the "
        "article behind a claim may say it.",
    )
    consent_basis = coded("consent_basis", "Why the name may be said.", required=False)
    names = names("Names, where there is a basis of consent to say them.", required=False)
    age = serializers.FloatField(
        required=False, allow_null=True, help_text="Age in years, where the name is said."
    )


class SpeakerSerializer(serializers.Serializer):
    """An outlet or an actor: whose claim it is, whoever carries it."""

    type = serializers.ChoiceField(["outlet", "actor"], help_text="Which of the two.")
    id = serializers.UUIDField(help_text="Id of the outlet or actor.")
    name = words("Its name.")
    names = names("Other names and spellings.")
    kind = string("What sort: code list outlet_kind or actor_kind.")
    country = string("Of an outlet: ISO 3166-1 alpha-3.", required=False, allow_null=True)
    reliability = coded("reliability", "Of an outlet: how reliable.", required=False)
    path = ActorStepSerializer(
        many=True, required=False, help_text="Of an actor: what it is part of, narrowest first."
    )
    independence_group = string(
        "Speakers with the same one draw on each other and count as one source.", allow_null=True
    )
    speaker = words("Who spoke for it.")


class ClaimSerializer(serializers.Serializer):
    """What one source says, in its own words and numbers."""

    id = serializers.UUIDField(help_text="Id of the claim, the same in all versions.")
    article = ArticleSerializer(help_text="Where it says so.")
    attributed_to = SpeakerSerializer(help_text="Who says so.")
    kind = coded("claim_kind", "Report, admission, denial or finding.")
    credibility = coded("credibility", "How credible the claim is.")
    paraphrase = words("What it says, in our words.")
    quotation = words("What it says, in its own words.")
    locator = words("Where in the article: page, minute, paragraph.")
    date = words("The date it gives.")
    time = words("The time it gives.")
    place = words("The place it gives.")
    point = PointSerializer(allow_null=True, help_text="The point it gives.")
    note = words("What a reader should know of it.")
    counts = CountSerializer(many=True, help_text="The numbers it gives.")
    weapons = WeaponSerializer(many=True, help_text="The weapons it names.")
    involvement = InvolvementSerializer(many=True, help_text="Whom it names.")


class GradingSerializer(serializers.Serializer):
    code = coded("grading", "How well the harm is established.")
    rationale = words("Why.")
    independent_sources = whole("How many independent voices report the harm.")


class LinkSerializer(serializers.Serializer):
    kind = coded("link_kind", "How the two belong together.")
    code = string("Code of the other incident.")


class ExternalIdSerializer(serializers.Serializer):
    dataset = words("Another dataset.")
    value = words("What the incident is called there.")


class LicenceSerializer(serializers.Serializer):
    name = words("The licence.")
    url = words("Its text.")
    attribution = words("Whom to name.")


class RedactionSerializer(serializers.Serializer):
    """A value that was taken out: NULL stands where it was."""

    path = serializers.ListField(
        child=serializers.JSONField(), help_text="Where it was: keys, and positions from 0."
    )
    digest = string("What it was committed to as: tells nothing without its salt.")
    reason = string("Why it was taken out.")


class StampSerializer(serializers.Serializer):
    """What publishing adds to the content."""

    shape = whole("Version of the document's own shape.")
    record_type = coded("record_type", "An incident, or a count over several.")
    code = string("The record's code, which never changes.")
    version = whole("1, 2, 3 ... of this code.")
    published_at = serializers.DateTimeField(help_text="When this version was published (UTC).")
    previous_version = whole("The version before. NULL: this is the first.", allow_null=True)
    note = words("What changed, or why it was retracted.")
    cite = words("How to cite this version.")
    redactions = RedactionSerializer(
        many=True, required=False, help_text="Values that were taken out after it was published."
    )


class ContentSerializer(StampSerializer):
    """What list and document have in common."""

    title = words("Title.")
    summary = words("What happened, in a few sentences.")
    date = DateSerializer(help_text="When.")
    place = PlaceSerializer(allow_null=True, help_text="Where.")
    further_places = PlaceReferenceSerializer(many=True, help_text="Other places it touched.")
    circumstances = strings("What kind of event. Code list circumstance.")
    harm_reported = coded("harm_reported", "Whether any source reports harm to civilians.")
    weapons = WeaponSerializer(many=True, help_text="Means of harm, as we assess it.")
    involvement = InvolvementSerializer(many=True, help_text="Actors, as we assess it.")
    totals = serializers.DictField(
        child=serializers.DictField(child=TotalSerializer()),
        help_text="Outcome, then bucket (code lists outcome and count_bucket): how many persons. "
        "An outcome that nobody reports is absent. Buckets are never added up.",
    )
    victims = VictimSerializer(many=True, help_text="Persons of whom something is known.")
    grading = GradingSerializer(help_text="How well it is established.")
    links = LinkSerializer(many=True, help_text="Incidents it belongs together with.")
    merged_from = serializers.ListField(
        child=serializers.CharField(),
        required=False,
        help_text="Codes of the records that were merged into this one.",
    )
    external_ids = ExternalIdSerializer(many=True, help_text="What others call it.")
    licence = LicenceSerializer(help_text="On what terms it may be used.")


class IncidentSummarySerializer(ContentSerializer):
    """A record in lists: the document without claims."""

    casualties = CasualtySummarySerializer(many=True, help_text="Counts, as we assess them.")
    claim_count = whole("How many claims the document has.")


class IncidentDocumentSerializer(ContentSerializer):
    """A record as it was published: our assessment, and every claim that it rests on."""

    nonce = words(NONCE, required=False)
    casualties = CasualtySerializer(many=True, help_text="Counts, as we assess them.")
    claims = ClaimSerializer(many=True, help_text="What each source says.")


class TombstoneSerializer(StampSerializer):
    """What is left of a record that was withdrawn."""

    nonce = words(NONCE, required=False)
    retracted = serializers.BooleanField(help_text="Always true.")


class MergedSerializer(StampSerializer):
    """What is left of a record that was merged into another."""

    nonce = words(NONCE, required=False)
    merged_into = string("Code of the record that holds its claims and victims now.")


class MovedSerializer(serializers.Serializer):
    """Where a record went. The header Location says the same."""

    code = string("Code of the record.")
    merged_into = string("Code of the record that holds its claims and victims now.")
    url = serializers.URLField(help_text="That record, which may lead on to another.")
    versions = serializers.URLField(help_text="The versions of this one, which stay.")


class PageSerializer(serializers.Serializer):
    count = whole("Rows found in all; with count=true alone.", required=False)
    next = serializers.URLField(allow_null=True, help_text="The next page.")
    position = whole("Ledger position whose state this is; a cursor stays with it.")
    previous = serializers.URLField(allow_null=True, help_text="The page before.")


class ColumnSerializer(serializers.Serializer):
    name = string("Name of the column, the same in every format.")
    type = string("What it holds: text, code, whole number, number, true or false, day, moment.")
    unit = string("In which unit; empty where it has none.")
    meaning = string("What it means.")
    hxl = string("Its HXL tag; empty where it has none.")


class ColumnsOfListSerializer(serializers.Serializer):
    list = string("Which list.")
    columns = ColumnSerializer(many=True, help_text="Its columns in order.")


class ColumnsSerializer(serializers.Serializer):
    results = ColumnsOfListSerializer(many=True, help_text="The lists.")


class IncidentPageSerializer(PageSerializer):
    results = IncidentSummarySerializer(many=True, help_text="The incidents.")


class IncidentDocumentPageSerializer(PageSerializer):
    results = IncidentDocumentSerializer(many=True, help_text="The incidents.")


class PlacePageSerializer(PageSerializer):
    results = PlaceReferenceSerializer(many=True, help_text="The places.")


class ActorPageSerializer(PageSerializer):
    results = ActorSerializer(many=True, help_text="The actors.")


class OutletPageSerializer(PageSerializer):
    results = OutletSerializer(many=True, help_text="The outlets.")


class ArticlePageSerializer(PageSerializer):
    results = ArticleSerializer(many=True, help_text="The articles.")


class VersionSerializer(serializers.Serializer):
    version = whole("1, 2, 3 ... of this code.")
    kind = serializers.ChoiceField(["published", "retracted", "merged"], help_text="What was done.")
    published_at = serializers.DateTimeField(help_text="When (UTC).")
    note = string("What changed, or why it was retracted.")
    sha256 = string("SHA-256 of the document, which is also its ETag.")
    url = serializers.URLField(help_text="The document as it was.")


class VersionsSerializer(serializers.Serializer):
    code = string("The record's code.")
    results = VersionSerializer(many=True, help_text="Its versions, the first one first.")


class WeaponTypeSerializer(serializers.Serializer):
    code = string("Such as EXG or EXG-ART.")
    label = string("The term.")  # type: ignore[assignment]
    definition = string("What it takes in.")
    parent = string("Code of the first level. NULL: it is of the first level.", allow_null=True)  # type: ignore[assignment]
    sdg_cause = whole("Cause of death in SDG indicator 16.1.2, 1 to 11.", allow_null=True)
    acled_sub_event = string("ACLED's sub-event.", allow_null=True)
    wide_area = serializers.BooleanField(
        allow_null=True, help_text="Whether wide-area effects are likely."
    )


class WeaponTypesSerializer(serializers.Serializer):
    results = WeaponTypeSerializer(many=True, help_text="Weapon types by code.")


class ListedCodeSerializer(serializers.Serializer):
    code = string("The code as documents hold it.")
    label = string("The term of the field.")  # type: ignore[assignment]
    definition = string("What the code means.")
    parent = string("The wider code that takes it in.", allow_null=True)  # type: ignore[assignment]
    mappings = serializers.DictField(help_text="What others call it, and what it belongs to.")


class CodeListSerializer(serializers.Serializer):
    list = string("Name of the list.")
    codes = ListedCodeSerializer(many=True, help_text="Its codes, in order.")


class CodeListLinkSerializer(serializers.Serializer):
    list = string("Name of the list.")
    count = whole("How many codes it has.")
    url = serializers.URLField(help_text="The list.")


class CodeListsSerializer(serializers.Serializer):
    results = CodeListLinkSerializer(many=True, help_text="The lists by name.")


class RootSerializer(serializers.Serializer):
    name = string("What this is.")
    description = string("What it holds.")
    software_version = string("Version of the software.")
    position = whole("How many ledger entries there are: what changed last.")
    licence = LicenceSerializer(help_text="On what terms the data may be used.")
    links = serializers.DictField(child=serializers.URLField(), help_text="Where everything is.")


def _before_and_after(
    of: type[serializers.Serializer] | None, what: str
) -> dict[str, serializers.Field]:
    """The fields ``from`` and ``to``, of which the first is no name in Python."""
    told = {"from": f"{what} before. NULL: there was none.", "to": f"{what} after. NULL: none."}
    return {
        name: serializers.JSONField(allow_null=True, help_text=text)
        if of is None
        else of(allow_null=True, help_text=text)
        for name, text in told.items()
    }


class BoundsSerializer(serializers.Serializer):
    min = whole(f"At least so many persons. {PERSONS}", allow_null=True)
    best = whole(f"Most likely so many persons. {PERSONS}", allow_null=True)
    max = whole(f"At most so many persons. {PERSONS}", allow_null=True)
    qualifier = coded("count_qualifier", "How the number was said.")


def _shape(name: str, fields: dict[str, serializers.Field]) -> Any:
    """A serializer with fields that cannot be written as names of a class, such as ``from``."""
    return type(inline_serializer(name, fields))


MovedTotalSerializer = _shape(
    "MovedTotal",
    {
        "outcome": coded("outcome", "What happened to the persons."),
        "bucket": coded("count_bucket", "Which total."),
        **_before_and_after(TotalSerializer, "The total"),
    },
)
MovedRowSerializer = _shape(
    "MovedRow",
    {
        "outcome": coded("outcome", "What happened to the persons."),
        "status": coded("person_status", "Who they were."),
        "role": coded("person_role", "What they did."),
        "sex": coded("sex", "Their sex."),
        "age_group": coded("age_group", "Their age."),
        "affiliation": string("Id of the actor whose they were. Empty: of all."),
        **_before_and_after(BoundsSerializer, "The row"),
    },
)
MovedValueSerializer = _shape(
    "MovedValue",
    {
        "name": string("Which value: grading, date, place ..."),
        **_before_and_after(None, "The value"),
    },
)


def _moved_fields(*, required: bool) -> dict[str, serializers.Field]:
    """What differs between two documents of a record, as both the list and the difference say."""

    def ids(help_text: str) -> serializers.ListField:
        return serializers.ListField(
            child=serializers.UUIDField(), required=required, help_text=help_text
        )

    return {
        "figures": MovedTotalSerializer(
            many=True,
            required=required,
            help_text="Totals that moved. Of a new record all, from NULL; of one that is gone all, "
            "to NULL.",
        ),
        "rows": MovedRowSerializer(
            many=True, required=required, help_text="Assessed count rows that moved."
        ),
        "values": MovedValueSerializer(
            many=True,
            required=required,
            help_text="Other values that moved. A name that was taken out is NULL.",
        ),
        "claims_added": ids("Ids of claims that came."),
        "claims_removed": ids("Ids of claims that went."),
        "claims_changed": ids("Ids of claims that say something else."),
        "changed": serializers.ListField(
            child=serializers.CharField(),
            required=required,
            help_text="Every top-level key that differs, texts too.",
        ),
    }


def _change_fields() -> dict[str, serializers.Field]:
    return {
        "seq": whole("Position in the ledger."),
        "at": serializers.DateTimeField(help_text="When (UTC)."),
        "kind": serializers.ChoiceField(ChangeKind.choices, help_text="What was done."),
        "code": string("To which record."),
        "version": whole("The version that came of it; of redacted, the one that was cut."),
        "title": words("Of the record, then.", required=False),
        "note": words("What changed, or why it was retracted.", required=False),
        **_moved_fields(required=False),
        "merged_into": string("Of merged: into which record.", required=False),
        "reason": string("Of redacted: why.", required=False),
        "taken": serializers.ListField(
            child=serializers.ListField(child=serializers.JSONField()),
            required=False,
            help_text="Of redacted: paths of the values that were taken out.",
        ),
        "within": serializers.BooleanField(
            required=False,
            help_text="Under filters of incidents: whether they find the record after this.",
        ),
    }


ChangesPageSerializer = inline_serializer(
    "ChangesPage",
    {
        "next": serializers.URLField(allow_null=True, help_text="The next page, if there is more."),
        "position": whole("How far the ledger went when this was read."),
        "resume": whole("What to give as `after` next time."),
        "results": inline_serializer(
            "Change", _change_fields(), many=True, help_text="The entries in order."
        ),
    },
)


class ComparedVersionSerializer(serializers.Serializer):
    version = whole("Its number.")
    kind = string("published, retracted or merged.")
    published_at = serializers.DateTimeField(help_text="When (UTC).")
    sha256 = string("SHA-256 of its document.")


DifferenceSerializer = inline_serializer(
    "Difference",
    {
        "code": string("The record's code."),
        "from": ComparedVersionSerializer(help_text="The version that is compared from."),
        "to": ComparedVersionSerializer(help_text="The version that it is compared with."),
        **_moved_fields(required=True),
        "changes": inline_serializer(
            "ChangedPath",
            {
                "path": string("Where, as in casualties[killed civilian all all all].max."),
                **_before_and_after(None, "The value"),
            },
            many=True,
            help_text='Every value that differs. One that was taken out is {"redacted": digest}.',
        ),
        "redacted": inline_serializer(
            "TakenOut",
            {
                "version": whole("Of which version."),
                **RedactionSerializer().get_fields(),
            },
            many=True,
            help_text="Values that were taken out of either.",
        ),
    },
)
