"""Domains of the Deep Data Layer, one file each; this folder is the registry.

The paper names five; a city that keeps records of another kind adds a file. A domain module
defines `DOMAIN`: its purpose, the kinds of fields its agencies usually keep, and their
sensitivity unless a city file states another.
"""

from dataclasses import dataclass
from importlib import import_module
from pkgutil import iter_modules

from deepcity.city.agency import Agency
from deepcity.city.field import Kind, Sensitivity
from deepcity.city.localized_text import LocalizedText
from deepcity.data.findings import Finding, Severity

PAPER = ("life", "resources", "cctv", "transport", "environment")
"""The five of the paper, in its order."""


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

    name: str
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
                f"a {field.kind.value} is unusual in domain {self.name} (usual: {expected})",
            )
            for field in agency.fields
            if field.kind not in self.kinds
        ]


def domains() -> dict[str, Domain]:
    """Every domain of this folder by its name: the paper's in its order, then the others.

    >>> list(domains())[:5]
    ['life', 'resources', 'cctv', 'transport', 'environment']
    """
    modules = (import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__))
    found: dict[str, Domain] = {module.DOMAIN.name: module.DOMAIN for module in modules}
    ordered = [*PAPER, *sorted(found.keys() - set(PAPER))]
    return {name: found[name] for name in ordered}
