"""The tree of RFC 6962, section 2.1, grown one leaf at a time from its right edge. Pure."""

from __future__ import annotations

import hashlib


def leaf_hash(entry: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def append(edge: list[bytes], size: int, leaf: bytes) -> list[bytes]:
    """The right edge of a tree of ``size`` leaves with one more.

    The edge holds the roots of the full subtrees that the size's binary digits name, widest
    first: a tree of 6 leaves has the roots over leaves 0-3 and 4-5.
    """
    edge = list(edge)
    while size & 1:
        leaf = node_hash(edge.pop(), leaf)
        size >>= 1
    return [*edge, leaf]


def root(edge: list[bytes]) -> bytes:
    """The tree's root from its right edge; of the empty tree, the hash of nothing."""
    if not edge:
        return hashlib.sha256(b"").digest()
    result = edge[-1]
    for left in reversed(edge[:-1]):
        result = node_hash(left, result)
    return result
