"""A party's networks, ridge and typical day with their weights, as an ONNX graph.

The graph makes one forecast of all places. Its inputs are what deepcity makes of the rows
(`newest_inputs`); scales, weights and bands of the day of the export are constants in it. Built
node by node: it needs the package `onnx` alone, none of torch's exporters.

Shapes: E experts, N places, H horizon steps, F features, S linear features, P parts of a day.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepcity.city.arrays import Doubles, Floats
from deepcity.city.errors import ExpertError
from deepcity.city.level import ALONE, HIDDEN_LAYERS
from deepcity.forecasting.replay import OpenBundle
from deepcity.learning.ensemble.forecast_bounds import ForecastBounds
from deepcity.learning.ensemble.loss_allowance import reach
from deepcity.learning.ensemble.multi_view_ensemble import MultiViewEnsemble, parts_of_day
from deepcity.learning.experts.expert import Expert
from deepcity.learning.experts.network import NetworkExpert
from deepcity.learning.experts.ridge import Ridge
from deepcity.learning.experts.typical_day import TypicalDay
from deepcity.learning.features.inputs import Inputs

EXPORTABLE = (NetworkExpert.kind, Ridge.kind, TypicalDay.kind)
_OPSET, _IR = 20, 9  # the first with Gelu; read by runtimes since 2023
_EPSILON = 1e-5  # of torch's LayerNorm
_ONE = np.float32(1.0)

Arrays = dict[str, NDArray[Any]]


@dataclass
class _Graph:
    """Nodes and constants, as they are added."""

    nodes: list[Any] = field(default_factory=list)
    constants: list[Any] = field(default_factory=list)

    def constant(self, values: NDArray[Any] | np.generic) -> str:
        """A constant; returns its name."""
        from onnx import numpy_helper

        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.array(values, order="C"), name))
        return name

    def add(self, kind: str, *inputs: str, name: str = "", **attributes: Any) -> str:  # noqa: ANN401
        """A node with one output; returns its name."""
        from onnx import helper

        out = name or f"n{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [out], **attributes))
        return out

    def linear(self, x: str, layers: Arrays, name: str) -> str:
        """x @ weight.T + bias."""
        weight = self.constant(layers[f"{name}.weight"].T)
        return self.add("Add", self.add("MatMul", x, weight), self.constant(layers[f"{name}.bias"]))

    def norm(self, x: str, layers: Arrays, name: str) -> str:
        """Layer normalisation over the last axis."""
        scale, bias = (self.constant(layers[f"{name}.{part}"]) for part in ("weight", "bias"))
        return self.add("LayerNormalization", x, scale, bias, axis=-1, epsilon=_EPSILON)


def chosen_experts(view: OpenBundle, *, networks_only: bool) -> list[int]:
    """Positions of the experts to export.

    Args:
        networks_only: leave out experts that cannot be exported, and share out their weight.

    Raises:
        ExpertError: naming those that cannot be exported.
    """
    kinds = [expert.kind for _, expert in view.experts]
    lacking = sorted({kind for kind in kinds if kind not in EXPORTABLE})
    if lacking and not networks_only:
        msg = (
            f"experts {', '.join(lacking)} cannot be exported to ONNX (these can: "
            f"{', '.join(EXPORTABLE)}); use --networks-only to export the others, with the weights "
            f"of all shared out among them"
        )
        raise ExpertError(msg)
    return [at for at, kind in enumerate(kinds) if kind in EXPORTABLE]


def build_graph(view: OpenBundle, chosen: Sequence[int]) -> bytes:
    """The graph of some experts, with the weights and bands of the newest origin, as a file."""
    from onnx import TensorProto, checker, helper

    graph, ready = _Graph(), view.prepared
    sample = newest_inputs(view)
    weight_EN1, part_PE = _weights(ready.ensemble, chosen)
    part_HE = graph.add("Gather", graph.constant(part_PE), "part_of_day", axis=0)
    total = own = ""
    for number, at in enumerate(chosen):
        level, expert = view.experts[at]
        found = _expert(graph, view, expert)
        own = own or found  # the party's own network comes first
        if level != ALONE:
            found = _within_reach(graph, view, _bounded(graph, view, found), own)
        column = graph.add("Gather", part_HE, graph.constant(np.int64(number)), axis=1)
        weight = graph.add("Add", graph.constant(weight_EN1[number]), column)
        weighted = graph.add("Mul", weight, found)
        total = graph.add("Add", total, weighted) if total else weighted
    total = _within_allowance(graph, view, total, own)
    least = graph.constant(np.float32(view.floor))
    half = graph.constant(ready.half_NH.astype(np.float32))
    middle = graph.add("Max", total, least, name="forecast")
    graph.add("Max", graph.add("Sub", middle, half), least, name="low")
    graph.add("Max", graph.add("Add", middle, half), least, name="high")
    shape = list(ready.half_NH.shape)
    used = {name for node in graph.nodes for name in node.input}
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            f"{view.bundle.identity.service}: {view.bundle.identity.party}",
            [
                helper.make_tensor_value_info(
                    name, helper.np_dtype_to_tensor_dtype(array.dtype), list(array.shape)
                )
                for name, array in sample.items()
                if name in used
            ],
            [
                helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
                for name in ("forecast", "low", "high")
            ],
            graph.constants,
        ),
        opset_imports=[helper.make_opsetid("", _OPSET)],
        ir_version=_IR,
        producer_name="deepcity",
    )
    checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString())


def newest_inputs(view: OpenBundle) -> Arrays:
    """What the graph takes at the newest origin, by name.

    `typical_day` (N, H) in the field's unit, `part_of_day` (H,), and for each scale that networks
    have, `features` (N, F) and `linear` (N, H, S), with a number from the second on.
    """
    origins_B = np.array([view.newest_origin])
    found: Arrays = {
        "part_of_day": parts_of_day(view.data.inputs.grid, origins_B, view.horizon)[0].astype(
            np.int64
        )
    }
    for number, inputs in enumerate(_scales(view)):
        samples, suffix = inputs.samples(origins_B), f"_{number + 1}" if number else ""
        found[f"features{suffix}"] = samples.features_BNF[0]
        found[f"linear{suffix}"] = samples.linear_BNHS[0].astype(np.float32)
        found.setdefault("typical_day", samples.baseline_BNH[0].astype(np.float32))
    return found


def reference(view: OpenBundle, chosen: Sequence[int]) -> Floats:
    """The forecast that the graph must give, (N, H), computed by deepcity."""
    origins_B = np.array([view.newest_origin])
    samples = view.data.inputs.samples(origins_B)
    weight_EN1, part_PE = _weights(view.prepared.ensemble, chosen)
    part_H = parts_of_day(view.data.inputs.grid, origins_B, view.horizon)[0]
    total = np.zeros(samples.baseline_BNH.shape[1:])
    forecast_ENH = view.expert_forecasts(samples, origins_B)[:, 0]
    recent = view.prepared.ensemble.recent
    forecast_ENH = forecast_ENH if recent is None else recent.within_reach(forecast_ENH)
    for number, at in enumerate(chosen):
        weight_NH = weight_EN1[number] + part_PE[part_H, number]
        total += weight_NH * forecast_ENH[at]
    limited_NH = view.prepared.ensemble.limited(
        total.astype(np.float32), forecast_ENH[chosen[0]], view.prepared.pending
    )
    return np.maximum(limited_NH, view.floor).astype(np.float32)


def _scales(view: OpenBundle) -> list[Inputs]:
    """The party's inputs, then those in other scales that networks have."""
    found = [view.data.inputs]
    for _, expert in view.experts:
        own = expert.inputs if isinstance(expert, NetworkExpert) else None
        if own is not None and not any(own is one for one in found):
            found.append(own)
    return found


