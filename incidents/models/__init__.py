"""What happened, to whom, how we know, who checked, what we published.

Modules import downwards: places, actors and weapons stand alone; incidents need places; claims
need incidents; casualties, involvements and victims need claims; review and published come last,
and rows and releases need published. What waits needs incidents alone.
"""

from .actors import Actor
from .answers import WarningAnswer
from .casualties import CasualtyCount, CountBasis
from .changes import PublishedChange
from .claims import Claim
from .imports import ImportBatch, ImportedRow
from .incidents import (
    Assignment,
    Dataset,
    ExternalId,
    FurtherPlace,
    Incident,
    IncidentLink,
    IncidentRevision,
)
from .involvements import Involvement
from .key_counts import PublishedKeyCount
from .merges import Merge
from .places import Place
from .published import (
    CodeCounter,
    LedgerEntry,
    LedgerHead,
    PublishedIncident,
    PublishedReference,
    PublishedTotal,
    PublishedVersion,
    Redaction,
)
from .redacted import RedactedText
from .releases import Release, ReleaseBuild, ReleaseFile, ReleaseText, ReleaseWithdrawal
from .review import Look, Review, ReviewComment
from .rows import PublishedCasualty, PublishedClaim, PublishedIncidentRow, PublishedVictim
from .tallies import PublishedGroupValue, PublishedPart, PublishedTally
from .tally_sums import PublishedAdm1Sum, PublishedTallySum
from .victims import Victim, VictimClaim
from .waiting import Waiting, WaitingCount, WaitingRecount
from .weapons import WeaponType, WeaponUse

__all__ = [
    "Actor",
    "Assignment",
    "CasualtyCount",
    "Claim",
    "CodeCounter",
    "CountBasis",
    "Dataset",
    "ExternalId",
    "FurtherPlace",
    "ImportBatch",
    "ImportedRow",
    "Incident",
    "IncidentLink",
    "IncidentRevision",
    "Involvement",
    "LedgerEntry",
    "LedgerHead",
    "Look",
    "Merge",
    "Place",
    "PublishedAdm1Sum",
    "PublishedCasualty",
    "PublishedChange",
    "PublishedClaim",
    "PublishedGroupValue",
    "PublishedIncident",
    "PublishedIncidentRow",
    "PublishedKeyCount",
    "PublishedPart",
    "PublishedReference",
    "PublishedTally",
    "PublishedTallySum",
    "PublishedTotal",
    "PublishedVersion",
    "PublishedVictim",
    "RedactedText",
    "Redaction",
    "Release",
    "ReleaseBuild",
    "ReleaseFile",
    "ReleaseText",
    "ReleaseWithdrawal",
    "Review",
    "ReviewComment",
    "Victim",
    "VictimClaim",
    "Waiting",
    "WaitingCount",
    "WaitingRecount",
    "WarningAnswer",
    "WeaponType",
    "WeaponUse",
]
