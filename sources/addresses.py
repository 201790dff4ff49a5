"""Which known articles an address of the web is of, however the address was copied."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode, urlsplit

from django.db.models import Q

from sources.models import Article

# What is added to addresses by whoever passes them on.
_FOLLOWED = ("utm_", "fbclid", "gclid", "igshid", "mc_cid", "mc_eid", "ref_src")
MOST = 10


def is_address(text: str) -> bool:
    return text.casefold().startswith(("http://", "https://"))


def canonical(address: str) -> str:
    """One form of an address: what does not change the page it leads to is left out.

    For comparing alone: an address is stored byte for byte.
    """
    try:
        parts = urlsplit(address.strip())
        host = (parts.hostname or "").removeprefix("www.").removeprefix("m.")
    except ValueError:
        return address.strip()
    asked = sorted(
        (name, value)
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
        if not name.startswith(_FOLLOWED)
    )
    query = f"?{urlencode(asked)}" if asked else ""
    return f"{host}{parts.path.rstrip('/')}{query}"


def articles_at(address: str) -> list[Article]:
    """Articles whose own address, read copy or archived copy this is."""
    wanted = canonical(address)
    host, _, path = wanted.partition("?")[0].partition("/")
    near = Q()
    for name in ("url", "copy_url", "archive_url"):
        near |= Q(**{f"{name}__icontains": host}) & Q(**{f"{name}__contains": path})
    rows = Article.objects.filter(near).select_related("outlet").order_by("pk")
    found = [
        article
        for article in rows
        if any(
            each and canonical(each) == wanted
            for each in (article.url, article.copy_url, article.archive_url)
        )
    ]
    return found[:MOST]
