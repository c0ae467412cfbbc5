"""Networks from a real server: whole and right, or not at all."""

import pytest
from camera_networks import GRAPH, WEIGHTS, little
from served_files import served

from deepcity.city.errors import NetworkFileError
from deepcity.vision.models.fetching import fetch
from deepcity.vision.models.model_folder import build_in, located


@pytest.fixture(scope="module")
def server():
    with served() as here:
        yield here


@pytest.fixture(autouse=True)
def _fresh(server):
    server.files = {"/net/little.xml": GRAPH, "/net/little.bin": WEIGHTS}
    server.status, server.asked = {}, []


def test_from_a_server_with_progress_and_then_not_again(server, tmp_path):
    seen = []
    network = little(f"{server.url}/net".replace("http", "https"))
    source = f"{server.url}/net"
    build = fetch(network, tmp_path / "to", source, lambda *one: seen.append(one))
    assert build.release == "2"
    assert (tmp_path / "to" / "little.xml").read_bytes() == GRAPH
    assert located(network, tmp_path / "to").graph == tmp_path / "to" / "little.xml"
    assert seen[-1] == ("little.bin", len(WEIGHTS), len(WEIGHTS))
    assert [total for name, _, total in seen if name == "little.xml"][-1] == len(GRAPH)
    before = list(server.asked)
    fetch(network, tmp_path / "to", source)
    assert server.asked == before


def test_only_what_lacks_is_fetched(server, tmp_path):
    (tmp_path / "little.xml").write_bytes(GRAPH)
    fetch(little(), tmp_path, f"{server.url}/net/")
    assert server.asked == ["/net/little.bin"]


@pytest.mark.parametrize(
    ("weights", "named"),
    [
        (WEIGHTS[:-1] + b"x", "SHA-384"),
        (WEIGHTS + b"x", "128,001 bytes; its makers published 128,000"),
        (WEIGHTS[:-5], "127,995 bytes"),
        (None, r"the server answers 404.*--from"),
    ],
)
def test_another_file_than_the_makers_is_named_and_not_kept(server, tmp_path, weights, named):
    server.files["/net/little.bin"] = weights
    with pytest.raises(NetworkFileError, match=named):
        fetch(little(), tmp_path, f"{server.url}/net")
    assert [one.name for one in tmp_path.iterdir()] == ["little.xml"]


def test_an_answer_without_length_and_without_end_is_cut_at_the_size_of_the_file(server, tmp_path):
    sent = []

    def endless(request):
        request.send_response(200)
        request.end_headers()
        while len(sent) < 4_000:
            request.wfile.write(b"x" * 100_000)
            sent.append(1)

    server.files["/net/little.bin"] = endless
    with pytest.raises(NetworkFileError, match="over 128,000 bytes"):
        fetch(little(), tmp_path, f"{server.url}/net")
    assert len(sent) < 1_000
    assert [one.name for one in tmp_path.iterdir()] == ["little.xml"]


def test_a_connection_that_breaks_leaves_nothing(server, tmp_path):
    def broken(request):
        request.send_response(200)
        request.send_header("Content-Length", str(len(WEIGHTS)))
        request.end_headers()
        request.wfile.write(WEIGHTS[:50_000])

    server.files["/net/little.bin"] = broken
    with pytest.raises(NetworkFileError, match="give the folder by --from"):
        fetch(little(), tmp_path, f"{server.url}/net")
    assert not (tmp_path / "little.bin").exists()


def test_a_damaged_file_that_is_there_is_replaced(server, tmp_path):
    (tmp_path / "little.bin").write_bytes(WEIGHTS[::-1])
    fetch(little(), tmp_path, f"{server.url}/net")
    assert build_in(little(), tmp_path).release == "2"


def test_without_a_network_the_next_step_is_a_folder(tmp_path):
    with pytest.raises(NetworkFileError, match=r"no way to it.*--from"):
        fetch(little(), tmp_path, "http://127.0.0.1:9/net")


def test_from_a_folder_an_older_build_is_taken_whole(tmp_path):
    (tmp_path / "from").mkdir()
    (tmp_path / "from" / "little.xml").write_bytes(GRAPH[::-1])
    with pytest.raises(NetworkFileError, match=r"no whole build of little.*little.xml, little.bin"):
        fetch(little(), tmp_path / "to", str(tmp_path / "from"))
    (tmp_path / "from" / "little.bin").write_bytes(WEIGHTS)
    assert fetch(little(), tmp_path / "to", str(tmp_path / "from")).release == "1"
    assert (tmp_path / "to" / "little.xml").read_bytes() == GRAPH[::-1]


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "from").mkdir()
    (tmp_path / "from" / "little.xml").write_bytes(GRAPH)
    (tmp_path / "from" / "little.bin").write_bytes(WEIGHTS)
    (tmp_path / "to").write_text("a file")
    with pytest.raises(NetworkFileError, match="choose a folder to write to by --to"):
        fetch(little(), tmp_path / "to", str(tmp_path / "from"))


def test_absent_and_mixed_files_are_refused_before_they_are_loaded(tmp_path):
    with pytest.raises(NetworkFileError, match=r"little.xml, little.bin not there; run `deepcity"):
        located(little(), tmp_path)
    (tmp_path / "little.xml").write_bytes(GRAPH)
    (tmp_path / "little.bin").write_bytes(WEIGHTS[:-1])
    with pytest.raises(NetworkFileError, match="cut, changed, or mixed"):
        located(little(), tmp_path)
