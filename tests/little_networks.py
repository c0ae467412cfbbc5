"""Networks of a few nodes as ONNX files: one finds a fixed box, one tells mean colours."""

import numpy as np
import pytest

BOX = (0.25, 0.25, 0.5, 0.9)
"""Left, top, right and bottom of whom the detector finds, in shares of the picture."""


def write_detector(path, shape=(1, 3, 16, 16), *, label=1):
    """Finds one person, always at the same place, with confidence 0.9."""
    onnx = pytest.importorskip("onnx")
    helper, numbers = onnx.helper, onnx.numpy_helper
    rows = np.array([[[[0, label, 0.9, *BOX], [-1, 0, 0, 0, 0, 0, 0]]]], np.float32)
    nodes = [
        helper.make_node("ReduceMean", ["x"], ["mean"], axes=[1, 2, 3], keepdims=1),
        helper.make_node("Mul", ["mean", "none"], ["zero"]),
        helper.make_node("Add", ["zero", "rows"], ["y"]),
    ]
    constants = [
        numbers.from_array(np.zeros(1, np.float32), "none"),
        numbers.from_array(rows, "rows"),
    ]
    return _write(path, shape, (1, 1, 2, 7), nodes, constants)


def write_embedder(path, shape=(1, 3, 16, 8)):
    """Mean colours of the four quarters of a crop: twelve numbers."""
    onnx = pytest.importorskip("onnx")
    half = [shape[2] // 2, shape[3] // 2]
    pool = onnx.helper.make_node("AveragePool", ["x"], ["p"], kernel_shape=half, strides=half)
    flat = onnx.helper.make_node("Flatten", ["p"], ["y"])
    return _write(path, shape, (1, 4 * shape[1]), [pool, flat], [])


def write_flat(path, shape):
    """The picture itself, in one row."""
    onnx = pytest.importorskip("onnx")
    node = onnx.helper.make_node("Flatten", ["x"], ["y"])
    return _write(path, shape, (1, int(np.prod(shape[1:]))), [node], [])


def _write(path, shape, size, nodes, constants):
    import onnx

    helper, floats = onnx.helper, onnx.TensorProto.FLOAT
    begin = helper.make_tensor_value_info("x", floats, shape)
    end = helper.make_tensor_value_info("y", floats, size)
    graph = helper.make_graph(nodes, "own", [begin], [end], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    path.write_bytes(model.SerializeToString())
    return path
