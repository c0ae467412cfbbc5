"""Which agencies of several cities pretrain their encoders together, and by which rounds.

The first parties of all cities, the second ones, and so on: the equal agencies that help them
share h1..hk of their encoders (`deepcity.vertical.encoder_party`). An agency whose encoder the map
names, or that has no equal, is pretrained by itself.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from deepcity.exchange.rounds import FederationPlan
from deepcity.exchange.strategies import FedAvg
from deepcity.learning.networks.encoder import first_layers
from deepcity.maps.vertical_settings import FeaturePartySettings, VerticalSettings

PRETRAINING_ROUNDS = 6


def waves(parties: Iterable[str]) -> list[dict[str, str]]:
    """The first party of each city, then the second ones, and so on, by city.

    >>> waves(["east/water", "east/heat", "west/water"])
    [{'east': 'east/water', 'west': 'west/water'}, {'east': 'east/heat'}]
    """
    found: list[dict[str, str]] = []
    for party in parties:
        city = party.partition("/")[0]
        wave = next((one for one in found if city not in one), None)
        if wave is None:
            found.append(wave := {})
        wave[city] = party
    return found


def equals(
    vertical: VerticalSettings, wave: dict[str, str], agency: FeaturePartySettings
) -> dict[str, str]:
    """The agencies of a wave that pretrain together (CITY/AGENCY), with the party each helps.

    None where the map asks for none, or where fewer than two are left.
    """
    found = {
        f"{city}/{agency.agency}": party
        for city, party in wave.items()
        if agency.encoder_of(city) is None
    }
    return found if vertical.reuse_level and len(found) > 1 else {}


@dataclass(frozen=True)
class EqualAgencies:
    """Agencies of several cities that pretrain together.

    Attributes:
        agency: their name, in each city.
        number: of the wave, from 1.
        helped: agency with its city's name -> the party that it helps.
    """

    agency: str
    number: int
    helped: Mapping[str, str]

    @property
    def cities(self) -> tuple[str, ...]:
        """Whose agencies they are."""
        return tuple(name.partition("/")[0] for name in self.helped)

    def training(self, service: str) -> str:
        """Name of their training in a service."""
        return f"{service}.pretraining-{self.agency}-{self.number}"


def equal_agencies(
    vertical: VerticalSettings, parties: Iterable[str], agency: FeaturePartySettings
) -> list[EqualAgencies]:
    """The groups in which an agency's encoders are pretrained together, by wave."""
    groups = [
        EqualAgencies(agency.agency, number, equals(vertical, wave, agency))
        for number, wave in enumerate(waves(parties), 1)
    ]
    return [one for one in groups if one.helped]


def group_of(
    vertical: VerticalSettings, parties: Iterable[str], party: str, agency: FeaturePartySettings
) -> EqualAgencies | None:
    """With whom an agency's encoder for one of a service's parties is pretrained; None: nobody."""
    groups = equal_agencies(vertical, parties, agency)
    return next((one for one in groups if party in one.helped.values()), None)


def pretraining_steps(vertical: VerticalSettings) -> int:
    """Local steps of a round."""
    return max(1, vertical.pretrain_steps // PRETRAINING_ROUNDS)


def pretraining_plan(
    vertical: VerticalSettings, agencies: Iterable[str], seed: int
) -> FederationPlan:
    """The rounds of equal agencies."""
    levels = dict.fromkeys(agencies, vertical.reuse_level)
    return FederationPlan(levels, first_layers(vertical.level, seed), FedAvg(), PRETRAINING_ROUNDS)
