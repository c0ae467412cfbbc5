"""What people send of a case: its form."""

from datetime import datetime
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import numpy as np
from pydantic import Field, field_validator

from deepcity.applications.tasks.matching.match_state import Spot
from deepcity.city.errors import CaseError
from deepcity.intercity.casework.opening import Opening
from deepcity.vision.searching.person_query import MOST_PICTURES, MOST_WIDTH, PersonQuery
from deepcity.web.control.asked import PlainText, PostedBody

Number = Annotated[float, Field(allow_inf_nan=False)]
Named = Annotated[PlainText, Field(min_length=1, max_length=200)]
_YEARS = range(2000, 2101)


class EmbeddingsAsked(PostedBody):
    """Pictures of who is looked for, as embeddings; one row a picture."""

    network: Named
    embeddings: Annotated[
        list[Annotated[list[Number], Field(min_length=1, max_length=MOST_WIDTH)]],
        Field(min_length=1, max_length=MOST_PICTURES),
    ]


class SearchCaseAsked(PostedBody):
    """A report of a person who is missing, or whom a warrant names.

    `last_seen_at` without a zone is the city's time; `height_m`: least and most metres.
    """

    service: Named
    purpose: Named
    cities: Annotated[list[Named], Field(min_length=1, max_length=1000)]
    lat: Annotated[float, Field(ge=-90, le=90)]
    lon: Annotated[float, Field(ge=-180, le=180)]
    last_seen_at: datetime
    hours: Number | None = None
    back_hours: Number = 0.0
    height_m: tuple[Number, Number] | None = None
    upper: Annotated[tuple[Named, ...], Field(max_length=20)] = ()
    lower: Annotated[tuple[Named, ...], Field(max_length=20)] = ()
    pictures: EmbeddingsAsked | None = None

    @field_validator("last_seen_at")
    @classmethod
    def _plausible(cls, found: datetime) -> datetime:
        if found.year not in _YEARS:
            raise ValueError("no time of these years: send it as 2026-12-01T14:30")
        return found

    def opening(self, opened_by: str, zone: ZoneInfo) -> Opening:
        """As a case is drafted from it."""
        at = self.last_seen_at
        at = at if at.tzinfo is not None else at.replace(tzinfo=zone)
        return Opening(
            service=self.service,
            purpose=self.purpose,
            cities=tuple(dict.fromkeys(self.cities)),
            opened_by=opened_by,
            last_seen=Spot(self.lat, self.lon),
            last_seen_s=int(at.timestamp()),
            hours=self.hours,
            back_hours=self.back_hours,
        )

    def query(self) -> PersonQuery:
        """Who is looked for.

        Raises:
            CaseError: with everything that is wrong with it.
        """
        network, rows = "", np.zeros((0, 0))
        try:
            if self.pictures is not None:
                network = self.pictures.network
                rows = np.array(self.pictures.embeddings, dtype=np.float64)
            return PersonQuery(
                network, rows, self.height_m, frozenset(self.upper), frozenset(self.lower)
            )
        except ValueError as error:
            raise CaseError("no-query", str(error)) from error


class ApprovalAsked(PostedBody):
    """That a person has read a case of this digest, and approves it."""

    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class SignedCopyAsked(PostedBody):
    """A copy of `case.json` that others have signed, as its text."""

    file: Annotated[str, Field(max_length=100_000)]


class CaseSearchAsked(PostedBody):
    """`watching`: the page asks by itself, as often as it may."""

    watching: bool = False


class HitVerdictAsked(PostedBody):
    """What a person says of a sighting."""

    city: Named
    camera: Named
    time_s: Annotated[int, Field(ge=0, le=10**11)]
    verdict: Literal["confirmed", "rejected"]


class ClosingAsked(PostedBody):
    """That a case is to be closed."""

    close: Literal[True]
