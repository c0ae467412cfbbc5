"""A trained application in one sealed file: its fused network and what serving needs.

It names the version of each agency's encoder it was trained with, because deep data of
another version lie in another space. Its bands are calibrated for each set of agencies
present (split conformal prediction, `deepcity.learning.evaluation.bands`): the fewer, the wider.

Shapes: B origins, N places, C cells of an agency, D deep width, H horizon steps.
"""

import copy
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field, replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from deepcity.city.arrays import Floats, Ints
from deepcity.city.errors import LayerPackageError
from deepcity.learning.evaluation.bands import half_width
from deepcity.learning.features.inputs import Inputs, Samples, WindowSettings
from deepcity.learning.networks.fused import Cut, FusedNetwork
from deepcity.learning.networks.network import Network, Shape
from deepcity.learning.networks.reuse import load_arrays
from deepcity.learning.split.deep_day import DayPattern, fit_day
from deepcity.learning.split.deep_stats import STATS_SHAPE, deep_stats
from deepcity.learning.split.encoder_package import TimeGrid
from deepcity.learning.split.fusion_inputs import DeepBatches, as_tensors, predict
from deepcity.store.blob import Header
from deepcity.store.deep_data.batch import Space
from deepcity.store.packages.sealed_file import (
    FORMAT,
    Groups,
    load_parts,
    version_of,
    write_sealed,
)

FUSED_FORMAT = "deepcity-fused-3"
SUFFIX = ".fused"
_ALL_SETS_UP_TO = 4  # agencies: 16 sets
_NONE = "+"  # no agency has this name
TRUTH, KNOWN, ALL, NO_AGENCY, TYPICAL = "truth", "known", "all", "no-agency", "typical"

NOT_STANDALONE = (
    "it holds neither rows nor labels, and its output becomes a forecast only with the typical "
    "day and scale of the agency that holds them; train with labels_stay = false: that agency is "
    "the application then, its labels stay with it all the same, and it runs `deepcity serve`"
)
"""Why an application without labels cannot be served, and the next step."""

Bands = Mapping[frozenset[str], Floats]
"""Agencies present -> half the band's width for each place and step, (N, H)."""


@dataclass(frozen=True)
class InputAgency:
    """An agency whose deep data the application was trained with.

    Attributes:
        space: of its deep data; its version is the encoder's.
        step_s: of the agency's own rows; how fast its deep data age.
        grid: the times at which it encodes.
    """

    name: str
    space: Space
    width: int
    step_s: int
    grid: TimeGrid


@dataclass(frozen=True)
class FusedFacts:
    """What the application forecasts, for whom, and from whose deep data.

    Attributes:
        city, agency: whose rows it forecasts.
        service: the purpose, for which agencies granted their deep data.
        field, unit: what is forecast.
        places: in the order of the panel.
        step_s: of the panel.
        settings: window of the network; one lead.
        train_s: first and last second of the training span; typical days and scales are
            fitted on it again whenever rows arrive.
        band: share of truths a band is to cover.
        application: whose question it answers; empty in packages of before it was kept.
        purpose: of the service, by which a city's policy decides; empty: not recorded.
    """

    city: str
    agency: str
    service: str
    field: str
    unit: str
    places: tuple[str, ...]
    step_s: int
    settings: WindowSettings
    train_s: tuple[int, int]
    agencies: tuple[InputAgency, ...]
    band: float = 0.9
    application: str = ""
    purpose: str = ""


_FACTS = TypeAdapter(FusedFacts)


@dataclass(frozen=True, eq=False)
class FusedPackage:
    """A trained application.

    Attributes:
        alone: for when none is; None: `network` without agencies.
        cells: agency -> (C,) its cells, in the order of its deep data.
        cell_weights: agency -> (N, C), weights of its cells for each place.
        bands: half-widths by the set of agencies present.
        baseline_band_NH: half-width of the typical day alone, for when own rows are late.
        scale_N1: of deviations on the training span; to check that rows are the same.
        past: forecasts of the validation span with every agency (`ALL`), with none (`NO_AGENCY`)
            and by the typical day (`TYPICAL`), and what came (`TRUTH`, 0 where not `KNOWN`), each
            (B, N, H); decisions rest on their errors. Empty in packages of before they were kept.
        deep_stats: agency -> what its deep data were like on the validation span, as
            `DeepStats.of` reads it. Empty in packages of before they were kept.
        deep_days: agency -> how they change over the day, as `DayPattern.of` reads it. Without an
            agency whose times are too few, and empty in packages of before they were kept.
        version: first 16 hex digits of the content's SHA-256.
    """

    facts: FusedFacts
    network: FusedNetwork
    alone: Network | None
    cells: Mapping[str, Ints]
    cell_weights: Mapping[str, Floats]
    bands: Bands
    baseline_band_NH: Floats
    scale_N1: Floats
    past: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    deep_stats: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    deep_days: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    version: str = ""

    def predict(self, samples: Samples, deep: DeepBatches) -> Floats:
        """Forecasts in the field's unit, (B, N, H)."""
        cell_weights = as_tensors(self.cell_weights)
        output = predict(self.network, cell_weights, samples, deep, alone=self.alone)
        return np.asarray(samples.baseline_BNH + samples.scale_N1 * output, dtype=np.float32)

    def half_width(self, agencies: Collection[str]) -> Floats:
        """Half the band's width when these agencies are present, (N, H)."""
        found = self.bands.get(frozenset(agencies))
        if found is not None:
            return found
        # not calibrated: the widest band of its subsets
        fewer = [band for names, band in self.bands.items() if names <= frozenset(agencies)]
        return np.asarray(np.max(fewer, axis=0), dtype=np.float32)


