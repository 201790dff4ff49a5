"""What each claim says of each thing, lined up beside our assessment, disagreement marked.

A claim disagrees where both cannot be true: figures whose ranges do not meet, dates that have no
day in common, weapons and perpetrators of which none is the same or takes in the other, a point
outside the radius of ours. What a source does not say disagrees with nothing.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from harmtracker.codes import code_list
from harmtracker.dates import parse_edtf
from incidents.choices import Bound
from incidents.models import CasualtyCount, Claim, Incident

from .points import distance_km, radius_km_of

KILLED = "killed"
CHILDREN, WOMEN = "children", "women"
_CHILD = ("infant", "child")
_PERPETRATES = ("alleged_perpetrator", "claimed_responsibility")
DENIED = "denied"

Range = tuple[int | None, int | None]


@dataclass(frozen=True)
class Said:
    """One thing that is said, and how it stands to ours."""

    text: str
    words: str = ""
    anchor: str = ""
    disagrees: str = ""
    sets: tuple[str, ...] = ()
    left_out: str = ""


@dataclass
class Account:
    """What one claim, or our assessment, says of each thing."""

    claim: Any = None
    number: int = 0
    cells: dict[str, list[Said]] = field(default_factory=dict)

    def say(self, thing: str, said: Said) -> None:
        self.cells.setdefault(thing, []).append(said)


@dataclass
class Voice:
    """The claims of one independence group, which count as one source."""

    group: str
    accounts: list[Account] = field(default_factory=list)


@dataclass
class Speaker:
    """The claims of one voice in which the same name speaks, as far as they say one value."""

    name: str
    said: list[tuple[Account, Said]] = field(default_factory=list)


@dataclass
class Value:
    """One way in which a thing is told, and by whom: the speakers of each voice together."""

    text: str
    disagrees: str
    voices: dict[str, dict[str, Speaker]] = field(default_factory=dict)

    @property
    def speakers(self) -> list[list[Speaker]]:
        return [list(voice.values()) for voice in self.voices.values()]

    @property
    def claims(self) -> int:
        return sum(len(speaker.said) for voice in self.speakers for speaker in voice)

    @property
    def matters(self) -> bool:
        """Whether it has to be seen at once: it cannot be true with ours, or ours rests on it."""
        all_said = (said for voice in self.speakers for one in voice for _, said in one.said)
        return bool(self.disagrees) or any(said.sets for said in all_said)


@dataclass(frozen=True)
class Told:
    """What all claims say of one thing, the value of most voices first; ``rest`` is folded away."""

    thing: str
    label: str
    shown: list[Value]
    rest: list[Value]
    silent: int


# So many ways of telling a thing stand open; more, only those that matter.
SHOWN_OPEN = 5


@dataclass(frozen=True)
class Comparison:
    """Things in a fixed order, those that nobody speaks of left out."""

    things: list[tuple[str, str]]
    ours: Account
    voices: list[Voice]

    @property
    def told(self) -> list[Told]:
        return [self._told(thing, label) for thing, label in self.things]

    def _told(self, thing: str, label: str) -> Told:
        values: dict[tuple[str, str], Value] = {}
        silent = 0
        for voice in self.voices:
            for account in voice.accounts:
                silent += thing not in account.cells
                for said in account.cells.get(thing, ()):
                    value = values.setdefault(
                        (said.text, said.disagrees), Value(said.text, said.disagrees)
                    )
                    name = str(account.claim.attributed_outlet or account.claim.attributed_actor)
                    speakers = value.voices.setdefault(voice.group, {})
                    speakers.setdefault(name, Speaker(name)).said.append((account, said))
        found = sorted(values.values(), key=lambda value: -len(value.voices))
        shown = [value for n, value in enumerate(found) if n < SHOWN_OPEN or value.matters]
        rest = [value for n, value in enumerate(found) if n >= SHOWN_OPEN and not value.matters]
        if len(rest) == 1:
            shown, rest = found, []
        return Told(thing, label, shown, rest, silent)

    @property
    def accounts(self) -> list[Account]:
        return [account for voice in self.voices for account in voice.accounts]

    @property
    def is_narrow(self) -> bool:
        """Whether the claims fit beside ours as columns."""
        return 0 < len(self.accounts) <= MOST_BESIDE

    @property
    def disagreements(self) -> int:
        return sum(
            1
            for account in self.accounts
            for cell in account.cells.values()
            for said in cell
            if said.disagrees
        )


# So many claims stand as columns beside ours. Of more, what they say stands beside ours, and they
# themselves one below the other.
MOST_BESIDE = 3


def compare(incident: Incident, assessed: Any, claims: Sequence[Any]) -> Comparison:
    """Of a record with its parts loaded, see `incidents.admin.reading.record_to_read`."""
    bases = _bases(assessed.counts)
    ours = _ours(incident, assessed)
    voices: dict[str, Voice] = {}
    for number, claim in enumerate(claims, 1):
        account = _account(incident, assessed, claim, number, bases)
        group = independence_group(claim)
        voices.setdefault(group, Voice(group)).accounts.append(account)
    every = [ours, *(account for voice in voices.values() for account in voice.accounts)]
    spoken_of = {thing for account in every for thing in account.cells}
    things = [(thing, label) for thing, label in _things() if thing in spoken_of]
    return Comparison(things, ours, [*voices.values()])


def independence_group(claim: Claim) -> str:
    speaker = claim.attributed_outlet or claim.attributed_actor
    return "" if speaker is None else speaker.independence_group


def _things() -> list[tuple[str, str]]:
    outcomes = [(code, label.label) for code, label in code_list("outcome").items()]
    first = [(code, label) for code, label in outcomes if code == KILLED]
    rest = [(code, label) for code, label in outcomes if code != KILLED]
    return [
        ("date", "date"),
        ("place", "place"),
        ("weapon", "weapon"),
        ("perpetrator", "perpetrator"),
        *first,
        (CHILDREN, "children"),
        (WOMEN, "women"),
        *rest,
    ]


def _ours(incident: Incident, assessed: Any) -> Account:
    ours = Account()
    if incident.date_edtf:
        ours.say("date", Said(_day(incident.date_edtf, incident.local_time)))
    if incident.place is not None:
        point = _point(incident.latitude, incident.longitude)
        ours.say("place", Said(_joined(str(incident.place), point)))
    for use in assessed.weapons:
        ours.say(
            "weapon", Said(_certain(use.weapon.label, use.certainty), anchor=f"weapon-{use.pk}")
        )
    for row in assessed.actors:
        if row.role in _PERPETRATES:
            ours.say(
                "perpetrator",
                Said(_certain(row.actor.name, row.certainty), anchor=f"actor-{row.pk}"),
            )
    for count in assessed.counts:
        ours.say(
            thing_of(count),
            Said(figure(count), words=count.reported_text, anchor=f"count-{count.pk}"),
        )
    return ours


def _account(
    incident: Incident,
    assessed: Any,
    claim: Any,
    number: int,
    bases: dict[tuple[int, Any], tuple[list[str], str]],
) -> Account:
    account = Account(claim, number)
    if claim.date_said or claim.time_said:
        account.say(
            "date",
            Said(
                claim.date_said or "no day given",
                words=claim.time_said,
                disagrees=_days_apart(claim.date_said, incident),
            ),
        )
    if claim.place_said or claim.latitude is not None:
        account.say(
            "place",
            Said(
                _joined(claim.place_said, _point(claim.latitude, claim.longitude)),
                disagrees=_point_apart(claim, incident),
            ),
        )
    _say_weapons(account, claim, assessed)
    _say_perpetrators(account, claim, assessed)
    of_ours = {_group(count): count for count in assessed.counts}
    for count in claim.counts:
        our = of_ours.get(_group(count))
        sets, left_out = bases.get((claim.pk, _group(count)), ([], ""))
        account.say(
            thing_of(count),
            Said(
                figure(count),
                words=count.reported_text,
                anchor=f"count-{count.pk}",
                disagrees="" if our is None else _apart(count, our),
                sets=tuple(sets),
                left_out=left_out,
            ),
        )
    return account


def _say_weapons(account: Account, claim: Any, assessed: Any) -> None:
    ours = {use.weapon for use in assessed.weapons if use.certainty != DENIED}
    named = {use.weapon for use in claim.weapons if use.certainty != DENIED}
    is_other = bool(ours and named) and not any(
        one.pk == other.pk or one.parent_id == other.pk or other.parent_id == one.pk
        for one in named
        for other in ours
    )
    for use in claim.weapons:
        apart = "another than ours" if is_other and use.certainty != DENIED else ""
        if use.certainty == DENIED and use.weapon in ours:
            apart = "denies ours"
        account.say(
            "weapon",
            Said(
                _certain(use.weapon.label, use.certainty),
                words=use.reported_text,
                anchor=f"weapon-{use.pk}",
                disagrees=apart,
            ),
        )


def _say_perpetrators(account: Account, claim: Any, assessed: Any) -> None:
    ours = [row for row in assessed.actors if row.role in _PERPETRATES and row.certainty != DENIED]
    rows = [row for row in claim.actors if row.role in _PERPETRATES]
    named = [row.actor for row in rows if row.certainty != DENIED]
    is_other = bool(ours and named) and not any(
        one.pk == row.actor_id or one.parent_id == row.actor_id or row.actor.parent_id == one.pk
        for one in named
        for row in ours
    )
    for row in rows:
        apart = "another than ours" if is_other and row.certainty != DENIED else ""
        if row.certainty == DENIED and row.actor_id in {our.actor_id for our in ours}:
            apart = "denies ours"
        account.say(
            "perpetrator",
            Said(
                _certain(row.actor.name, row.certainty),
                words=row.reported_text,
                anchor=f"actor-{row.pk}",
                disagrees=apart,
            ),
        )
    if claim.kind == "denial" and not rows and ours:
        account.say("perpetrator", Said("a denial", disagrees="denies ours"))


def thing_of(count: CasualtyCount) -> str:
    """Under which thing a count stands: children and women of those killed by themselves."""
    if count.outcome == KILLED and count.age_group in _CHILD:
        return CHILDREN
    if count.outcome == KILLED and count.sex == "female" and count.age_group in ("all", "adult"):
        return WOMEN
    return str(count.outcome)


def range_of(count: CasualtyCount) -> Range:
    """The least and the most that a count allows; None where it sets no such bound."""
    low = count.best if count.min is None else count.min
    high = count.best if count.max is None and count.qualifier == "exact" else count.max
    return low, high


def _apart(count: CasualtyCount, ours: CasualtyCount) -> str:
    low, high = range_of(count)
    our_low, our_high = range_of(ours)
    if low is not None and our_high is not None and low > our_high:
        return "above ours"
    if high is not None and our_low is not None and high < our_low:
        return "below ours"
    return ""


def in_figures(low: int | None, best: int | None, high: int | None) -> str:
    """Such as "2 to 3, best 2", "at least 2" or "in words only"; 0 is a figure."""
    if low is None and high is None:
        return "no figure" if best is None else f"about {best}"
    if low is not None and low == high:
        return str(low)
    if high is None:
        text = f"at least {low}"
    elif low is None:
        text = f"at most {high}"
    else:
        text = f"{low} to {high}"
    return text if best is None else f"{text}, best {best}"


def figure(count: CasualtyCount) -> str:
    """A count's figures, and of whom where it is not of everybody."""
    said = in_figures(count.min, count.best, count.max)
    of = group_in_words(count, without=thing_of(count))
    return f"{said} ({of})" if of else said


