from __future__ import annotations

from django_otp.plugins.otp_totp.models import TOTPDevice

from harmtracker.accounts import keyed


class Authenticator(TOTPDevice):
    """The app on a person's phone that shows codes. Unconfirmed until its first code was right.

    The stored key is not the secret of the codes: that one is derived from it with a key that
    is kept outside the database, so that a copy of the database makes no codes.
    """

    class Meta:
        proxy = True
        verbose_name = "authenticator"

    @property
    def bin_key(self) -> bytes:
        """The secret of the codes, 20 bytes."""
        return keyed.digest("authenticator", self.key)[:20]
