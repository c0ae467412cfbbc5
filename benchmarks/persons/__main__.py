"""See the package. Each case is kept in cases.jsonl beside this file as soon as it is measured; the
table is made of all that are there.
"""

import argparse
import sys
from importlib.util import find_spec

from benchmarks import kept_cases
from benchmarks.persons import __doc__ as about
from benchmarks.persons.case import Case, measure_given
from benchmarks.persons.cities import inputs, towns
from benchmarks.persons.given import GIVEN
from benchmarks.persons.pictures import ARCHIVE, crops
from benchmarks.persons.tables import FIRST_ROWS, GIVEN_SET, SETS, text
from benchmarks.record import record

KEPT = kept_cases.BESIDE / "persons" / "cases.jsonl"


def main() -> None:
    """Measure what is missing, print as it goes, and record."""
    parser = argparse.ArgumentParser(
        description=about, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--sets", default=",".join([GIVEN_SET, *SETS]))
    parser.add_argument("--rows", default="; ".join(FIRST_ROWS), help="separated by semicolons")
    parser.add_argument("--only-tables", action="store_true", help="of the cases there are")
    asked = parser.parse_args()
    sets, rows = asked.sets.split(","), [one.strip() for one in asked.rows.split(";")]
    known = [GIVEN_SET, *SETS, *FIRST_ROWS]
    if unknown := [one for one in [*sets, *rows] if one not in known]:
        sys.exit(f"no set or row {', '.join(unknown)}; there are {', '.join(known)}")
    if not asked.only_tables:
        if not ARCHIVE.exists():
            sys.exit(f"the pictures are not there ({ARCHIVE}): use --only-tables")
        if lacking := [name for name in ("PIL", "openvino") if find_spec(name) is None]:
            sys.exit(f"{', '.join(lacking)} cannot be imported: pip install pillow openvino")
        if GIVEN_SET in sets:
            _measure_given()
        for seed in map(int, asked.seeds.split(",")):
            for name in sets:
                if name != GIVEN_SET:
                    _measure(name, seed, rows)
    kept_cases.load_some(KEPT)
    found = text(load())
    print(found)
    record("persons", found)


def load() -> list[Case]:
    """Cases of earlier runs; of one measured twice, the later."""
    cases = [Case(**one) for one in kept_cases.load(KEPT)]
    return list({(case.set, case.row, case.seed): case for case in cases}.values())


def _measure_given() -> None:
    done = {case.row for case in load() if case.set == GIVEN_SET}
    for network in GIVEN:
        if network not in done:
            _keep(measure_given(GIVEN_SET, network, crops()))


def _measure(name: str, seed: int, rows: list[str]) -> None:
    done = {case.row for case in load() if (case.set, case.seed) == (name, seed)}
    missing = [row for row in FIRST_ROWS if row in rows and row not in done]
    if not missing:
        return
    import torch  # neither given networks nor tables need it

    from benchmarks.persons.cases import Setting, measure

    torch.set_num_threads(1)
    people, kind = SETS[name]
    shown = crops()
    setting = Setting(name, kind, towns(people, shown, inputs(kind, shown), seed), seed)
    for row in missing:
        for case in measure(setting, row):
            _keep(case)


def _keep(case: Case) -> None:
    kept_cases.keep(KEPT, case.as_dict())
    within = ", ".join(f"{city} {rank1:.1f}" for city, (rank1, _) in case.within.items())
    across = f"across {case.across[0]:.1f}"
    turned = f", aligned {case.aligned[0]:.1f}" if case.aligned else ""
    print(f"{case.set}, seed {case.seed}, {case.row}: {within}, {across}{turned}", flush=True)


if __name__ == "__main__":
    main()
