"""A trained encoder in one sealed file, with which its agency encodes new rows.

It holds the private stem and the statistics of the agency's rows, so it stays with its
agency. Its version names the space of its deep data: every training gives a new space, and
vectors of two spaces are never mixed.

Shapes: B times, C cells, F fields, D deep width.
"""

import copy
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from pydantic import TypeAdapter

from deepcity.city.arrays import Bools, Floats, Ints
from deepcity.city.errors import LayerPackageError
from deepcity.city.level import HIDDEN_LAYERS
from deepcity.data.panel import Panel
from deepcity.learning.features.agency_columns import (
    Cells,
    Columns,
    ColumnSettings,
    ColumnStats,
    view_columns,
)
from deepcity.learning.networks.encoder import Encoder, EncoderShape
from deepcity.learning.networks.reuse import load_arrays
from deepcity.learning.split.fusion_inputs import DeepBatch
from deepcity.privacy.defences.release import KEY_BYTES, release, release_stream
from deepcity.privacy.defences.settings import Defences
from deepcity.store.blob import Header
from deepcity.store.deep_data.batch import Space
from deepcity.store.packages.sealed_file import (
    FORMAT,
    Groups,
    load_parts,
    version_of,
    write_sealed,
)

ENCODER_FORMAT = "deepcity-encoder-3"
SUFFIX = ".encoder"
_BACK_DAYS = 8  # what `Columns.rows` looks back on, and a day more


@dataclass(frozen=True)
class TimeGrid:
    """The times an agency and an application agreed on: `phase_s + k * step_s`, UTC seconds.

    >>> TimeGrid(900, 0).last(1000), TimeGrid(900, 0).off(1000)
    (900, 100)
    """

    step_s: int
    phase_s: int = 0

    def last(self, at: int) -> int:
        """The newest of them at or before a time."""
        return at - self.off(at)

    def slowed(self, cadence_s: int) -> "TimeGrid":
        """Once in so many seconds since 1970, where that is slower; see `Defences.cadence_s`.

        >>> TimeGrid(900, 300).slowed(3600), TimeGrid(900, 300).slowed(60)
        (TimeGrid(step_s=3600, phase_s=0), TimeGrid(step_s=900, phase_s=300))
        """
        return TimeGrid(cadence_s) if cadence_s > self.step_s else self

    def off(self, at: int) -> int:
        """Seconds since the newest of them; 0 on the grid."""
        return (at - self.phase_s) % self.step_s

    def between(self, after: int, until: int) -> Ints:
        """All of them with after < time <= until."""
        first = self.last(after) + self.step_s
        return np.arange(first, until + 1, self.step_s, dtype=np.int64)


@dataclass(frozen=True)
class EncoderFacts:
    """Whose encoder it is, and what for.

    Attributes:
        service: the purpose; deep data for one is not for another.
        salt: of the numbers of cells without a position (`agency_columns.cell_number`).
        fields: name and unit of each, in the order of the panel.
        step_s: of the agency's own rows.
        grid: the times at which it encodes: those of the application's origins.
        learned_until: UTC seconds; no row from then on was trained on. None: not recorded.
        purpose: of the service, by which a city's policy decides; empty: not recorded.
        defences: of its deep data on their way out.
        any_leakage: whether its agency lets its deep data leave whatever they leak.
        noise_key: the agency's secret by which noise is drawn, hexadecimal; empty: there is none.
    """

    city: str
    domain: str
    agency: str
    service: str
    salt: str
    fields: tuple[tuple[str, str], ...]
    step_s: int
    grid: TimeGrid
    learned_until: int | None = None
    purpose: str = ""
    defences: Defences = field(default_factory=Defences)
    any_leakage: bool = False
    noise_key: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        """Check that noise can be drawn.

        Raises:
            ValueError: if there is no key of `KEY_BYTES` for it.
        """
        if self.defences.noise and len(bytes.fromhex(self.noise_key)) != KEY_BYTES:
            raise ValueError("its defences draw noise, and its noise_key has another length")


_FACTS = TypeAdapter(EncoderFacts)


