"""The team's desk for records: entering, reading, and taking the steps of the workflow.

``shared`` are the records that many incidents name; ``record`` is what every page of a record
does; ``rows`` are the rows on such a page; ``incident``, ``claim`` and ``count`` are the pages;
``reading`` is a record put together to be read; ``steps`` and ``queue`` lead to the workflow.
"""

from . import claim, count, importing, incident, kept, shared

__all__ = ["claim", "count", "importing", "incident", "kept", "shared"]
