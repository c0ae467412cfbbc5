"""An agency keeps raw records of its own; a city is its agencies under one clock."""

from dataclasses import dataclass

from deepcity.city.clock import Clock
from deepcity.city.field import Field
from deepcity.city.localized_text import LocalizedText
from deepcity.city.place import Place


@dataclass(frozen=True)
class Agency:
    """Who keeps which fields of which places; a party when it learns with others.

    Attributes:
        domain: of the Deep Data Layer, by its name in `deepcity.data.domains`.
    """

    name: str
    title: LocalizedText
    domain: str
    places: tuple[Place, ...]
    fields: tuple[Field, ...]


@dataclass(frozen=True)
class City:
    """A city: its name, its clock and its agencies."""

    name: str
    title: LocalizedText
    clock: Clock
    agencies: tuple[Agency, ...]

    def agency(self, name: str) -> Agency:
        """The agency of that name.

        Raises:
            KeyError: if the city has no such agency.
        """
        for agency in self.agencies:
            if agency.name == name:
                return agency
        raise KeyError(
            f"{self.name} has no agency {name!r}; it has {', '.join(a.name for a in self.agencies)}"
        )
