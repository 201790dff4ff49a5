"""Sources that must not be named: entering who they are, replacing it, and the one way to see it.

The identity is encrypted here, before the database sees it. It is never part of an answer to a
write, of a message or of a log.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable

from django.db import transaction

from harmtracker.accounts.models import User
from harmtracker.accounts.rights import need
from harmtracker.errors import Conflict, Invalid, TooMany
from harmtracker.history.acting import acting
from harmtracker.saving import save
from sources.models import ConfidentialSource, Outlet, Reveal
from sources.sealing import Identity, seal, unseal

A_DAY_S = 24 * 60 * 60

CheckCode = Callable[[User, str], bool]


def create(
    outlet: Outlet, identity: Identity, *, by: User, request_id: uuid.UUID | None = None
) -> ConfidentialSource:
    """Say who stands behind an outlet, whose name is all that others read of them."""
    need(by, "sources.add_confidentialsource", "enter confidential sources")
    _check(identity)
    if ConfidentialSource.objects.filter(outlet=outlet).exists():
        raise Conflict("Who this source is has been entered already: replace it instead.")
    source = ConfidentialSource(outlet=outlet)
    source.key_name, source.sealed = seal(identity, source.uuid)
    with acting(by, request_id=request_id):
        return save(source)


def replace(
    source: ConfidentialSource,
    identity: Identity,
    *,
    by: User,
    reason: str,
    request_id: uuid.UUID | None = None,
) -> ConfidentialSource:
    """Store another identity; the history keeps the encrypted one of before."""
    need(by, "sources.change_confidentialsource", "change confidential sources")
    _check(identity)
    _need_reason(reason)
    with acting(by, reason, request_id=request_id):
        locked = ConfidentialSource.objects.select_for_update(of=("self",)).get(pk=source.pk)
        locked.key_name, locked.sealed = seal(identity, locked.uuid)
        return save(locked)


def reveal(
    source: ConfidentialSource,
    *,
    by: User,
    reason: str,
    code: str,
    check_code: CheckCode,
    request_id: uuid.UUID | None = None,
) -> Identity:
    """Who the source is, to a person with the right, a reason and a fresh second factor.

    That they were shown it is committed before it is read. ``check_code`` is
    ``accounts.second_factor.check``, which spends the code. The database lets a person do this 20
    times in 24 hours. Raises :class:`NotAllowed`, :class:`Invalid`, :class:`TooMany`, or
    :class:`Conflict` where the key is not here.
    """
    need(by, "sources.reveal_confidentialsource", "see who confidential sources are")
    _need_reason(reason)
    if not check_code(by, code):
        message = "The code of your second factor is wrong or was used before."
        raise Invalid(message, fields={"code": [message]})
    try:
        with transaction.atomic(durable=True), acting(by, reason, request_id=request_id):
            save(Reveal(source=source, by=by, reason=reason))
    except Invalid as refusal:
        if refusal.rule == "sources_reveal_twenty_a_day":
            raise TooMany(refusal.message, wait_s=A_DAY_S) from refusal
        raise
    stored = ConfidentialSource.objects.get(pk=source.pk)
    return unseal(stored.key_name, bytes(stored.sealed), stored.uuid)


def _check(identity: Identity) -> None:
    if not identity.name.strip():
        message = "Say who the source is."
        raise Invalid(message, fields={"identity.name": [message]})


def _need_reason(reason: str) -> None:
    if not reason.strip():
        raise Invalid("Say why.", fields={"reason": ["Say why."]})
