"""Clients and schemas of others against a city's NGSI-LD routes: what works.

    python -m benchmarks.ngsi_client

It makes an environment of its own in a temporary folder (their libraries want older versions than
ours), installs `ngsildclient` and `pysmartdatamodels` there, serves a little city of the tests, and
lets both look at it: the client reads, queries, counts and subscribes; each attribute that is meant
to be of a Smart Data Model must be in it, under the same IRI, and values in its list where it has
one. It ends with 1 if something does not work, and with 2 where the package index is not reached.
"""

import json
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

from benchmarks.record import record

ROOT = Path(__file__).parents[1]
PACKAGES = ("ngsildclient==0.5.2", "pysmartdatamodels==0.8.2")
_CLIENT = Path(__file__).with_name("ngsi_stranger.py")


def environment(folder: Path) -> Path | None:
    """An interpreter with their libraries; None where they cannot be had."""
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    done = subprocess.run(
        [python, "-m", "pip", "install", "--quiet", *PACKAGES],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        print(done.stderr.strip()[-1000:], file=sys.stderr)
        return None
    return python


def look(python: Path, folder: Path) -> list[tuple[str, bool, str]]:
    """(what, whether it works, what came) of each look at a served city."""
    sys.path.insert(0, str(ROOT / "tests"))
    import grown_town
    from little_map import flows
    from live_city import DAYS, LEARNED_DAYS, node_in
    from live_server import serving

    from deepcity.web.control.app import create_control_room
    from deepcity.web.ngsi.context import model_terms

    def values(number):
        return flows(days=DAYS, places=2, seed=number)

    (folder / "town").mkdir()
    town = grown_town.trained(folder / "town", values, LEARNED_DAYS, DAYS)
    with node_in(town, folder) as node:
        node.tick()
        terms = [[*key, iri] for key, iri in model_terms().items()]
        with serving(create_control_room(node, [], folder / "state")) as address:
            port = address.rsplit(":", 1)[-1]
            done = subprocess.run(
                [python, _CLIENT, port], input=json.dumps(terms),
                capture_output=True, text=True, check=False,
            )  # fmt: skip
    if done.returncode:
        return [("the client runs", False, done.stderr.strip()[-2000:])]
    return [tuple(one) for one in json.loads(done.stdout.splitlines()[-1])]


def main() -> int:
    """Print and keep what works."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        python = environment(folder / "environment")
        if python is None:
            print("the package index is not reached: nothing was tried", file=sys.stderr)
            return 2
        found = look(python, folder)
    lines = [f"| {what} | {'yes' if works else 'NO'} | {came} |" for what, works, came in found]
    print("\n".join(lines))
    table = "\n".join(["| look | works | what came |", "| --- | --- | --- |", *lines])
    record(
        "ngsi-client",
        "## NGSI-LD: clients and schemas of others\n\n"
        f"`python -m benchmarks.ngsi_client`: {' and '.join(PACKAGES)}, in an environment of "
        f"their own, at a little city of the tests.\n\n{table}",
    )
    return 0 if all(works for _, works, _ in found) else 1


if __name__ == "__main__":
    sys.exit(main())
