"""Random sequences of acts by random people, checked against a small model."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.model.machine import Acts, ActsOverTheApi

pytestmark = pytest.mark.usefixtures("committed")

# How many runs. Given from outside, they are other ones each time; else always the same.
EXAMPLES = int(os.environ.get("HARMTRACKER_MODEL_EXAMPLES", "0"))
PROFILE = settings(
    max_examples=EXAMPLES or 8,
    derandomize=not EXAMPLES,
    stateful_step_count=40 if not EXAMPLES else 60,
    deadline=None,
    database=None,
    # A run takes seconds: to make a failure smaller takes minutes, and its acts are told as it is.
    phases=[Phase.generate],
    print_blob=False,
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.parametrize("acts", [Acts, ActsOverTheApi])
def test_people_do_what_they_may_and_nothing_else(
    capsys: pytest.CaptureFixture[str], acts: type[Acts]
) -> None:
    acts.tally.clear()
    some = PROFILE if acts is Acts else settings(PROFILE, max_examples=max(3, EXAMPLES // 5))
    run_state_machine_as_test(acts, settings=some)
    if EXAMPLES:
        with capsys.disabled():
            lines = [f"{count:6} {what}" for what, count in sorted(acts.tally.items())]
            print("\n" + "\n".join(lines))  # noqa: T201
    for needed in ("publish: done", "edit: done", "submit: done", "answer: done"):
        assert acts.tally[needed], needed