@dataclass(frozen=True, eq=False)
class EncoderPackage:
    """A trained encoder and all it takes to encode new rows.

    Attributes:
        version: first 16 hex digits of the content's SHA-256.
    """

    facts: EncoderFacts
    settings: ColumnSettings
    stats: ColumnStats
    cells: Ints
    encoder: Encoder
    version: str = ""

    @property
    def space(self) -> Space:
        """The space of its deep data."""
        layer = HIDDEN_LAYERS[self.encoder.shape.level - 1]
        facts = self.facts
        return Space(facts.city, facts.domain, facts.agency, layer, self.version)

    @property
    def steps_back(self) -> int:
        """Rows it looks back on, in steps of the agency; older ones may be forgotten."""
        per_day = max(1, 86_400 // self.facts.step_s)
        return _BACK_DAYS * per_day + self.settings.history + self.settings.lag

    def encode(self, panel: Panel, times_B: Ints) -> DeepBatch:
        """Deep data at some times, from rows before them.

        Each time is encoded by itself, so that a vector does not depend, in its last bits, on
        the rest of the batch: a store refuses a second vector for a cell and time.

        Raises:
            LayerPackageError: if fields, step or cells of the panel are not those of its training.
        """
        return self.encode_columns(self.to_columns(panel), times_B)

    def encode_columns(self, columns: Columns, times_B: Ints) -> DeepBatch:
        """Like `encode`, from columns made before; its defences are applied, but for holding."""
        self.encoder.eval()
        shape = (len(times_B), len(self.cells), self.encoder.shape.width)
        vectors_BCD = np.empty(shape, np.float32)
        with torch.inference_mode():
            for row in range(len(times_B)):
                rows_CX = torch.from_numpy(columns.rows(times_B[row : row + 1])[0])
                # a copy of its own: sums differ in their last bits with where they lie in memory
                vectors_BCD[row] = self.encoder(rows_CX.clone()).numpy()
        facts, key = self.facts, bytes.fromhex(self.facts.noise_key)
        released_BCD = release(vectors_BCD, times_B, facts.defences, key)
        return DeepBatch(released_BCD, columns.known(times_B))

    def released(self, vectors_BCD: Floats, known_BC: Bools, times_B: Ints) -> Floats:
        """What a receiver has of these activations: all its defences are applied."""
        key = bytes.fromhex(self.facts.noise_key)
        return release_stream(vectors_BCD, known_BC, times_B, self.facts.defences, key)

    def to_columns(self, panel: Panel) -> Columns:
        """A panel's columns by the fitted statistics; fields not trained on are left out.

        Raises:
            LayerPackageError: if fields, step or cells of the panel are not those of its training.
        """
        wanted, found = self.facts.fields, tuple((f.name, f.unit) for f in panel.fields)
        problems = []
        if not set(wanted) <= set(found):
            problems.append(
                f"the fields are {_fields_text(found)}, it was trained on {_fields_text(wanted)}"
            )
        if panel.clock.step_s != self.facts.step_s:
            problems.append(
                f"the step is {panel.clock.step_s} s, it was trained on {self.facts.step_s} s"
            )
        cells = Cells.of(panel.places, self.facts.salt).cell_C
        if not np.array_equal(cells, self.cells):
            problems.append(f"{len(cells)} cells are not the {len(self.cells)} it was trained on")
        if problems:
            raise LayerPackageError(
                f"the encoder {self.version} of {self.facts.agency} does not fit these rows: "
                f"{'; '.join(problems)}. Correct the city file, or train it again"
            )
        chosen = [found.index(field) for field in wanted]
        panel = replace(
            panel,
            fields=tuple(panel.fields[index] for index in chosen),
            values_TNF=panel.values_TNF[:, :, chosen],
        )
        return view_columns(panel, self.settings, self.stats, self.facts.salt)


def _fields_text(fields: tuple[tuple[str, str], ...]) -> str:
    return ", ".join(f"{name} ({unit})" for name, unit in fields)


def package_encoder(facts: EncoderFacts, columns: Columns, encoder: Encoder) -> EncoderPackage:
    """A trained encoder as a package that can be saved; its version follows from its content.

    Raises:
        LayerPackageError: if weights or statistics are not finite.
    """
    cells, own = columns.cells.cell_C, copy.deepcopy(encoder)  # further training must not change it
    bare = EncoderPackage(facts, columns.settings, columns.stats, cells, own)
    return replace(bare, version=version_of(*_content(bare)))


def save_encoder(folder: Path, package: EncoderPackage) -> Path:
    """Write it as ``AGENCY-VERSION.encoder``.

    Raises:
        LayerPackageError: if the file cannot be written.
    """
    name = f"{package.facts.agency}-{package.version}{SUFFIX}"
    return write_sealed(folder / name, *_content(package))


def load_encoder(path: Path) -> EncoderPackage:
    """Read an encoder and verify all of it.

    Raises:
        LayerPackageError: with the reason why it is refused.
    """
    return load_parts(path, ENCODER_FORMAT, _built)


def _built(arrays: Groups, header: Header, version: str) -> EncoderPackage:
    facts = _FACTS.validate_python(header["facts"])
    settings = ColumnSettings.model_validate(header["columns"])
    encoder = Encoder(EncoderShape(**header["shape"]))
    load_arrays(encoder, arrays["encoder"])
    stats = ColumnStats(**cast("dict[str, Any]", arrays["stats"]))
    per_cell = len(arrays["cells"]["cell_C"]), len(facts.fields)
    wanted = per_cell, per_cell, (86_400 // facts.step_s, *per_cell)
    found = stats.mean_CF.shape, stats.spread_CF.shape, stats.typical_SCF.shape
    if found != wanted:
        raise ValueError(f"its statistics have shapes {found}, its fields and cells ask {wanted}")
    package = EncoderPackage(facts, settings, stats, arrays["cells"]["cell_C"], encoder, version)
    _ = package.space  # its parts are names
    return package


def _content(package: EncoderPackage) -> tuple[Groups, Header]:
    encoder = package.encoder
    arrays: Groups = {
        "cells": {"cell_C": package.cells},
        "encoder": {name: value.numpy() for name, value in encoder.state_dict().items()},
        "stats": {name: np.asarray(value) for name, value in vars(package.stats).items()},
    }
    header = {
        FORMAT: ENCODER_FORMAT,
        "facts": _FACTS.dump_python(package.facts, mode="json"),
        "columns": package.settings.model_dump(mode="json"),
        "shape": asdict(encoder.shape),
    }
    return arrays, header
