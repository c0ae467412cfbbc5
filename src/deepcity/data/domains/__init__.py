"""The five domains of the Deep Data Layer, one file each; this folder is the registry.

A domain module defines `DOMAIN`: its purpose, the kinds of fields its agencies usually keep,
and their sensitivity unless a city file states another.
"""

from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from deepcity.city.agency import Agency, DomainName
from deepcity.city.field import Kind, Sensitivity
from deepcity.city.localized_text import LocalizedText
from deepcity.data.findings import Finding, Severity


@dataclass(frozen=True)
class Domain:
    """One domain.

    Attributes:
        name: its name in city files.
        title: its name in reports.
        purpose: one sentence on what its records are about.
        kinds: kinds of fields its agencies are expected to keep.
        sensitivity: of a field for which the city file states none.
    """

    name: DomainName
    title: LocalizedText
    purpose: LocalizedText
    kinds: frozenset[Kind]
    sensitivity: Sensitivity

    def find_warnings(self, agency: Agency) -> list[Finding]:
        """A warning for each field of a kind that the domain does not expect."""
        expected = ", ".join(sorted(kind.value for kind in self.kinds))
        return [
            Finding(
                Severity.WARNING,
                "unexpected-kind",
                field.name,
                1,
                f"a {field.kind.value} is unusual in domain {self.name.value} (usual: {expected})",
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
