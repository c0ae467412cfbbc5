"""See the package. Each way of each seed is kept in cases.jsonl beside this file as soon as it is
measured; the table is made of all that are there.
"""

import argparse
import sys
from importlib.util import find_spec

from benchmarks import kept_cases
from benchmarks.persons.pictures import ARCHIVE
from benchmarks.record import record
from benchmarks.time_to_find import __doc__ as about
from benchmarks.time_to_find.case import REACHABLE, Case, measure, reachable
from benchmarks.time_to_find.tables import text
from benchmarks.time_to_find.ways import WAYS, DayAtCities, Way, ways_of
from deepcity.simulation.street_day import StreetDaySettings, simulate_street_day

KEPT = kept_cases.BESIDE / "time_to_find" / "cases.jsonl"


def main() -> None:
    """Measure what is missing, print as it goes, and record."""
    parser = argparse.ArgumentParser(
        description=about, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", default="0,1,2")
    names = "; ".join(way.name for way in WAYS)
    parser.add_argument("--ways", default=names, help="separated by semicolons")
    parser.add_argument("--only-tables", action="store_true", help="of the cases there are")
    asked = parser.parse_args()
    try:
        ways = ways_of([one.strip() for one in asked.ways.split(";")])
    except ValueError as error:
        sys.exit(str(error))
    if not asked.only_tables:
        if not ARCHIVE.exists():
            sys.exit(f"the pictures are not there ({ARCHIVE}): use --only-tables")
        if lacking := [name for name in ("PIL", "openvino") if find_spec(name) is None]:
            sys.exit(f"{', '.join(lacking)} cannot be imported: pip install pillow openvino")
        for seed in map(int, asked.seeds.split(",")):
            _measure(seed, ways)
    kept_cases.load_some(KEPT)
    found = text(load())
    print(found)
    record("time-to-find", found)


def load() -> list[Case]:
    """Cases of earlier runs; of one measured twice, the later."""
    cases = [Case(**one) for one in kept_cases.load(KEPT)]
    return list({(case.way, case.seed): case for case in cases}.values())


def _measure(seed: int, ways: list[Way]) -> None:
    done = {case.way for case in load() if case.seed == seed}
    missing = [way for way in ways if way.name not in done]
    if not missing and REACHABLE in done:
        return
    import torch

    torch.set_num_threads(1)
    at = DayAtCities(simulate_street_day(StreetDaySettings(), seed), seed)
    if REACHABLE not in done:
        _keep(reachable(at.day, seed))
    for way in missing:
        _keep(measure(at, way))


def _keep(case: Case) -> None:
    kept_cases.keep(KEPT, case.as_dict())
    found = sum(one is not None for one in case.found_s)
    print(f"seed {case.seed}, {case.way}: {found} of {len(case.found_s)} found", flush=True)


if __name__ == "__main__":
    main()
