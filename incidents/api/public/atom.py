"""An Atom feed (RFC 4287) of changes, in words. Pure, no database."""

from __future__ import annotations

import datetime
import re
import uuid
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple
from xml.etree.ElementTree import Element, SubElement, register_namespace, tostring

from django.utils.html import escape

from harmtracker.codes import code_list
from harmtracker.licence import DATA_LICENCE
from incidents.choices import ChangeKind

MEDIA_TYPE = "application/atom+xml"
CONTENT_TYPE = f"{MEDIA_TYPE}; charset=utf-8"
NAMESPACE = "http://www.w3.org/2005/Atom"
register_namespace("", NAMESPACE)

# Of the name-based ids (RFC 9562, version 5) of feeds and entries.
_IDS = uuid.UUID("5f0c2b1e-8f5d-4f51-9a61-3c1d2f1f6a3e")
# What XML 1.0 cannot hold, not even escaped.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NONE, _NOT_KNOWN = "none", "not known"
# Where nothing was ever published.
_NEVER = "1970-01-01T00:00:00Z"
_DONE = {
    ChangeKind.CREATED: "published",
    ChangeKind.CORRECTED: "corrected",
    ChangeKind.MERGED: "merged into {merged_into}",
    ChangeKind.RETRACTED: "retracted",
    ChangeKind.REDACTED: "redacted in version {version}",
}


class Entry(NamedTuple):
    """A stored change, the hash by which the ledger knows it, and when it was last cut."""

    content: dict[str, Any]
    leaf_hash: str
    renewed_at: datetime.datetime | None


def feed(
    entries: Sequence[Entry],
    *,
    name: str,
    address: str,
    alternate: str,
    incidents: str,
    older: str | None = None,
) -> bytes:
    """The feed, its entries in the order given.

    It is known by ``name``, the same for all of its pages; ``address`` is its own, ``older`` that
    of the next page, ``alternate`` that of the same as JSON; records have theirs below
    ``incidents``.
    """
    root = Element(_name("feed"))
    _text(root, "id", _urn(name))
    _text(root, "title", "harmtracker: what changed")
    _text(root, "updated", max((_updated(entry) for entry in entries), default=_NEVER))
    _text(SubElement(root, _name("author")), "name", DATA_LICENCE["attribution"] or "harmtracker")
    _text(root, "rights", f"{DATA_LICENCE['name']}: {DATA_LICENCE['url']}")
    _link(root, "self", address, MEDIA_TYPE)
    _link(root, "alternate", alternate, "application/json")
    if older is not None:
        _link(root, "next", older, MEDIA_TYPE)
    for entry in entries:
        _entry(root, entry, incidents)
    found: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return found


def _entry(root: Element, entry: Entry, incidents: str) -> None:
    content = entry.content
    element = SubElement(root, _name("entry"))
    # By the hash of its leaf, an entry is the same wherever the ledger is served from.
    _text(element, "id", _urn(entry.leaf_hash))
    _text(element, "title", title(content))
    _text(element, "published", content["at"])
    _text(element, "updated", _updated(entry))
    record = f"{incidents}{content['code']}/"
    _link(element, "alternate", f"{record}versions/{content['version']}/", "application/json")
    if content["kind"] == ChangeKind.CORRECTED:
        difference = f"{record}diff/?from={content['version'] - 1}&to={content['version']}"
        _link(element, "related", difference, "application/json")
    SubElement(element, _name("category"), term=content["kind"])
    told = "".join(f"<li>{escape(line)}</li>" for line in words(content))
    # Escaped twice: as HTML here, and as the text of an element when it is written.
    _text(element, "content", f"<ul>{told}</ul>" if told else "", type="html")


def title(content: dict[str, Any]) -> str:
    """One line: what was done to which record."""
    done = _DONE[ChangeKind(content["kind"])].format_map(content)
    named = content.get("title")
    return f"{content['code']} {done}" + (f": {named}" if named else "")


def words(content: dict[str, Any]) -> Iterator[str]:
    """What moved, a sentence each."""
    if content.get("note"):
        yield content["note"]
    if content["kind"] == ChangeKind.REDACTED:
        yield content["reason"]
        count = len(content["taken"])
        yield f"{count} {'value was' if count == 1 else 'values were'} taken out."
    for figure in content.get("figures", []):
        outcome = code_list("outcome")[figure["outcome"]].label
        bucket = code_list("count_bucket")[figure["bucket"]].label
        was, now = _figure(figure["from"]), _figure(figure["to"])
        # That nothing is known, where there was no total or there is none now, is no news.
        if {was, now} != {_NONE, _NOT_KNOWN}:
            yield f"{outcome}, {bucket}: {was} → {now}"
    for value in content.get("values", []):
        name = value["name"].replace("_", " ")
        yield f"{name}: {_plain(value['from'])} → {_plain(value['to'])}"
    for key, what in (
        ("claims_added", "added"),
        ("claims_removed", "removed"),
        ("claims_changed", "changed"),
    ):
        if content.get(key):
            count = len(content[key])
            yield f"{count} {'claim' if count == 1 else 'claims'} {what}"


def _figure(total: dict[str, Any] | None) -> str:
    if total is None:
        return _NONE
    bounds = [f"{name} {total[name]}" for name in ("min", "best", "max") if total[name] is not None]
    return ", ".join(bounds) or _NOT_KNOWN


def _plain(value: Any) -> str:
    if value is None or value == "":
        return _NOT_KNOWN
    if isinstance(value, list):
        return "; ".join(map(_plain, value)) or _NONE
    if isinstance(value, dict):
        return " ".join(
            str(part) for key, part in value.items() if key != "id" and part is not None
        )
    return str(value)


def _updated(entry: Entry) -> str:
    if entry.renewed_at is None:
        return str(entry.content["at"])
    return entry.renewed_at.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _urn(name: str) -> str:
    return f"urn:uuid:{uuid.uuid5(_IDS, name)}"


def _name(tag: str) -> str:
    return f"{{{NAMESPACE}}}{tag}"


def _text(parent: Element, tag: str, text: str, **attributes: str) -> None:
    SubElement(parent, _name(tag), attributes).text = _NOT_XML.sub("\ufffd", text)


def _link(parent: Element, relation: str, address: str, media_type: str) -> None:
    SubElement(parent, _name("link"), rel=relation, href=address, type=media_type)