def calibrate(
    network: FusedNetwork,
    alone: Network | None,
    cell_weights: Mapping[str, Floats],
    samples: Samples,
    deep: DeepBatches,
    band: float = 0.9,
) -> tuple[Bands, Floats]:
    """Bands for each set of agencies present, and that of the typical day, from validation rows.

    All sets of up to four agencies; of more, all, all but one, and none. A band never narrows
    where an agency is missing, even if it would by chance.
    """
    found: dict[frozenset[str], Floats] = {}
    for names in _sets(tuple(sorted(deep))):
        part = {name: deep[name] for name in names}
        output = predict(network, as_tensors(cell_weights), samples, part, alone=alone)
        forecast = samples.baseline_BNH + samples.scale_N1 * output
        found[names] = half_width(forecast, samples.truth_BNH, band)
    monotone = {
        names: np.max([other for more, other in found.items() if names <= more], axis=0)
        for names in found
    }
    baseline = half_width(samples.baseline_BNH, samples.truth_BNH, band)
    return monotone, np.maximum(baseline, monotone[frozenset()])


def package_fused(
    facts: FusedFacts,
    network: FusedNetwork,
    inputs: Inputs,
    cells: Mapping[str, Ints],
    cell_weights: Mapping[str, Floats],
    validation: Samples,
    deep: DeepBatches,
    alone: Network | None = None,
    *,
    time_B: Ints | None = None,
) -> FusedPackage:
    """A trained application as a package; calibrates its bands on the validation span.

    Args:
        deep: every agency's deep data for them.
        time_B: of the validation origins, UTC seconds; None: unknown, a step of the panel apart.

    Raises:
        LayerPackageError: with everything that does not fit.
    """
    names = {agency.name: agency.width for agency in facts.agencies}
    problems = [] if network.own else [NOT_STANDALONE]
    if facts.settings.leads != 1:
        problems.append(f"{facts.settings.leads} leads; a live forecast has one block of steps")
    for what, known in {"cells": cells, "cell_weights": cell_weights, "deep data": deep}.items():
        if set(known) != set(names):
            problems.append(f"{what} of {sorted(known)}, its agencies are {sorted(names)}")
    if dict(network.cut.widths) != names:
        problems.append(f"the network takes {dict(network.cut.widths)}, the facts name {names}")
    if problems:
        raise LayerPackageError(
            f"{facts.service} cannot become a package: {'; '.join(problems)}. Correct its facts"
        )
    network, alone = copy.deepcopy(network), copy.deepcopy(alone)
    bands, baseline = calibrate(network, alone, cell_weights, validation, deep, facts.band)
    past = _past(network, alone, cell_weights, validation, deep)
    bare = FusedPackage(
        facts, network, alone, cells, cell_weights, bands, baseline, inputs.scale_N1, past
    )
    times_B = np.zeros(0, np.int64) if time_B is None else time_B
    spacing_s = int(np.diff(times_B).min()) if len(times_B) > 1 else facts.step_s
    stats = deep_stats(bare.predict, validation, deep, spacing_s)
    days = {name: fit_day(times_B, batch) for name, batch in deep.items()}
    kept = {name: one.array for name, one in days.items() if one is not None}
    bare = replace(bare, deep_stats=stats, deep_days=kept)
    return replace(bare, version=version_of(*_content(bare)))


def save_fused(folder: Path, package: FusedPackage) -> Path:
    """Write it as ``SERVICE-VERSION.fused``.

    Raises:
        LayerPackageError: if the file cannot be written.
    """
    name = f"{package.facts.service}-{package.version}{SUFFIX}"
    return write_sealed(folder / name, *_content(package))


def load_fused(path: Path) -> FusedPackage:
    """Read an application and verify all of it.

    Raises:
        LayerPackageError: with the reason why it is refused.
    """
    return load_parts(path, FUSED_FORMAT, _built)


