"""A confidential source for tests, and how a verifier comes to see who it is."""

from __future__ import annotations

from typing import Any

from harmtracker.accounts.models import User
from sources import confidential
from sources.models import ConfidentialSource
from sources.sealing import Identity

WHO = Identity("U Ba zqsecretname", "+95 zqsecretphone", "နေအိမ် zqsecretnote")
WORDS = ("zqsecretname", "zqsecretphone", "zqsecretnote")


def any_code(person: User, code: str) -> bool:
    return code == "123456"


def reveal(source: ConfidentialSource, by: User, **about: Any) -> Identity:
    return confidential.reveal(
        source,
        by=by,
        **{"reason": "The court asks.", "code": "123456", "check_code": any_code, **about},
    )
