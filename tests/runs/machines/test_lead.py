"""The coordinator of a federation: a run goes on with the map that it began with, or not at all."""

import pytest
from little_map import service, three

from deepcity.city.errors import CheckpointError
from deepcity.maps.city_map import load_map
from deepcity.runs.identity import check_identity
from deepcity.runs.machines.lead import Leader


@pytest.mark.parametrize("change", [{"rounds": 3}, {"levels": (1,)}])
def test_a_run_of_another_map_is_not_gone_on_with(tmp_path, change):
    """Else kept choices would stand in the results as those of a map that nobody trained."""
    files = three(tmp_path)
    run = tmp_path / "run"
    check_identity(run, load_map(files.write(service(rounds=2))))
    changed = load_map(files.write(service(**{"rounds": 2, **change})))
    with pytest.raises(CheckpointError, match=r"remove run/ of the federation and of every kit"):
        Leader(changed, None, run).run()
