"""Outlets and articles, to be chosen by any of their names."""

from __future__ import annotations

from harmtracker.picking import Kind
from sources.models import Article, Outlet


def outlet_label(outlet: Outlet) -> str:
    return f"{outlet.name} ({outlet.get_kind_display()})"


def article_label(article: Article) -> str:
    published = f", {article.published}" if article.published else ""
    return f"{article.title} ({article.outlet.name}{published})"


OUTLET = Kind("outlet", Outlet, ("name", "other_names"), outlet_label)
ARTICLE = Kind("article", Article, ("title", "url", "copy_url"), article_label, ("outlet",))
