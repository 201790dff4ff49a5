"""What a person should look at in an article. Nothing is refused for it, and nothing mended."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

from myanmartools import ZawgyiDetector

from sources.models import Article

# Above it, a text is taken for Zawgyi: Burmese letters in an older, incompatible encoding.
ZAWGYI_FROM = 0.95


class Warning(NamedTuple):
    """One thing to look at: a code for programs, the field it is about, a sentence for people."""

    code: str
    field: str
    message: str


@cache
def _detector() -> ZawgyiDetector:
    return ZawgyiDetector()


def looks_like_zawgyi(text: str) -> bool:
    return bool(_detector().get_zawgyi_probability(text) > ZAWGYI_FROM)


def of(article: Article, *, has_capture: bool) -> list[Warning]:
    """Every warning of an article. ``has_capture``: whether a copy of it is stored."""
    return [*_of_keeping(article, has_capture=has_capture), *_of_texts(article)]


def _of_keeping(article: Article, *, has_capture: bool) -> Iterable[Warning]:
    has_address = bool(article.url or article.copy_url or article.archive_url)
    if not has_address and not has_capture:
        yield Warning(
            "nothing_kept",
            "captures",
            "Nothing is kept of it: there is no address and no stored copy. Attach a file, or "
            "paste what it says.",
        )
    elif not article.archive_url and not has_capture:
        yield Warning(
            "not_archived",
            "archive_url",
            "It is not archived: attach a copy, or give its address in a public web archive.",
        )
    if not has_address and article.published is None:
        yield Warning("undated", "published", "It has neither an address nor a date.")


def _of_texts(article: Article) -> Iterable[Warning]:
    for field in ("title", "summary"):
        if looks_like_zawgyi(getattr(article, field)):
            yield Warning(
                "zawgyi",
                field,
                f"The {field} looks like Burmese in Zawgyi, which others see as other letters. It "
                "is kept as it is; enter it in Unicode if that is what the source has.",
            )
