import math
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from deepcity.city.errors import CheckpointError
from deepcity.store.atomic import write_atomic
from deepcity.store.blob import seal
from deepcity.store.checkpoint import CheckpointStore

groups = st.dictionaries(
    st.text("abc@.", min_size=1, max_size=4),
    st.dictionaries(
        st.text("abc/0", max_size=6),
        hnp.arrays(
            st.sampled_from([np.float32, np.float64, np.int64, np.uint8, np.bool_]),
            hnp.array_shapes(min_dims=0, max_dims=2, min_side=0, max_side=3),
        ),
        max_size=3,
    ),
    max_size=3,
)
values = st.dictionaries(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text("ab물"),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.text("ab"), inner, max_size=3)
        ),
        max_leaves=6,
    ),
    max_size=4,
)


def arrays(value: float, size: int = 4):
    return {"h1": {"w": np.full(size, value, np.float32)}}


def damage(path: Path, at: int = -1) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


@given(groups, values)
def test_everything_comes_back_bit_for_bit(tmp_path_factory, groups, values):
    store = CheckpointStore(tmp_path_factory.mktemp("store"))
    store.save("run", 3, groups, values)
    kept = store.load_latest("run")
    assert kept is not None
    assert (kept.name, kept.round, kept.skipped) == ("run", 3, ())
    assert kept.values == values
    assert {g: set(members) for g, members in kept.arrays.items()} == {
        g: set(members) for g, members in groups.items()
    }
    for group, members in groups.items():
        for name, array in members.items():
            back = kept.arrays[group][name]
            assert (back.dtype, back.shape) == (array.dtype, array.shape)
            assert back.tobytes() == array.tobytes()
    shutil.rmtree(store.folder)


def test_not_a_number_and_infinities_are_kept(tmp_path):
    store = CheckpointStore(tmp_path)
    store.save("run", 0, {}, {"best": math.inf, "worst": -math.inf, "none": [math.nan]})
    kept = store.load_latest("run").values
    assert (kept["best"], kept["worst"]) == (math.inf, -math.inf)
    assert math.isnan(kept["none"][0])


def test_last_two_are_kept_of_each_run(tmp_path):
    store = CheckpointStore(tmp_path / "new" / "folder")
    for number in range(5):
        store.save("run", number, arrays(number), {})
        store.save("run.b", number, arrays(number), {})
    names = sorted(path.name for path in store.folder.iterdir())
    assert names == [f"{n}.00000{k}.checkpoint" for n in ("run", "run.b") for k in (3, 4)]


def test_run_begun_anew_is_not_mistaken_for_the_old_one(tmp_path):
    store = CheckpointStore(tmp_path)
    store.save("run", 7, arrays(7), {})
    store.save("run", 0, arrays(0), {})
    assert store.load_latest("run").round == 0


def test_nothing_saved_is_none(tmp_path):
    assert CheckpointStore(tmp_path).load_latest("run") is None
    assert CheckpointStore(tmp_path / "absent").load_latest("run") is None


@pytest.mark.parametrize("at", [0, 9, 200, -1])
def test_damaged_newest_gives_the_one_before_and_says_so(tmp_path, at):
    store = CheckpointStore(tmp_path)
    store.save("run", 1, arrays(1), {})
    damage(store.save("run", 2, arrays(2), {}), at)
    kept = store.load_latest("run")
    assert kept.round == 1
    assert kept.arrays["h1"]["w"][0] == 1
    assert "run.000002.checkpoint is damaged or of another version" in kept.skipped[0]


def test_truncated_at_any_length_is_never_taken_for_whole(tmp_path):
    store = CheckpointStore(tmp_path)
    store.save("run", 1, arrays(1), {})
    newest = store.save("run", 2, arrays(2), {})
    data = newest.read_bytes()
    for length in range(len(data)):
        newest.write_bytes(data[:length])
        assert store.load_latest("run").round == 1


def test_none_whole_is_an_error_with_every_reason(tmp_path):
    store = CheckpointStore(tmp_path)
    for number in (1, 2):
        damage(store.save("run", number, arrays(1), {}))
    store.folder.joinpath("run.000002.checkpoint").write_bytes(b"")
    damage(store.folder / "run.000001.checkpoint", 30)
    with pytest.raises(CheckpointError, match=r"000002.*000001.*Remove them"):
        store.load_latest("run")


def test_renamed_or_foreign_file_is_not_taken(tmp_path):
    store = CheckpointStore(tmp_path)
    path = store.save("other", 5, arrays(5), {})
    path.rename(tmp_path / "run.000009.checkpoint")
    (tmp_path / "run.000010.checkpoint").write_bytes(seal({}, {"format": 3}))
    (tmp_path / "run.000011.checkpoint").write_bytes(seal({}, {"format": 2}))
    with pytest.raises(
        CheckpointError, match=r"000011.*renamed.*000010.*format is 3.*000009.*renamed"
    ):
        store.load_latest("run")


