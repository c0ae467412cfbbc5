"""Every benchmark can be imported: what prints the figures must not lag behind the code."""

import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MODULES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for path in (ROOT / "benchmarks").rglob("*.py")
    if path.name != "__init__.py"
)


OF_THE_ENGINE = {"benchmarks.federation.raw_site", "benchmarks.federation.grpc_echo"}


@pytest.mark.parametrize("name", MODULES)
def test_it_imports(name):
    if name in OF_THE_ENGINE:
        pytest.importorskip("nvflare", reason="nvflare is not installed: deepcity[flare]")
    assert importlib.import_module(name).__doc__
