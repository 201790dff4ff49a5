"""The columns of the four lists, said once: every format, the API's ``columns/`` and the table in
docs/formats.md come from here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from harmtracker.codes import code_list
from incidents.models.rows import CLAIM_TOTALS, INCIDENT_GROUPS, INCIDENT_TOTALS

# What a column holds. A text may be anything that somebody wrote; a code is of a code list, an id
# or another of our own marks, and never starts like a formula.
TEXT, CODE, WHOLE, NUMBER, FLAG, DAY, MOMENT = (
    "text",
    "code",
    "whole number",
    "number",
    "true or false",
    "day",
    "moment",
)
JSON_TYPES: dict[str, dict[str, Any]] = {
    TEXT: {"type": "string"},
    CODE: {"type": "string"},
    WHOLE: {"type": "integer"},
    NUMBER: {"type": "number"},
    FLAG: {"type": "boolean"},
    DAY: {"type": "string", "format": "date"},
    MOMENT: {"type": "string", "format": "date-time"},
}


@dataclass(frozen=True)
class Column:
    """One column. ``source`` is where the select takes it from: our own SQL, never a client's."""

    name: str
    kind: str
    meaning: str
    hxl: str = ""
    unit: str = ""
    source: str = ""

    def described(self) -> dict[str, str]:
        return {
            "name": self.name,
            "type": self.kind,
            "unit": self.unit,
            "meaning": self.meaning,
            "hxl": self.hxl,
        }


def _of(table: str, columns: Iterable[Column]) -> tuple[Column, ...]:
    """Columns that a table of the database has under the same name, unless they say otherwise."""
    return tuple(
        column if column.source else replace(column, source=f'{table}."{column.name}"')
        for column in columns
    )


_PERSONS = "persons"
_GROUP_TAGS = {
    "women": "+f+adults",
    "men": "+m+adults",
    "girls": "+f+children",
    "boys": "+m+children",
    "children": "+children",
}
_BOUND_WORDS = {"min": "at least", "best": "most likely", "max": "at most"}
_OPEN = {
    "min": "Empty: not known.",
    "best": "Empty: not known, or not of every part.",
    "max": "Empty: not known, or open.",
}


def _totals(columns: Iterable[Any], whose: str) -> list[Column]:
    """A column for each bound of each total."""
    return [
        Column(
            name,
            WHOLE,
            f"{whose}: {_BOUND_WORDS[bound]} so many persons {code_list('outcome')[outcome].label} "
            f"({code_list('count_bucket')[bucket].label}). {_OPEN[bound]}",
            f"#affected+{outcome}+{bucket}+{bound}",
            _PERSONS,
        )
        for name, outcome, bucket, bound in columns
    ]


_GROUPS = [
    Column(
        name,
        WHOLE,
        f"{_BOUND_WORDS[bound].capitalize()} so many {group} {outcome}, of every status. "
        "Empty: no row says it, or open.",
        f"#affected+{outcome}{_GROUP_TAGS[group]}+{bound}",
        _PERSONS,
    )
    for name, outcome, group, bound in INCIDENT_GROUPS
]

_CODE = Column("code", CODE, "Code of the record, for ever.", "#event+id")
_WHAT = [
    Column("title", TEXT, "What happened, where, when, in a line.", "#event+name"),
    Column(
        "record_type",
        CODE,
        "incident, or aggregate_count, which is in no total over incidents. Code list record_type.",
        "#event+type",
    ),
    Column("date_edtf", TEXT, "The local date as recorded, in EDTF (ISO 8601-2).", "#date+edtf"),
    Column("date_earliest", DAY, "First day it can have been. Empty: not known.", "#date+start"),
    Column(
        "date_latest", DAY, "Last day it can have been. Empty: not known, or open.", "#date+end"
    ),
    Column("date_precision", CODE, "How far the two lie apart. Code list date_precision."),
    Column("country", CODE, "ISO 3166-1 alpha-3.", "#country+code"),
    *(
        column
        for level in (1, 2, 3)
        for column in (
            Column(
                f"adm{level}_pcode",
                TEXT,
                f"P-code of the area of level {level} in which it lies.",
                f"#adm{level}+code",
            ),
            Column(f"adm{level}_name", TEXT, "Name of that area.", f"#adm{level}+name"),
        )
    ),
]
_WHERE = [
    Column("place_name", TEXT, "Name of the main place.", "#loc+name"),
    Column("place_pcode", TEXT, "P-code of the main place, if it has one.", "#loc+code"),
    Column(
        "place_precision",
        CODE,
        "How far the place may be trusted. Code list place_precision.",
        "#geo+precision",
    ),
    Column("latitude", NUMBER, "Degrees north, WGS 84. Empty: no point.", "#geo+lat", "degrees"),
    Column("longitude", NUMBER, "Degrees east, WGS 84. Empty: no point.", "#geo+lon", "degrees"),
]
_ON_GRID = Column(
    "on_grid",
    FLAG,
    "Whether the point is of a grid of 0.1 degrees, for the protection of the place.",
    "#geo+grid",
)
_GRADING = Column(
    "grading", CODE, "How well the harm is established. Code list grading.", "#status+code"
)
_TERMS = [
    Column("licence", TEXT, "The licence of this record.", "#meta+license"),
    Column("citation", TEXT, "A sentence to cite this version by.", "#meta+citation"),
    Column(
        "published_at",
        MOMENT,
        "When this version was published, UTC, ISO 8601.",
        "#date+published",
    ),
]
_VERSION = Column("version", WHOLE, "Version of the record, from 1.", "#event+version")
# The select knows the address of the server.
_LINK = Column("link", CODE, "Address of the record's whole document.", "#meta+url", "", "link")
_POSITION = Column(
    "position",
    WHOLE,
    "Ledger position of the version. It is always given.",
    "#meta+position",
    "",
    'r."seq"',
)
# What every row of the other lists says of its incident.
_MAIN = _of("r", [_CODE, _VERSION, _LINK, *_WHAT, *_WHERE, _ON_GRID, _GRADING])


