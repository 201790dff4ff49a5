"""Whether more is tried than CI takes time for: ``HARMTRACKER_TEST_EVERY=1``."""

import os

EVERY = bool(os.environ.get("HARMTRACKER_TEST_EVERY"))
