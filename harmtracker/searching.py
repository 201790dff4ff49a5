"""How names are found in any spelling: without case and accents, on both sides alike."""

from __future__ import annotations

from django.db.models import Func, TextField


class Folded(Func):
    """Text without case and Latin accents; marks of other scripts are letters and stay."""

    output_field = TextField()
    template = (
        r"normalize(lower(regexp_replace(normalize(%(expressions)s, NFKD), "
        r"'[\u0300-\u036f]', '', 'g')), NFC)"
    )
