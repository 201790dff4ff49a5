"""The terms that our own data is offered under. An imported record keeps those of its dataset."""

DATA_LICENCE = {
    "name": "CC BY 4.0",
    "url": "https://creativecommons.org/licenses/by/4.0/",
    "attribution": "harmtracker",
}
