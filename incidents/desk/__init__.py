"""What the desk shows of records, put together without HTTP.

Its pages are in ``incidents.admin``.
"""