def group_in_words(count: CasualtyCount, *, without: str = "") -> str:
    """Whom a count is of; empty where it is of everybody. ``without`` is said elsewhere."""
    parts = []
    if count.status != "all":
        parts.append(code_list("person_status")[count.status].label)
    if count.role != "all":
        parts.append(code_list("person_role")[count.role].label)
    if count.sex != "all" and without != WOMEN:
        parts.append(code_list("sex")[count.sex].label)
    if count.age_group != "all" and not (without == CHILDREN and count.age_group == "child"):
        parts.append(code_list("age_group")[count.age_group].label)
    if count.affiliation_id is not None:
        parts.append(f"of {count.affiliation}")
    return ", ".join(parts)


def _group(count: CasualtyCount) -> Any:
    return (
        count.outcome,
        count.status,
        count.role,
        count.sex,
        count.age_group,
        count.affiliation_id,
    )


def _bases(counts: Iterable[Any]) -> dict[tuple[int, Any], tuple[list[str], str]]:
    """(claim, group of the count) -> the bounds it sets, and why it was left out."""
    labels = code_list("basis_bound")
    found: dict[tuple[int, Any], tuple[list[str], str]] = {}
    for count in counts:
        for basis in count.basis.all():
            key = (basis.claim_id, _group(count))
            sets, left_out = found.get(key, ([], ""))
            if basis.bound == Bound.LEFT_OUT:
                left_out = basis.reason
            else:
                sets = [*sets, labels[basis.bound].label]
            found[key] = (sets, left_out)
    return found


