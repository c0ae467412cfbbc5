"""The audit of an agency's encoder, whose deep data leave it, at the agency's own site."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from deepcity.audit.audit_file import VERSION
from deepcity.audit.effort import EffortName, effort_of
from deepcity.audit.results import AuditSubject, PartyAudit
from deepcity.audit.steps import window_steps
from deepcity.audit.window.checks import check_victim
from deepcity.audit.window.encoder_releases import encoder_victim
from deepcity.city.arrays import Ints
from deepcity.data.city_file import CityFile, load_panel
from deepcity.forecasting.audit_forecast import forecast_from
from deepcity.forecasting.audit_network import AuditPlan
from deepcity.learning.features.agency_columns import Columns
from deepcity.learning.split.encoder_package import SUFFIX, EncoderPackage, load_encoder

_LEARNED = 0.7
"""Share of the records taken for learned from, where a package does not say until when."""


@dataclass(frozen=True, eq=False)
class AgencyEncoder:
    """An encoder in its agency's site folder.

    Attributes:
        site: the folder.
    """

    site: Path
    package: EncoderPackage
    city_file: CityFile

    @property
    def name(self) -> str:
        """ "city/agency"."""
        return f"{self.package.facts.city}/{self.package.facts.agency}"


def find_encoders(folder: Path, cities: list[CityFile]) -> list[AgencyEncoder]:
    """The newest encoder of each agency and party, in the folder of a vertical run or of a site.

    Args:
        cities: whose agencies are wanted.

    Raises:
        LayerPackageError: if a package is damaged.
    """
    files = {one.city.name: one for one in cities}
    newest: dict[tuple[Path, str], AgencyEncoder] = {}
    for path in sorted(encoder_paths(folder), key=lambda path: path.stat().st_mtime_ns):
        package = load_encoder(path)
        if package.facts.city in files:
            city_file = files[package.facts.city]
            key = path.parent, package.facts.agency
            newest[key] = AgencyEncoder(path.parents[2], package, city_file)
    return list(newest.values())


def encoder_paths(folder: Path) -> list[Path]:
    """Packages of encoders in the folder of a vertical run, or of a site."""
    found = [*folder.glob(f"sites/*/packages/*/*{SUFFIX}"), *folder.glob(f"packages/*/*{SUFFIX}")]
    return sorted(found)


def plan_encoder_audit(agency: AgencyEncoder, effort: EffortName, seed: int) -> AuditPlan:
    """The audit of one encoder.

    Raises:
        DataError: if the agency's records are not there, or too few.
        LayerPackageError: if they do not fit the encoder.
    """
    package = agency.package
    columns = package.to_columns(load_panel(agency.city_file, package.facts.agency))
    times_B = _times(package, columns)
    until, sizes = package.facts.learned_until, effort_of(effort)
    learned = round(_LEARNED * len(times_B))
    if until is not None:
        learned = int(np.searchsorted(times_B, until))
    forecast = forecast_from(agency.site, package, agency.city_file)
    victim = encoder_victim(
        package.encoder, columns, times_B, learned, sizes, seed, package.released, forecast
    )
    check_victim(agency.name, victim)
    subject = AuditSubject(
        service=package.facts.service,
        party=agency.name,
        model=package.version,
        level=package.encoder.shape.level,
        deep_width=package.encoder.shape.width,
        field=", ".join(name for name, _ in package.facts.fields),
        window_steps=package.settings.history,
        step_s=package.facts.step_s,
    )
    audit = PartyAudit(version=VERSION, subject=subject, effort=effort, seed=seed)
    return AuditPlan(audit, window_steps(victim, sizes, seed))


def _times(package: EncoderPackage, columns: Columns) -> Ints:
    """Times at which it encodes whose rows are all in the records, UTC seconds."""
    step_s, first = columns.clock.step_s, int(columns.time_T[0])
    steps = columns.lookback + columns.settings.lag
    last = int(columns.time_T[-1]) - columns.settings.used_ahead * step_s
    return package.facts.grid.between(first + steps * step_s - 1, last)
