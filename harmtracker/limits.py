"""How much of something is taken, where more than one part of the program has to know."""

from __future__ import annotations

# Of a kept copy of an article, in bytes.
LARGEST_FILE = 50 * 1024 * 1024