def _row(list_name: str) -> Column:
    return Column(
        "row",
        WHOLE,
        f"Place of the row in the document's list {list_name}, from 0. It is always given.",
        "#meta+row",
        "",
        'c."position"',
    )


INCIDENTS = _of(
    "r",
    [
        _CODE,
        _VERSION,
        _LINK,
        *_WHAT,
        Column("place_id", CODE, "Id of the main place.", "#loc+id"),
        *_WHERE,
        Column(
            "radius_m", WHOLE, "Radius around the point in which it lies.", "#geo+radius", "metres"
        ),
        _ON_GRID,
        Column(
            "weapons",
            CODE,
            "Codes of weapon types as assessed, joined by ; in the order of the document.",
            "#cause+type",
        ),
        Column(
            "weapon_certainties",
            CODE,
            "How sure each of them is, in the same order; denied ones are among them. Code list "
            "certainty.",
            "#cause+certainty",
        ),
        Column(
            "platforms",
            CODE,
            "What each of them was fired from, in the same order. Code list platform.",
            "#cause+platform",
        ),
        Column(
            "circumstances",
            CODE,
            "Codes joined by ;. Code list circumstance.",
            "#event+circumstance",
        ),
        Column(
            "alleged_perpetrators",
            TEXT,
            "Names joined by ; and a space: actors whose assessed role is alleged_perpetrator, "
            "unless that is denied. They may be alternatives; the document says so.",
            "#group+perpetrator+name",
        ),
        _GRADING,
        Column(
            "harm_reported",
            CODE,
            "Whether any source reports harm to civilians. Code list harm_reported.",
            "#status+harm",
        ),
        Column(
            "independent_sources",
            WHOLE,
            "How many independent voices report the harm.",
            "#meta+sources",
            "voices",
        ),
        Column("claim_count", WHOLE, "How many claims the record has.", "#meta+claims", "claims"),
        *_totals(INCIDENT_TOTALS, "Total"),
        *_GROUPS,
        Column(
            "datasets",
            TEXT,
            "Other datasets that have the incident, by name, joined by ; and a space.",
            "#meta+dataset",
        ),
        Column(
            "external_ids",
            TEXT,
            "What they call it, joined by ; and a space.",
            "#event+id+external",
        ),
        _TERMS[0],
        Column(
            "licence_url",
            TEXT,
            "Address of the licence, or of the dataset that the record is from.",
            "#meta+license+url",
        ),
        Column("attribution", TEXT, "Whom to name.", "#meta+attribution"),
        *_TERMS[1:],
        _POSITION,
    ],
)

CASUALTIES = (
    *_MAIN,
    *_of(
        "c",
        [
            Column("outcome", CODE, "What happened to the persons. Code list outcome.", "#harm"),
            Column(
                "status",
                CODE,
                "Who they were in relation to the hostilities. Code list person_status.",
                "#affected+status",
            ),
            Column(
                "bucket",
                CODE,
                "The total that the status belongs to. Code list count_bucket.",
                "#affected+bucket",
            ),
            Column("role", CODE, "What they did. Code list person_role.", "#affected+role"),
            Column("sex", CODE, "Their sex; all is every one. Code list sex.", "#affected+sex"),
            Column(
                "age_group",
                CODE,
                "Their age; all is every one. Code list age_group.",
                "#affected+age",
            ),
            Column(
                "affiliation_id",
                CODE,
                "Id of the party that they belonged to. Empty: the row is of all.",
                "#group+id",
                "",
                'c."affiliation"',
            ),
            Column("affiliation", TEXT, "Its name.", "#group+name", "", 'c."affiliation_name"'),
            Column("min", WHOLE, "At least so many. Empty: not known.", "#affected+min", _PERSONS),
            Column(
                "best", WHOLE, "Most likely so many. Empty: not known.", "#affected+best", _PERSONS
            ),
            Column(
                "max",
                WHOLE,
                "At most so many. Empty: not known, or open.",
                "#affected+max",
                _PERSONS,
            ),
            Column(
                "qualifier",
                CODE,
                "How the figures are meant. Code list count_qualifier.",
                "#affected+qualifier",
            ),
            Column("reported_text", TEXT, "In the words of the sources.", "#description"),
            Column(
                "is_whole",
                FLAG,
                "Of all sexes, ages and affiliations, and part of no other row of its outcome and "
                "bucket. Rows of one outcome and bucket of which this is true share nobody and "
                "may be added; others are parts, and bucket all holds the others' persons again.",
                "#affected+whole",
            ),
        ],
    ),
    *_of("r", [*_TERMS, _POSITION, _row("casualties")]),
)

