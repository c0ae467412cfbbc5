"""A results file that lies costs what a true one of its size costs, and is named."""

import json
import subprocess
import sys
from itertools import islice

import pytest
from fake_results import fake_results
from pydantic import ValidationError

from deepcity.city.errors import CheckpointError
from deepcity.runs.results import RunResults
from deepcity.store.frugal_json import validate_frugally
from deepcity.store.result_bounds import beyond_bounds
from deepcity.store.run_folder import read_results

READ = """
import sys
from pathlib import Path
from benchmarks.peak_memory import peak_mb
from deepcity.city.errors import CheckpointError
from deepcity.runs.results import RunResults
from deepcity.store.run_folder import read_results
before = peak_mb()
try:
    read_results(Path(sys.argv[1]), RunResults, "deepcity run")
except CheckpointError as error:
    print(error)
print(int(peak_mb() - before))
"""


def true_results():
    return json.loads(fake_results().model_dump_json())


def written(folder, found, mark="@", filling=""):
    path = folder / "results.json"
    path.write_text(json.dumps(found).replace(json.dumps(mark), filling))
    return path


def test_a_true_one_is_read_as_it_was_written(tmp_path):
    path = written(tmp_path, true_results())
    assert read_results(path, RunResults, "deepcity run") == fake_results()


@pytest.mark.parametrize(
    ("one", "times", "named"),
    [
        ("1", 23_000_000, "more values than a run writes into so many bytes"),
        ("{}", 15_000_000, "more values than a run writes into so many bytes"),
        ("1" + 10 * " ", 3_800_000, "a list or an object of over 50,000 entries"),
    ],
)
def test_46_mb_of_lies_cost_a_little_memory(tmp_path, one, times, named):
    found = true_results()
    found["services"][0]["parties"][0]["notes"] = "@"
    path = written(tmp_path, found, filling=f"[{','.join([one] * times)}]")
    command = [sys.executable, "-c", READ, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
    reason, megabytes = done.stdout.strip().rsplit("\n", 1)
    assert named in reason
    assert int(megabytes) < 300


def test_of_a_list_of_faults_the_first_alone_is_listed():
    found = true_results()
    found["services"][0]["parties"][0]["notes"] = [{"code": 1}] * 5_000
    with pytest.raises(ValidationError) as caught:
        validate_frugally(RunResults, json.dumps(found).encode())
    assert caught.value.error_count() == 1


def test_of_numbers_out_of_bounds_no_more_are_looked_for_than_are_named(tmp_path):
    wrong = ({"a": 1e200} for _ in range(3))
    assert len(list(islice(beyond_bounds({"all": list(wrong)}), 2))) == 2
    found = true_results()
    found["services"][0]["parties"][0]["validation_mae"] = {f"m{n}": 1e200 for n in range(9)}
    with pytest.raises(CheckpointError, match=r"m0 = .*m2 = .* and more\. Put back"):
        read_results(written(tmp_path, found), RunResults, "deepcity run")
