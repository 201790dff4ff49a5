"""harmtracker: the system of record for incidents in which civilians were harmed."""

__version__ = "0.1.0"