def _weights(ensemble: MultiViewEnsemble, chosen: Sequence[int]) -> tuple[Floats, Floats]:
    """Each expert's weight by place, (E, N, 1), and by part of the day, (P, E): their sum is its
    weight in a forecast. Those of a view add up to the view's weight.
    """

    def shared_out(weights_GE: Doubles) -> Doubles:
        part_GE = weights_GE[:, list(chosen)]
        return np.asarray(part_GE / part_GE.sum(axis=1, keepdims=True))

    whole, place, part = ensemble.views.weights_GE[0]
    whole_1E, place_NE, part_PE = map(shared_out, ensemble.by_view)
    by_place_NE = whole * whole_1E + place * place_NE
    part_PE = part * part_PE
    return by_place_NE.T[..., None].astype(np.float32), part_PE.astype(np.float32)


def _expert(graph: _Graph, view: OpenBundle, expert: Expert) -> str:
    """Nodes of one expert's forecast, (N, H), in the field's unit."""
    if isinstance(expert, TypicalDay):
        return graph.add("Identity", "typical_day")
    scales = _scales(view)
    own = expert.inputs if isinstance(expert, NetworkExpert) else None
    number = next((n for n, one in enumerate(scales) if one is own), 0)
    if isinstance(expert, Ridge):
        deviation = _ridge(graph, "linear", expert.ridge_skip_HS)
    else:
        assert isinstance(expert, NetworkExpert)
        state = expert.learner.network.state_dict()
        layers = {name: tensor.numpy() for name, tensor in state.items()}
        suffix = f"_{number + 1}" if number else ""
        deviation = _network(graph, layers, f"features{suffix}", f"linear{suffix}")
    scale = graph.constant(scales[number].scale_N1.astype(np.float32))
    return graph.add("Add", "typical_day", graph.add("Mul", deviation, scale))


