"""A town of two parties, a/x and a/y, with more days of rows than a run of it has learned from."""

from little_map import LittleMap, service

import deepcity


def write(folder, values, days, settings=""):
    """The town with so many days of each party's values; gives the map file.

    Args:
        values: position of a party -> its hourly records, of all days.
    """
    town = LittleMap(folder)
    for number, name in enumerate(("a/x", "a/y")):
        town.party(name, values(number)[: days * 24])
    return town.write(service(levels=(), settings=f"pooled = false\n{settings}"))


def trained(folder, values, learned, days, settings=""):
    """The folder, with a run in `run` that learned from the first of its days."""
    deepcity.Federation(write(folder, values, learned, settings), folder / "run").fit()
    write(folder, values, days, settings)
    return folder
