"""The desk's pages of outlets, articles, stored copies and confidential sources."""

from . import confidential, copies, records

__all__ = ["confidential", "copies", "records"]
