"""The ``csrf_token`` of every form of the team's pages, which says as well whose page it is.

So a form gets it without knowing: when its session is dead, what was typed into it is given to
the person who typed it and to nobody else (:mod:`harmtracker.accounts.typed`).
"""

from __future__ import annotations

from typing import Any

from django import template
from django.template.defaulttags import CsrfTokenNode
from django.utils.html import format_html

from harmtracker.accounts.typed import BY, mark

register = template.Library()


class _OwnFormNode(CsrfTokenNode):
    def render(self, context: Any) -> str:
        token = super().render(context)
        person = getattr(context.get("request"), "user", None)
        if not token or not getattr(person, "is_authenticated", False):
            return token
        return format_html('{}<input type="hidden" name="{}" value="{}">', token, BY, mark(person))


@register.tag
def csrf_token(parser: Any, token: Any) -> _OwnFormNode:
    return _OwnFormNode()