def _certain(name: str, certainty: str) -> str:
    return name if certainty == "confirmed" else f"{name}, {certainty}"


def _day(edtf: str, at: datetime.time | None) -> str:
    return edtf if at is None else f"{edtf} {at:%H:%M}"


def _point(latitude: Any, longitude: Any) -> str:
    """To a metre: more digits say nothing of where it was."""
    if latitude is None or longitude is None:
        return ""
    return f"{latitude:.5f}, {longitude:.5f}"


def _joined(name: str, point: str) -> str:
    return f"{name} ({point})" if name and point else name or point


def _days_apart(said: str | None, incident: Incident) -> str:
    if not said or not incident.date_edtf:
        return ""
    theirs, ours = parse_edtf(said), parse_edtf(incident.date_edtf)
    if theirs.latest and ours.earliest and theirs.latest < ours.earliest:
        return "before ours"
    if theirs.earliest and ours.latest and theirs.earliest > ours.latest:
        return "after ours"
    return ""


def _point_apart(claim: Claim, incident: Incident) -> str:
    if claim.latitude is None or incident.latitude is None:
        return ""
    away = distance_km((claim.latitude, claim.longitude), (incident.latitude, incident.longitude))
    reach = radius_km_of(incident)
    return f"{away:.1f} km from ours" if reach is not None and away > max(reach, 1) else ""
