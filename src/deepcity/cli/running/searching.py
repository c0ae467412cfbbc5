"""What the control room searches other cities with, where `deepcity up --cities` names them."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from deepcity.live.casework.other_cities import OtherCities
    from deepcity.web.control.cases.case_desk import CaseDesk


def case_desk(cities: "OtherCities | None", city: str, folder: Path) -> "CaseDesk | None":
    """The desk of searches; None where no other cities are named.

    Args:
        folder: the node's own: cases lie in ``cases``, people's keys in ``people``.
    """
    if cities is None:
        return None
    from deepcity.intercity.casework.case_room import CaseRoom
    from deepcity.live.casework.http_exchange import http_exchange
    from deepcity.store.signatures.keyring import own_keyring
    from deepcity.web.control.cases.case_desk import CaseDesk

    room = CaseRoom(
        folder / "cases", city, cities.spots, own_keyring(), passers_by_h=cities.passers_by_h
    )
    return CaseDesk(room, http_exchange(cities), folder / "people")
