"""Where NVIDIA FLARE is not installed, what needs it is skipped, and says what to install."""

import os
import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).parents[1]
ABSENT = 'raise ModuleNotFoundError("No module named nvflare", name="nvflare")\n'


def test_helpers_are_skipped_where_flare_is_missing(tmp_path):
    (tmp_path / "nvflare.py").write_text(ABSENT)
    paths = os.pathsep.join([str(tmp_path), *sys.path])
    helpers = [TESTS / "flare_federation.py", TESTS / "flare_site.py"]
    words = ["-m", "pytest", "-q", "-n", "0", "-rs", "-p", "no:cacheprovider", *map(str, helpers)]
    found = subprocess.run(
        [sys.executable, *words],
        cwd=TESTS.parent,
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "error" not in found.stdout.lower(), found.stdout
    assert found.stdout.count("pip install 'deepcity[flare]'") >= 2
