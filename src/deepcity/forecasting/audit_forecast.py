"""The forecast that is made from an agency's deep data, as its readers see it.

Whoever reads the forecast learns something of the agency's records without any deep data: that is
the floor that the leakage of deep data is compared with. It takes the records of the party and all
its agencies, so it is known where these are, and elsewhere not.

Shapes: B times, C cells of the audited agency, N places of the party, H horizon steps.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from deepcity.city.arrays import Floats, Ints
from deepcity.city.errors import DeepCityError
from deepcity.data.city_file import CityFile, load_panel
from deepcity.data.windows import Span
from deepcity.learning.features.agency_columns import Columns
from deepcity.learning.features.inputs import Inputs, fit_inputs
from deepcity.learning.split.encoder_package import SUFFIX as ENCODER
from deepcity.learning.split.encoder_package import EncoderPackage, load_encoder
from deepcity.learning.split.fused_package import SUFFIX as FUSED
from deepcity.learning.split.fused_package import FusedPackage, load_fused
from deepcity.store.deep_data.batch import Space

Forecast = Callable[[Ints], Floats]
"""Times (B,), UTC seconds, -> (B, C, H): forecasts of the places of each cell, in their scale."""
_CHUNK = 128  # origins at once, to bound memory


def forecast_from(site: Path, encoder: EncoderPackage, city: CityFile) -> Forecast | None:
    """The forecast of the application that was trained with an encoder; None: it is not known here.

    Args:
        site: the agency's folder, in the folder of a run.
    """
    run = site.absolute().parents[1]
    try:
        fused = _application(run, encoder.space)
        if fused is None:
            return None
        return _Forecasts(fused, *_inputs(fused, city), _agencies(run, fused, city), encoder).at
    except DeepCityError:  # records or packages that are not here
        return None


@dataclass(frozen=True, eq=False)
class _Forecasts:
    fused: FusedPackage
    inputs: Inputs
    time_T: Ints
    first: int
    agencies: Mapping[str, tuple[EncoderPackage, Columns]]
    audited: EncoderPackage

    def at(self, times_B: Ints) -> Floats:
        """See `Forecast`; times without a whole window are those nearest to it that have one."""
        step_s, horizon = self.fused.facts.step_s, self.fused.facts.settings.horizon
        origins_B = (times_B - int(self.time_T[0])) // step_s
        origins_B = np.clip(origins_B, self.first, len(self.time_T) - horizon)
        chunks = range(0, len(origins_B), _CHUNK)
        found = [self._chunk(origins_B[start : start + _CHUNK]) for start in chunks]
        seen_BNH = np.concatenate(found)
        weight_NC = self.fused.cell_weights[self.audited.facts.agency]
        weight_NC = np.where(weight_NC.sum(axis=0) > 0, weight_NC, 1.0)
        share_NC = weight_NC / weight_NC.sum(axis=0)
        return np.asarray(np.einsum("bnh,nc->bch", seen_BNH, share_NC), np.float32)

    def _chunk(self, origins_B: Ints) -> Floats:
        deep = {}
        for agency in self.fused.facts.agencies:
            package, columns = self.agencies[agency.name]
            times_B = np.array([agency.grid.last(int(at)) for at in self.time_T[origins_B]])
            deep[agency.name] = package.encode_columns(columns, times_B)
        forecast_BNH = self.fused.predict(self.inputs.samples(origins_B), deep)
        return np.asarray((forecast_BNH - self.inputs.mean_N1) / self.inputs.spread_N1)


def _application(run: Path, space: Space) -> FusedPackage | None:
    """The newest application in a run's folder that was trained with the deep data of a space."""
    paths = sorted(run.glob(f"sites/*/packages/*/*{FUSED}"), key=lambda one: one.stat().st_mtime_ns)
    for path in reversed(paths):
        fused = load_fused(path)
        if space in [one.space for one in fused.facts.agencies]:
            return fused
    return None


def _inputs(fused: FusedPackage, city: CityFile) -> tuple[Inputs, Ints, int]:
    """The party's inputs, the times of its records, and the first origin with a whole window."""
    facts = fused.facts
    panel = load_panel(city, facts.agency)
    first, last = np.searchsorted(panel.time_T, np.array(facts.train_s))
    train = Span(int(first), int(last) + 1)
    inputs = fit_inputs(panel, facts.field, facts.settings, train, panel.adjacency_NN)
    return inputs, panel.time_T, train.start + facts.settings.history


def _agencies(
    run: Path, fused: FusedPackage, city: CityFile
) -> dict[str, tuple[EncoderPackage, Columns]]:
    """Each agency's encoder and its records.

    Raises:
        DeepCityError: if one is not here.
    """
    names = [(one.name, one.space.version) for one in fused.facts.agencies]
    paths = [_one(run, f"{name}-{version}") for name, version in names]
    found = {}
    for (name, _), path in zip(names, paths, strict=True):
        package = load_encoder(path)
        found[name] = package, package.to_columns(load_panel(city, name))
    return found


def _one(run: Path, name: str) -> Path:
    """An encoder's file in a run's folder, by its name; where it is not there, one that is none."""
    found: Sequence[Path] = sorted(run.glob(f"sites/*/packages/*/{name}{ENCODER}"))
    return found[0] if found else run / f"{name}{ENCODER}"
