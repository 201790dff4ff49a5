"""Bodies that a researcher would send."""

from __future__ import annotations

from typing import Any

BASE = "/api/v1/casework/incidents/"


def count(**fields: Any) -> dict[str, Any]:
    return {
        "outcome": "killed",
        "status": "civilian",
        "min": 2,
        "best": 2,
        "max": 2,
        "qualifier": "exact",
        **fields,
    }


def whole(article: str, other_article: str, **fields: Any) -> dict[str, Any]:
    """A record with two claims that contradict each other, assessed as a range."""
    return {
        "title": "Air strike on a school",
        "summary": "Two outlets differ on the number of children killed.",
        "date_edtf": "2024-09-05",
        "place": "laiza",
        "grading": "fair",
        "circumstances": ["indiscriminate_attack"],
        "claims": [
            {
                "key": "a",
                "article": article,
                "attributed_outlet": "kachin-news-group",
                "paraphrase": "Two civilians were killed.",
                "counts": [count()],
                "weapons": [{"weapon": "EXA-BOM", "certainty": "alleged"}],
                "involvements": [
                    {"actor": "myanmar-army", "role": "alleged_perpetrator", "certainty": "alleged"}
                ],
            },
            {
                "key": "b",
                "article": other_article,
                "attributed_outlet": "irrawaddy",
                "paraphrase": "Five civilians were killed.",
                "counts": [count(min=5, best=5, max=5)],
            },
        ],
        "assessment": {
            "counts": [
                count(
                    min=2,
                    best=None,
                    max=5,
                    qualifier="range",
                    basis=[{"claim": "a", "bound": "min"}, {"claim": "b", "bound": "max"}],
                )
            ],
            "weapons": [{"weapon": "EXA-BOM", "certainty": "likely"}],
            "involvements": [
                {"actor": "myanmar-army", "role": "alleged_perpetrator", "certainty": "likely"}
            ],
        },
        "victims": [{"outcome": "killed", "names": ["Ma Aye"], "claims": ["a", "b"]}],
        "further_places": [{"place": "woichai-ward"}],
        "external_ids": [{"dataset": "ucdp-ged", "value": "999999"}],
        **fields,
    }
