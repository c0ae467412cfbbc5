"""Networks by name: what the catalogue states, and whether real files are those it means."""

import pytest
from camera_networks import FOLDER, NEEDS_NETWORKS

from deepcity.city.errors import NetworkFileError
from deepcity.vision.models.catalogue import DETECTOR, EMBEDDER, camera_network, camera_networks
from deepcity.vision.models.model_folder import build_in


def test_every_network_says_where_it_comes_from_and_under_which_licence():
    for name, network in camera_networks().items():
        assert network.licence == "Apache-2.0"
        assert name in network.page
        for build in network.build:
            assert build.release in build.folder
            assert {one.name for one in build.file} == {f"{name}.xml", f"{name}.bin"}
    files = [f.sha384 for n in camera_networks().values() for b in n.build for f in b.file]
    assert len(files) == len(set(files)) == 30


def test_what_is_used_by_default_is_there_and_of_its_task():
    assert camera_network(DETECTOR, "detection").output[-1] == 7
    assert camera_network(EMBEDDER, "re-identification").output == (1, 256)


def test_an_unknown_name_or_another_task_gets_a_next_step_that_fits():
    with pytest.raises(NetworkFileError, match="did you mean 'person-reidentification-retail-028"):
        camera_network("person-reidentification-retail-0278")
    with pytest.raises(NetworkFileError, match=f"not for detection; use {DETECTOR}$"):
        camera_network(EMBEDDER, "detection")


@NEEDS_NETWORKS
@pytest.mark.real
@pytest.mark.parametrize("name", sorted(camera_networks()))
def test_real_files_are_the_makers_newest_build(name):
    build = build_in(camera_network(name), FOLDER)
    assert build is not None
    assert build.release == "2023.0"
