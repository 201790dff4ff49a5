"""Who may do what with outlets, articles, copies and confidential sources."""

from __future__ import annotations

from typing import ClassVar


class Rights:
    """Permissions with their words, by what is done."""

    OUTLETS: ClassVar = {
        "GET": ("sources.view_outlet", "see outlets"),
        "POST": ("sources.add_outlet", "enter outlets"),
        "PUT": ("sources.change_outlet", "change outlets"),
        "PATCH": ("sources.change_outlet", "change outlets"),
    }
    ARTICLES: ClassVar = {
        "GET": ("sources.view_article", "see articles"),
        "POST": ("sources.add_article", "enter articles"),
        "PUT": ("sources.change_article", "change articles"),
        "PATCH": ("sources.change_article", "change articles"),
    }
    CAPTURES: ClassVar = {
        "GET": ("sources.view_capture", "see stored copies"),
        "POST": ("sources.add_capture", "attach copies"),
    }
    CUSTODY: ClassVar = {
        "GET": ("sources.view_custodyentry", "see what was done with copies"),
        "POST": ("sources.hand_over_capture", "hand copies over"),
    }
    CONFIDENTIAL: ClassVar = {
        "GET": ("sources.view_confidentialsource", "see confidential sources"),
        "POST": ("sources.add_confidentialsource", "enter confidential sources"),
        "PUT": ("sources.change_confidentialsource", "change confidential sources"),
    }
    REVEAL: ClassVar = {
        "POST": ("sources.reveal_confidentialsource", "see who confidential sources are"),
    }