@pytest.mark.parametrize(
    "bad", [{"a": (1, 2)}, {"a": {1: 2}}, {"a": np.float32(1)}, {"a": "\ud800"}]
)
def test_values_that_would_come_back_changed_are_refused(tmp_path, bad):
    with pytest.raises(CheckpointError, match="cannot hold"):
        CheckpointStore(tmp_path).save("run", 0, {}, bad)


@pytest.mark.parametrize(("name", "number"), [("../run", 0), ("", 0), ("a b", 0), ("run", -1)])
def test_name_that_leads_elsewhere_is_refused(tmp_path, name, number):
    with pytest.raises(CheckpointError, match="cannot be named"):
        CheckpointStore(tmp_path).save(name, number, {}, {})


FULL_DISK = """
import resource, sys
from pathlib import Path
import numpy as np
from deepcity.city.errors import CheckpointError
from deepcity.store.checkpoint import CheckpointStore

store = CheckpointStore(Path(sys.argv[1]))
store.save("run", 1, {"h1": {"w": np.full(1000, 1, np.float32)}}, {})
if sys.argv[2] == "limit":
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
for number in (2, 1):  # a new file, and one that stands already
    try:
        store.save("run", number, {"h1": {"w": np.full(100_000, 2, np.float32)}}, {})
    except CheckpointError as error:
        print(error)
    else:
        sys.exit("the disk was never full")
kept = store.load_latest("run")
assert kept.round == 1 and kept.skipped == () and (kept.arrays["h1"]["w"] == 1).all()
assert [path.name for path in store.folder.iterdir()] == ["run.000001.checkpoint"]
"""


def run_on_full_disk(command: list[str], folder: Path, how: str) -> subprocess.CompletedProcess:
    script = folder / "script.py"
    script.write_text(FULL_DISK)
    runs = folder / "runs"
    runs.mkdir()
    return subprocess.run(
        [*command, sys.executable, str(script), str(runs), how],
        capture_output=True,
        text=True,
        check=False,
    )


def assert_reported(done: subprocess.CompletedProcess, reason: str) -> None:
    assert done.returncode == 0, done.stderr
    for needed in (
        "run.000002.checkpoint cannot be written",
        reason,
        "are free",
        "Free some space",
    ):
        assert needed in done.stdout


def test_write_that_breaks_off_leaves_the_checkpoint_before_whole(tmp_path):
    pytest.importorskip("resource")
    assert_reported(run_on_full_disk([], tmp_path, "limit"), "too large")


def test_full_disk_leaves_the_checkpoint_before_whole(tmp_path):
    """On a real file system of 128 kB, mounted in a name space of its own."""
    mount = f'mount -t tmpfs -o size=128k tmpfs {tmp_path}/runs && exec "$@"'
    inside = ["unshare", "-rm", "sh", "-c", mount, "sh"]
    if (
        shutil.which("unshare") is None
        or subprocess.run(
            ["unshare", "-rm", "sh", "-c", f"mount -t tmpfs tmpfs {tmp_path}"],
            capture_output=True,
            check=False,
        ).returncode
    ):
        pytest.skip("this machine lets nobody mount a small file system")
    assert_reported(run_on_full_disk(inside, tmp_path, "mount"), "No space left on device")


def test_killed_writer_leaves_the_file_before_whole(tmp_path):
    """kill -9 at any moment: the name always leads to a whole file."""
    script = tmp_path / "script.py"
    script.write_text(
        "import sys; from pathlib import Path; import numpy as np\n"
        "from deepcity.store.checkpoint import CheckpointStore\n"
        "store = CheckpointStore(Path(sys.argv[1]) / 'runs')\n"
        "for number in range(10**6):\n"
        "    store.save('run', number, {'h1': {'w': np.full(200_000, number, np.float32)}}, {})\n"
        "    print(number, flush=True)\n"
    )
    for delay_lines in (1, 4, 9):
        child = subprocess.Popen(
            [sys.executable, str(script), str(tmp_path)], stdout=subprocess.PIPE, text=True
        )
        with child:
            for _ in range(delay_lines):
                last = int(child.stdout.readline())
            child.kill()
        kept = CheckpointStore(tmp_path / "runs").load_latest("run")
        assert kept.skipped == ()
        assert kept.round >= last
        assert (kept.arrays["h1"]["w"] == kept.round).all()


def test_write_into_a_folder_that_is_a_file(tmp_path):
    (tmp_path / "runs").write_text("not a folder")
    with pytest.raises(CheckpointError, match="cannot be written"):
        CheckpointStore(tmp_path / "runs").save("run", 0, {}, {})


def test_whole_write_replaces_whole(tmp_path):
    for data in (b"long first content", b"short"):
        write_atomic(tmp_path / "f", data)
        assert (tmp_path / "f").read_bytes() == data
    assert [path.name for path in tmp_path.iterdir()] == ["f"]


def test_who_reads_while_it_is_replaced_reads_the_old_one_whole(tmp_path):
    write_atomic(tmp_path / "f", b"first")
    with (tmp_path / "f").open("rb") as reader:
        write_atomic(tmp_path / "f", b"other")
        assert reader.read() == b"first"
