"""A network that runs, by OpenVINO: the one file that knows it.

Shapes: B images of a batch, C channels (blue, green, red, 0 to 255), H rows, W columns.
"""

from importlib.util import find_spec
from typing import Any

import numpy as np

from deepcity.city.arrays import Floats
from deepcity.city.errors import NetworkFileError
from deepcity.vision.models.model_folder import NetworkPath


class RunningNetwork:
    """A network in memory, ready to run.

    Args:
        path: of its files, checked.
        threads: processor threads it may use.
        batches: whether several images may run at once, if the network can: a third of the time of
            each.

    Attributes:
        name: as of `NetworkPath`.
        input_shape: C, H and W.
        output_shape: without the axis of images; -1 where it varies.
        batches: whether it takes several images at once.

    Raises:
        NetworkFileError: if OpenVINO is not installed, cannot read the file, or the network has
            not one picture as input and one output.
    """

    def __init__(self, path: NetworkPath, *, threads: int = 1, batches: bool = False) -> None:
        self.name = path.name
        core = _core()
        try:
            model = core.read_model(path.graph)
            before = [list(one.partial_shape) for one in (*model.inputs, *model.outputs)]
            _check_shapes(path, before, len(model.inputs))
            self.batches = batches and _allow_batches(model)
            settings = {"INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY"}
            self._compiled = core.compile_model(model, "CPU", settings)
        except RuntimeError as error:
            reason = str(error).strip().splitlines()[-1][:200]
            raise NetworkFileError(
                f"{path.graph}: OpenVINO cannot use it ({reason}); give an .xml with its .bin, or "
                f"an .onnx"
            ) from error
        sides = list(model.input(0).partial_shape)[1:]
        self.input_shape = tuple(int(one.get_length()) for one in sides)
        output = list(model.output(0).partial_shape)[1:]
        self.output_shape = tuple(-1 if one.is_dynamic else one.get_length() for one in output)

    def run(self, image_BCHW: Floats) -> Floats:
        """(B, ...) the output; B is 1 unless it takes `batches`."""
        return np.array(self._compiled(image_BCHW)[self._compiled.output(0)])


def require_openvino() -> None:
    """Refuse without OpenVINO.

    Raises:
        NetworkFileError: how to install it.
    """
    if find_spec("openvino") is None:
        raise NetworkFileError(
            "networks for cameras run by OpenVINO, which is not installed here: "
            "pip install 'deepcity[vision]'"
        )


def _core() -> Any:  # noqa: ANN401
    require_openvino()
    import openvino

    return openvino.Core()


def _check_shapes(path: NetworkPath, shapes: list[list[Any]], inputs: int) -> None:
    wanted = "one input of images, 3 channels, rows and columns, and one output"
    fixed = len(shapes) == 2 and len(shapes[0]) == 4 and shapes[0][1] == 3
    if inputs != 1 or not fixed or any(one.is_dynamic for one in shapes[0][1:]):
        found = " and ".join(" x ".join(map(str, one)) for one in shapes)
        raise NetworkFileError(f"{path.graph}: its shapes are {found}; it needs {wanted}")


def _allow_batches(model: Any) -> bool:  # noqa: ANN401
    """Reshape a model to any number of images, where its output then has as many rows."""
    shape = model.input(0).partial_shape
    sides = [int(one.get_length()) for one in list(shape)[1:]]
    try:
        model.reshape([-1, *sides])
    except RuntimeError:
        model.reshape([1, *sides])
        return False
    output = model.output(0).partial_shape
    if output.rank.get_length() and output[0].is_dynamic:
        return True
    model.reshape([1, *sides])
    return False