def _built(arrays: Groups, header: Header, version: str) -> FusedPackage:
    shape, cut = Shape(**header["shape"]), Cut(**header["cut"])
    network = FusedNetwork(Network(shape, dropout=0.0), cut, own=header["own"])
    load_arrays(network, arrays["network"])
    alone = Network(shape, dropout=0.0) if header["alone"] else None
    if alone is not None:
        load_arrays(alone, arrays["alone"])
    package = FusedPackage(
        _FACTS.validate_python(header["facts"]),
        network,
        alone,
        arrays["cells"],
        arrays["cell_weights"],
        {frozenset(_names(key)): band for key, band in arrays["bands"].items()},
        **arrays["more"],
        past=arrays.get("past", {}),
        deep_stats=arrays.get("deep_stats", {}),
        deep_days=arrays.get("deep_days", {}),
        version=version,
    )
    _check(package)
    return package


def _past(
    network: FusedNetwork,
    alone: Network | None,
    cell_weights: Mapping[str, Floats],
    samples: Samples,
    deep: DeepBatches,
) -> dict[str, NDArray[Any]]:
    """Forecasts of the validation span, and what came."""
    known, weights = np.isfinite(samples.truth_BNH), as_tensors(cell_weights)
    found = {TRUTH: np.where(known, samples.truth_BNH, np.float32(0)), KNOWN: known}
    for name, part in {ALL: deep, NO_AGENCY: {}}.items():
        output = predict(network, weights, samples, part, alone=alone)
        found[name] = (samples.baseline_BNH + samples.scale_N1 * output).astype(np.float32)
    return {**found, TYPICAL: samples.baseline_BNH.astype(np.float32)}


def _sets(names: tuple[str, ...]) -> list[frozenset[str]]:
    sizes = range(len(names) + 1)
    if len(names) > _ALL_SETS_UP_TO:
        sizes = {0, len(names) - 1, len(names)}  # type: ignore[assignment]
    return [frozenset(chosen) for size in sizes for chosen in combinations(names, size)]


def _key(names: Collection[str]) -> str:
    return "+".join(sorted(names)) or _NONE


def _names(key: str) -> list[str]:
    return [] if key == _NONE else key.split("+")


def _check(package: FusedPackage) -> None:
    """Check that shapes agree.

    Raises:
        ValueError: naming each that does not.
    """
    facts = package.facts
    if not package.network.own:
        raise ValueError(NOT_STANDALONE)
    wide = (len(facts.places), facts.settings.horizon)
    shapes = {_key(names): band.shape for names, band in package.bands.items()}
    shapes["baseline"] = package.baseline_band_NH.shape
    wrong = [f"band {key} is {shape}" for key, shape in shapes.items() if shape != wide]
    past = {name: array.shape for name, array in package.past.items()}
    counts = {shape[0] for shape in past.values()}
    if past and (
        set(past) != {TRUTH, KNOWN, ALL, NO_AGENCY, TYPICAL}
        or len(counts) > 1
        or {shape[1:] for shape in past.values()} != {wide}
    ):
        wrong.append(f"past forecasts are {past}")
    for agency in facts.agencies:
        found = package.cell_weights[agency.name].shape
        if found != (wide[0], len(package.cells[agency.name])):
            wrong.append(f"cell weights of {agency.name} are {found}")
        stats = package.deep_stats.get(agency.name)
        if stats is not None and (stats.shape != STATS_SHAPE or not np.isfinite(stats).all()):
            wrong.append(f"statistics of {agency.name}'s deep data are {stats.shape}")
        if agency.name in package.deep_days:
            try:
                DayPattern.of(package.deep_days[agency.name], agency.width)
            except ValueError as error:
                wrong.append(f"{agency.name} has {error}")
    if package.scale_N1.shape != (wide[0], 1):
        wrong.append(f"the scale is {package.scale_N1.shape}")
    if frozenset() not in package.bands:
        wrong.append("no band without agencies")
    if wrong:
        raise ValueError(f"{'; '.join(wrong)}; there are {wide[0]} places and {wide[1]} steps")


def _content(package: FusedPackage) -> tuple[Groups, Header]:
    network, alone = package.network, package.alone
    arrays: Groups = {
        "network": {name: value.numpy() for name, value in network.state_dict().items()},
        "cells": dict(package.cells),
        "cell_weights": dict(package.cell_weights),
        "bands": {_key(names): band for names, band in package.bands.items()},
        "more": {"baseline_band_NH": package.baseline_band_NH, "scale_N1": package.scale_N1},
    }
    if package.past:
        arrays["past"] = dict(package.past)
    if package.deep_stats:
        arrays["deep_stats"] = dict(package.deep_stats)
    if package.deep_days:
        arrays["deep_days"] = dict(package.deep_days)
    if alone is not None:
        arrays["alone"] = {name: value.numpy() for name, value in alone.state_dict().items()}
    header = {
        FORMAT: FUSED_FORMAT,
        "facts": _FACTS.dump_python(package.facts, mode="json"),
        "shape": asdict(network.trunk.shape),
        "cut": {**vars(network.cut), "widths": dict(network.cut.widths)},
        "own": network.own,
        "alone": alone is not None,
    }
    return arrays, header
