"""The README's Python runs as it stands there, block after block."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("name", ["README.md", "README.ko.md"])
def test_python_of_the_readme_runs(name, tmp_path, monkeypatch):
    blocks = BLOCK.findall((ROOT / name).read_text(encoding="utf-8"))
    assert blocks, f"{name} has no Python block"
    (tmp_path / "cities").symlink_to(ROOT / "cities")
    monkeypatch.chdir(tmp_path)
    scope = {"__name__": "readme"}
    for block in blocks:
        exec(compile(block, name, "exec"), scope)


def test_both_readmes_hold_the_same_code_but_for_remarks():
    ours = [ROOT / "README.md", ROOT / "README.ko.md"]
    fence = re.compile(r"^```(?:python|sh|bash|console|toml)\n(.*?)^```", re.MULTILINE | re.DOTALL)
    english, korean = (
        [re.sub(r" *#.*", "", block) for block in fence.findall(path.read_text(encoding="utf-8"))]
        for path in ours
    )
    assert english == korean
