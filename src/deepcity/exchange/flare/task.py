"""The envelope of a call between machines: which party is asked, in which training.

A `Message` holds a verb, numbers and layers; what a site must know beside that to find the party
and training that are meant travels here, as JSON. Nothing in it is trusted: a site bounds the
level and the stem by its own grant, and takes the caller's name from the transport.
"""

from collections.abc import Iterable
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from deepcity import __version__
from deepcity.city.errors import ExchangeError
from deepcity.city.level import MAX_LEVEL

AGENCY_METHOD = "agency"
"""Method of a call to a party as an agency that sends activations to an application."""
PRETRAINING_METHOD = "pretraining"
"""Method of a call to an agency whose encoder is pretrained with those of other cities."""
VERTICAL_METHOD = "vertical"
"""Method of a call to the application of a vertical training."""
LEDGER_METHOD = "ledger"
"""Method of a call by which heads of release ledgers are handed round."""
MOST_ENVELOPE = 4096
"""Bytes of an envelope; more are not read."""
_Name = Annotated[str, Field(max_length=200)]
_FileName = Annotated[str, Field(max_length=200, pattern=r"^[A-Za-z0-9_.-]*$")]
"""Names checkpoints: nothing that could lead out of their folder."""


class CallTask(BaseModel):
    """Who is asked, and for which training.

    Attributes:
        party: whom the message is for.
        caller: the party that asks, where a site asks; checked against its certificate's name.
        service, training, method: what the message belongs to; empty before a training.
        level, common_stem: what this training shares.
        application: the party for whose application an agency's encoder is pretrained.
        from_package: whether it starts from the layer package that the map names; each site has
            that package beside its own map.
        version: of deepcity at the caller; a site answers its own version alone.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    party: _Name
    caller: _Name = ""
    service: _FileName = ""
    training: _FileName = ""
    method: _FileName = ""
    level: int = Field(default=0, ge=0, le=MAX_LEVEL)
    common_stem: bool = False
    application: _Name = ""
    from_package: bool = False
    version: Annotated[str, Field(max_length=50, pattern=r"^[0-9A-Za-z.+-]*$")] = __version__


def task_from(text: str) -> CallTask:
    """The envelope that `CallTask.model_dump_json` wrote.

    Raises:
        ExchangeError: naming the first thing that is wrong with it.
    """
    if len(text) > MOST_ENVELOPE:
        raise ExchangeError(f"an envelope of {len(text)} characters; at most {MOST_ENVELOPE}")
    try:
        return CallTask.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "it"
        raise ExchangeError(f"not an envelope: {where}: {first['msg']}") from None


def check_version(task: CallTask) -> None:
    """Refuse a call of another version: it may mean something else by the same words.

    Raises:
        ExchangeError: naming both versions.
    """
    found = task.version if "version" in task.model_fields_set else "without a number"
    if found != __version__:
        raise ExchangeError(
            f"the caller's deepcity is version {found}, this site's is {__version__}; install the "
            f"same version at both"
        )


def site_name(party: str) -> str:
    """A party's name as the engine can carry it.

    >>> site_name("ferrara/district-1:inflow")
    'ferrara_district-1_inflow'
    """
    return party.replace("/", "_").replace(":", "_")


def sites_for(party: str) -> tuple[str, str, str]:
    """Names of the sites that may answer for a party, nearest first: its own, agency's, city's.

    >>> sites_for("ferrara/district-1:inflow")
    ('ferrara_district-1_inflow', 'ferrara_district-1', 'ferrara')
    """
    agency = party.partition(":")[0]
    return site_name(party), site_name(agency), agency.partition("/")[0]


def site_of(party: str, sites: Iterable[str]) -> str | None:
    """The site that answers for a party: the nearest of `sites_for` that is there.

    >>> site_of("ferrara/district-1:inflow", ["ferrara", "seoul"])
    'ferrara'
    >>> site_of("ferrara/district-1:inflow", ["ferrara", "ferrara_district-1"])
    'ferrara_district-1'
    """
    known = set(sites)
    return next((name for name in sites_for(party) if name in known), None)
