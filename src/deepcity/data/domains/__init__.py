"""The five domains of the Deep Data Layer, one file each; this folder is the registry.

A domain module holds `DOMAIN`: what the domain is for, which kinds of fields its agencies
keep, and how much these say about persons unless a city file says otherwise.
"""

from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from deepcity.city.agency import Agency, DomainName
from deepcity.city.field import Kind, Sensitivity
from deepcity.city.title import Title
from deepcity.data.findings import Finding, Severity


@dataclass(frozen=True)
class Domain:
    """One domain.

    Attributes:
        name: as city files write it.
        title: for people.
        purpose: one sentence on what its records are for.
        kinds: kinds of fields its agencies are expected to keep.
        sensitivity: of a field for which the city file states none.
    """

    name: DomainName
    title: Title
    purpose: Title
    kinds: frozenset[Kind]
    sensitivity: Sensitivity

    def look_at(self, agency: Agency) -> list[Finding]:
        """A warning for each field of a kind that the domain does not expect."""
        expected = ", ".join(sorted(kind.value for kind in self.kinds))
        return [
            Finding(
                Severity.WARNING,
                "unexpected-kind",
                field.name,
                1,
                f"a {field.kind.value} is unusual in the domain {self.name.value} ({expected})",
            )
            for field in agency.fields
            if field.kind not in self.kinds
        ]


@cache
def domains() -> dict[DomainName, Domain]:
    """Every domain of this folder by its name."""
    modules = (import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__))
    found: list[Domain] = [module.DOMAIN for module in modules]
    return {domain.name: domain for domain in found}