CLAIMS = (
    *_MAIN,
    *_of(
        "c",
        [
            Column(
                "claim_id",
                CODE,
                "Id of the claim, the same in all versions.",
                "#meta+id",
                "",
                'c."claim"',
            ),
            Column("article_id", CODE, "Id of the article.", "", "", 'c."article"'),
            Column("article_title", TEXT, "Its title.", "#meta+title"),
            Column("article_url", TEXT, "Its address. Empty: it has none.", "#meta+source+url"),
            Column("article_published", TEXT, "When it came out, in EDTF.", "#date+reported"),
            Column("article_language", TEXT, "Its language (BCP 47).", "#meta+lang"),
            Column("archived", FLAG, "Whether it is kept anywhere.", "#meta+archived"),
            Column(
                "archive_url",
                TEXT,
                "Where a public archive holds it. Empty: nowhere, or as our copy alone.",
                "#meta+archive+url",
            ),
            Column("outlet_id", CODE, "Id of the outlet.", "", "", 'c."outlet"'),
            Column("outlet", TEXT, "Who published it.", "#meta+source", "", 'c."outlet_name"'),
            Column(
                "attributed_to_id",
                CODE,
                "Id of the outlet or actor that speaks, whoever carries it.",
                "",
                "",
                'c."attributed_to"',
            ),
            Column("attributed_to_type", CODE, "outlet or actor."),
            Column(
                "attributed_to",
                TEXT,
                "Name of the outlet or actor that speaks.",
                "#meta+attributed",
                "",
                'c."attributed_to_name"',
            ),
            Column("speaker", TEXT, "Who spoke for it."),
            Column(
                "independence_group",
                TEXT,
                "Speakers with the same one draw on each other and count as one source.",
            ),
            Column(
                "kind",
                CODE,
                "Report, admission, denial or finding. Code list claim_kind.",
                "#meta+type",
            ),
            Column(
                "credibility",
                CODE,
                "Admiralty code 1 to 6. Code list credibility.",
                "#meta+credibility",
            ),
            Column("date_said", TEXT, "The date that it gives, in EDTF.", "#date+said"),
            Column("time_said", TEXT, "The time that it gives, in its words."),
            Column("place_said", TEXT, "The place that it gives, in its words.", "#loc+said"),
            Column(
                "claim_latitude",
                NUMBER,
                "Of the point that the claim gives, WGS 84.",
                "#geo+lat+claim",
                "degrees",
                'c."latitude"',
            ),
            Column(
                "claim_longitude",
                NUMBER,
                "Of the same point.",
                "#geo+lon+claim",
                "degrees",
                'c."longitude"',
            ),
            Column("paraphrase", TEXT, "What it says, in our words.", "#description"),
            Column("quotation", TEXT, "What it says, in its own words.", "#description+quotation"),
            Column("locator", TEXT, "Where in the article."),
            Column("note", TEXT, "What a reader should know of it."),
            *_totals(CLAIM_TOTALS, "The claim's figures, added as totals are"),
        ],
    ),
    *_of("r", [*_TERMS, _POSITION, _row("claims")]),
)

VICTIMS = (
    *_MAIN,
    *_of(
        "c",
        [
            Column("outcome", CODE, "What happened to the person. Code list outcome.", "#harm"),
            Column(
                "status",
                CODE,
                "Who the person was in relation to the hostilities. Code list person_status.",
                "#affected+status",
            ),
            Column("role", CODE, "What the person did. Code list person_role.", "#affected+role"),
            Column("sex", CODE, "Code list sex.", "#affected+sex"),
            Column("age_group", CODE, "Code list age_group.", "#affected+age"),
            Column(
                "consent_basis",
                CODE,
                "Why name and age may be said. Empty: they may not, and are not here. Code list "
                "consent_basis.",
                "#status+consent",
            ),
            Column(
                "names",
                TEXT,
                "Names in any script, joined by ; and a space. Empty without a basis of consent.",
                "#affected+name",
                "",
                """nullif(array_to_string(c."names", '; '), '')""",
            ),
            Column(
                "age",
                NUMBER,
                "Age at the incident. Empty: not known, or no basis of consent.",
                "#affected+age+value",
                "years",
            ),
        ],
    ),
    *_of("r", [*_TERMS, _POSITION, _row("victims")]),
)

LISTS: dict[str, tuple[Column, ...]] = {
    "incidents": INCIDENTS,
    "casualties": CASUALTIES,
    "claims": CLAIMS,
    "victims": VICTIMS,
}