def _bounded(graph: _Graph, view: OpenBundle, found: str) -> str:
    """A joined expert's forecast within the bounds of the day of the export."""
    origins_B, data = np.array([view.newest_origin]), view.data
    samples = data.inputs.samples(origins_B)
    bounds = ForecastBounds.of(samples, data.inputs.values_TN, origins_B)
    low_NH, high_NH = (
        np.nan_to_num(side, nan=missing)[0].astype(np.float32)
        for side, missing in ((bounds.low_BNH, -np.inf), (bounds.high_BNH, np.inf))
    )
    return graph.add(
        "Min", graph.add("Max", found, graph.constant(low_NH)), graph.constant(high_NH)
    )


def _within_reach(graph: _Graph, view: OpenBundle, found: str, own: str) -> str:
    """A joined expert's forecast within reach of the own network's, as of the day of the export."""
    recent = view.prepared.ensemble.recent
    if recent is None:
        return found
    most = graph.constant(recent.own.reach_N[:, None].astype(np.float32))
    low, high = graph.add("Sub", own, most), graph.add("Add", own, most)
    return graph.add("Min", graph.add("Max", found, low), high)


def _within_allowance(graph: _Graph, view: OpenBundle, found: str, own: str) -> str:
    """The mixture within what joined experts may lose, as of the day of the export."""
    ready = view.prepared
    if ready.ensemble.allowance is None or ready.ensemble.recent is None:
        return found
    error_N = ready.ensemble.recent.own.cautious_N
    most = graph.constant(reach(error_N)[:, None])
    apart = graph.add("Sub", found, own)
    near = graph.add("Max", graph.add("Min", apart, most), graph.add("Neg", most))
    left = np.float32(ready.ensemble.allowance.left(error_N, view.horizon, ready.pending))
    worst = graph.add("ReduceSum", graph.add("Abs", near), keepdims=0)
    worst = graph.add("Max", worst, graph.constant(np.finfo(np.float32).tiny))
    share = graph.add("Min", graph.add("Div", graph.constant(left), worst), graph.constant(_ONE))
    return graph.add("Add", own, graph.add("Mul", share, near))


def _ridge(graph: _Graph, linear: str, ridge_skip_HS: Floats) -> str:
    products = graph.add("Mul", linear, graph.constant(ridge_skip_HS))
    return graph.add("ReduceSum", products, graph.constant(np.array([-1])), keepdims=0)


def _network(graph: _Graph, layers: Arrays, features: str, linear: str) -> str:
    """As `deepcity.learning.networks.network.Network.forward`, without dropout."""
    ridge = _ridge(graph, linear, layers["head.ridge_skip"])
    hidden = graph.linear(graph.add("Concat", features, ridge, axis=1), layers, "stem")
    for name in HIDDEN_LAYERS:
        inner = graph.linear(graph.norm(hidden, layers, f"{name}.norm"), layers, f"{name}.inner")
        bent = graph.add("Gelu", inner, approximate="tanh")
        hidden = graph.add("Add", hidden, graph.linear(bent, layers, f"{name}.outer"))
    learned = graph.linear(graph.norm(hidden, layers, "head.norm"), layers, "head.out")
    return graph.add("Add", learned, ridge)
