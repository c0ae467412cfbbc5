"""The library's front door: what `deepcity run` does, from Python.

`Federation` runs a map, `Forecaster` forecasts for one party: of a run, or alone.
"""
