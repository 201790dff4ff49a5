"""How often Python looks for objects that refer to each other, and to which nothing else does."""

from __future__ import annotations

import gc


def look_seldom() -> None:
    """For a process that has loaded all it needs, and answers from now on.

    What is loaded stays, and is not looked through again: these are hundreds of thousands of
    objects, and looking through them took a sixth of the time of a large page.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
