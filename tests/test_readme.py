"""The README's Python runs as it stands there; its figures stand in the results of benchmarks."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


def test_python_of_the_readme_runs(tmp_path, monkeypatch):
    """The Korean one holds the same code, as the next test says."""
    name = "README.md"
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


def _measured(name):
    """The lines of the part on measurements."""
    text = (ROOT / name).read_text(encoding="utf-8")
    return text.split("\n## ")[3].splitlines()


def test_figures_of_the_readme_stand_in_the_results():
    """All with three decimals; rounder ones differ from the results by being rounded."""
    exact = re.compile(r"(?<![\d.])\d+\.\d{3}(?!\d)")
    results = set(exact.findall((ROOT / "benchmarks" / "RESULTS.md").read_text(encoding="utf-8")))
    figures = {figure for line in _measured("README.md") for figure in exact.findall(line)}
    assert len(figures) > 80
    assert figures - results == set()


def test_both_readmes_hold_the_same_figures():
    """In tables cell by cell; in text those with decimals."""
    number, decimal = re.compile(r"\d+(?:\.\d+)?"), re.compile(r"\d+\.\d+")
    english, korean = _measured("README.md"), _measured("README.ko.md")
    for ours, theirs in zip(english, korean, strict=True):
        if ours.startswith("|"):
            cells = [
                [number.findall(cell) for cell in row.split("|")[2:]] for row in (ours, theirs)
            ]
        else:
            cells = [sorted(decimal.findall(line)) for line in (ours, theirs)]
        assert cells[0] == cells[1], theirs
