"""Doctests of modules that import NVIDIA FLARE are collected only where it is installed."""

from importlib.util import find_spec

collect_ignore = (
    []
    if find_spec("nvflare")
    else ["deepcity/exchange/flare/engine.py", "deepcity/runs/machines/map_site.py"]
)
