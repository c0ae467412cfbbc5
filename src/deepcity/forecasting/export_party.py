"""Writes a party's forecaster as an ONNX file that was checked against it, with its card."""

import io
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from deepcity.city.arrays import Floats
from deepcity.city.errors import ExpertError
from deepcity.forecasting.model_card import card_json, card_markdown, model_card
from deepcity.forecasting.run_parties import RunParty
from deepcity.store.run_folder import write_file

TOLERANCE = 1e-3
"""Largest difference from deepcity's forecast, as a share of the forecast's spread over places and
steps (or of its largest value, where these hardly differ)."""


@dataclass(frozen=True)
class Exported:
    """What was written.

    Attributes:
        experts: how many are in the file.
        left_out: kinds of experts that could not be.
        difference: the largest from deepcity's own forecast, in the field's unit.
        card: the card's page.
    """

    experts: int
    left_out: tuple[str, ...]
    difference: float
    unit: str
    card: Path


def export_party(party: RunParty, out: Path, *, networks_only: bool = False) -> Exported:
    """Write OUT, and beside it OUT.inputs.npz, OUT.card.json and OUT.card.md.

    Raises:
        CheckpointError: if there is no forecaster, or a file cannot be written.
        DataError: if the party's records cannot be used.
        ExpertError: if an expert cannot be exported, `onnx` is not installed, or the file does
            not give deepcity's forecast.
    """
    lacking = [name for name in ("onnx", "onnxruntime") if find_spec(name) is None]
    if lacking:
        msg = f"{' and '.join(lacking)} not installed: run pip install 'deepcity[onnx]'"
        raise ExpertError(msg)
    from deepcity.forecasting.onnx_graph import (
        build_graph,
        chosen_experts,
        newest_inputs,
        reference,
    )

    view = party.attach(party.open(), party.panel()).open_at()
    chosen = chosen_experts(view, networks_only=networks_only)
    data, inputs = build_graph(view, chosen), newest_inputs(view)
    expected_NH = reference(view, chosen)
    difference = _difference(data, inputs, expected_NH)
    write_file(out, data)
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **inputs, forecast=expected_NH)
    write_file(out.with_name(f"{out.name}.inputs.npz"), buffer.getvalue())
    kinds = [expert.kind for _, expert in view.experts]
    left_out = sorted({kind for at, kind in enumerate(kinds) if at not in chosen})
    card = model_card(party, view)
    card["onnx"] = {"file": out.name, "left_out": left_out, "largest_difference": difference}
    page = out.with_name(f"{out.name}.card.md")
    write_file(out.with_name(f"{out.name}.card.json"), card_json(card).encode())
    write_file(page, card_markdown(card).encode())
    return Exported(len(chosen), tuple(left_out), difference, view.bundle.identity.unit, page)


def _difference(data: bytes, inputs: dict[str, Floats], expected_NH: Floats) -> float:
    """The largest difference of the file's forecast.

    Raises:
        ExpertError: if it is larger than rounding explains.
    """
    import onnxruntime

    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    named = {one.name: inputs[one.name] for one in session.get_inputs()}
    (found_NH,) = session.run(["forecast"], named)
    difference = float(np.abs(found_NH - expected_NH).max())
    scale = max(float(expected_NH.std()), 1e-3 * float(np.abs(expected_NH).max()), 1e-9)
    if not difference <= TOLERANCE * scale:
        msg = (
            f"the ONNX file differs from deepcity's forecast by up to {difference:.3g}; it was not "
            f"written. Report this with the versions of onnx and onnxruntime"
        )
        raise ExpertError(msg)
    return difference
