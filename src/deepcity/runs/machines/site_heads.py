"""A site's part when heads of release ledgers are handed round between machines.

Every party and agency of the site answers, by the site's own map and the identities in its kit: the
hub's word on who belongs to the federation, or under which key, counts for nothing.
"""

from dataclasses import dataclass, field
from threading import Lock

from deepcity.exchange.exchange import Handler
from deepcity.exchange.flare.access import HEAD_RULES, CallAccess
from deepcity.exchange.flare.desk import PartyDesk
from deepcity.exchange.flare.identities import IDENTITY, party_identities
from deepcity.exchange.flare.task import CallTask
from deepcity.exchange.trust.head_party import HeadParty
from deepcity.maps.city_map import CityMap
from deepcity.parties.releases.heads import head_party
from deepcity.runs.machines.federated_map import ledger_names
from deepcity.runs.machines.site_places import SitePlaces
from deepcity.store.run_folder import site_folder


def head_desks(city_map: CityMap, places: SitePlaces) -> dict[str, PartyDesk]:
    """The parties and agencies of this site that keep a ledger, by name."""
    names = ledger_names(city_map)
    here = [name for name in names if places.is_here(name)]
    return {
        name: PartyDesk(CallAccess(HEAD_RULES), _Heads(name, names, places).handler)
        for name in here
    }


@dataclass
class _Heads:
    """The answers of one of them, made when it is first asked.

    Attributes:
        names: of all that keep a ledger, by the site's own map.
    """

    name: str
    names: tuple[str, ...]
    places: SitePlaces
    opened: HeadParty | None = None
    lock: Lock = field(default_factory=Lock)

    def handler(self, _task: CallTask) -> Handler:
        with self.lock:
            if self.opened is None:
                kit = self.places.run.parent
                known = party_identities(kit, self.names)
                self.opened = head_party(
                    site_folder(self.places.run, self.name),
                    self.name,
                    kit / "local" / IDENTITY,
                    {name: key.hex() for name, key in known.items()},
                    self.names,
                )
            return self.opened
