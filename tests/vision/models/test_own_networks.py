"""An operator's own network: named by its content, refused with a reason, and it runs."""

import subprocess
import sys

import numpy as np
import pytest
from camera_networks import FOLDER, NEEDS_NETWORKS
from little_networks import write_embedder, write_flat

from deepcity.city.errors import NetworkFileError
from deepcity.vision.detection import PersonDetector
from deepcity.vision.embedding import PersonEmbedder
from deepcity.vision.models.catalogue import DETECTOR, EMBEDDER, camera_network
from deepcity.vision.models.model_folder import located, own_network
from deepcity.vision.models.runtime import RunningNetwork


def test_own_files_are_named_by_their_content(tmp_path):
    graph = tmp_path / "mine.onnx"
    graph.write_bytes(b"1")
    first = own_network(graph).name
    graph.write_bytes(b"2")
    assert first.startswith("mine-")
    assert own_network(graph).name != first


@pytest.mark.parametrize(
    ("name", "named"),
    [
        ("mine.pt", "give an OpenVINO .xml"),
        ("absent.onnx", "no such file; give its path"),
        ("lonely.xml", r"lonely.bin: no such file; it holds the weights"),
        ("folder.onnx", "give a file"),
    ],
)
def test_what_is_no_network_is_refused_with_a_next_step(tmp_path, name, named):
    (tmp_path / "mine.pt").write_bytes(b"x")
    (tmp_path / "lonely.xml").write_bytes(b"x")
    (tmp_path / "folder.onnx").mkdir()
    with pytest.raises(NetworkFileError, match=named):
        own_network(tmp_path / name)


def test_a_file_that_openvino_cannot_read_is_named(tmp_path):
    pytest.importorskip("openvino")
    (tmp_path / "mine.onnx").write_bytes(b"no network")
    with pytest.raises(NetworkFileError, match=r"mine.onnx: OpenVINO cannot use it"):
        RunningNetwork(own_network(tmp_path / "mine.onnx"))


def test_own_onnx_networks_run_in_batches_and_other_shapes_are_refused(tmp_path):
    pytest.importorskip("openvino")
    path = write_embedder(tmp_path / "mean.onnx")
    embedder = PersonEmbedder(RunningNetwork(own_network(path), batches=True))
    assert embedder.width == 12
    crops = [np.full((40, 20, 3), value, np.uint8) for value in (1, 50, 200)]
    found_BE = embedder.embed(crops)
    np.testing.assert_allclose(np.linalg.norm(found_BE, axis=1), 1, atol=1e-6)
    assert np.isnan(embedder.embed([np.zeros((40, 20, 3), np.uint8)])).all()
    assert embedder.embed([]).shape == (0, 12)
    with pytest.raises(NetworkFileError, match=r"\(12,\); a detector's ends in 7"):
        PersonDetector(RunningNetwork(own_network(path)))
    grey = write_flat(tmp_path / "grey.onnx", (1, 1, 4, 4))
    with pytest.raises(NetworkFileError, match="3 channels"):
        RunningNetwork(own_network(grey))


@NEEDS_NETWORKS
@pytest.mark.real
def test_a_detector_is_no_embedder():
    pytest.importorskip("openvino")
    network = RunningNetwork(located(camera_network(DETECTOR), FOLDER))
    assert network.input_shape == (3, 384, 672)
    with pytest.raises(NetworkFileError, match="one row of numbers a crop"):
        PersonEmbedder(network)


@NEEDS_NETWORKS
@pytest.mark.real
def test_embeddings_do_not_depend_on_the_batch():
    pytest.importorskip("openvino")
    rng = np.random.default_rng(0)
    crops = [rng.integers(0, 255, (100, 40, 3)).astype(np.uint8) for _ in range(3)]
    path = located(camera_network(EMBEDDER), FOLDER)
    many_BE = PersonEmbedder(RunningNetwork(path, batches=True)).embed(crops)
    one_BE = PersonEmbedder(RunningNetwork(path)).embed(crops)
    assert ((many_BE * one_BE).sum(axis=1) > 0.999).all()


_SPY = """
import sys
asked = []
def hook(event, args):
    if event in ("socket.connect", "socket.getaddrinfo", "subprocess.Popen", "os.posix_spawn"):
        asked.append((event, args))
sys.addaudithook(hook)
import numpy as np
from pathlib import Path
from deepcity.vision.models.catalogue import DETECTOR, camera_network
from deepcity.vision.models.model_folder import located
from deepcity.vision.models.runtime import RunningNetwork
network = RunningNetwork(located(camera_network(DETECTOR), Path(sys.argv[1])))
network.run(np.zeros((1, *network.input_shape), np.float32))
print(asked)
"""


@NEEDS_NETWORKS
@pytest.mark.real
def test_openvino_asks_nothing_of_the_outside():
    """It brings a package for telemetry along, which only its converters use."""
    pytest.importorskip("openvino")
    spied = subprocess.run(
        [sys.executable, "-c", _SPY, str(FOLDER)], capture_output=True, text=True, check=True
    )
    assert spied.stdout.strip() == "[]"
