"""How much waits for a second person, as everybody may know it."""

from __future__ import annotations

import json
from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from harmtracker.api.schema import describe

from . import reading
from .lists import PublicView

# The one thing that the public role learns of casework: a function of the database's owner gives
# it, without an argument, and numbers are rounded before they leave it.
_BACKLOG = "SELECT incidents_backlog()::text"


def _rounded(what: str) -> serializers.IntegerField:
    return serializers.IntegerField(help_text=f"{what} To the nearest five.")


class BacklogAgeSerializer(serializers.Serializer):
    from_days = serializers.IntegerField(help_text="Submitted at least so many whole days ago.")
    to_days = serializers.IntegerField(allow_null=True, help_text="At most so many; null: or more.")
    waiting = _rounded("Records.")


class BacklogWeekSerializer(serializers.Serializer):
    begins = serializers.DateField(help_text="Its Monday; weeks begin at 00:00 UTC.")
    came_in = _rounded("Records that were submitted for the first time.")
    verified = _rounded("Records that a second person verified for the first time.")
    published = _rounded("Records that were published for the first time.")


class BacklogMedianSerializer(serializers.Serializer):
    to_verification = serializers.IntegerField(
        allow_null=True, help_text="Days; null where fewer than five records were verified."
    )
    to_publication = serializers.IntegerField(
        allow_null=True, help_text="Days; null where fewer than five records were published."
    )


class BacklogSerializer(serializers.Serializer):
    as_of = serializers.DateTimeField(help_text="The last midnight, UTC.")
    rounded_to = serializers.IntegerField(
        help_text="Numbers of records are multiples of this: 0 is fewer than three."
    )
    waiting = _rounded("Records that were submitted or verified, and not published yet.")
    by_age = BacklogAgeSerializer(many=True, help_text="The same by how long they wait.")
    weeks = BacklogWeekSerializer(many=True, help_text="The last twelve full weeks.")
    median_days = BacklogMedianSerializer(
        help_text="From submission to the step, of what took it in these weeks."
    )


@describe("getBacklog", summary="What waits", tag="About", ok=BacklogSerializer)
class BacklogView(PublicView):
    """How many records wait to be verified or published, and for how long, as of the last midnight.

    Numbers are rounded to five, weeks are whole, and nothing says of which place, person or record:
    what one day adds does not show that somebody reported something that day.
    """

    def get(self, request: Request) -> Any:
        content = json.loads(reading.rows(_BACKLOG)[0][0])
        return self.whole(content)
