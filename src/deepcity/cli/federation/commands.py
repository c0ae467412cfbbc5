"""`deepcity federation`: make, start and stop a federation of separate machines."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from deepcity.cli.federation.parts import (
    exit_by_health,
    out,
    print_certificates,
    print_connected,
    start_again,
    start_parts,
    stay_with,
)
from deepcity.exchange.flare import identities, kits, processes
from deepcity.exchange.flare.need import require_engine
from deepcity.runs.machines.status import coordinator_status, local_kits, set_map

app = typer.Typer(
    no_args_is_help=True,
    help=(
        "A map run between machines: a hub leads, each city trains, chooses its level and keeps "
        "its forecaster on its own machine.\n\n"
        "Everybody is identified by a certificate of this federation (mutual TLS). Cities connect "
        "outwards to the hub; nobody connects to a city. No rows leave a city; what may leave is "
        "bounded by the city's own copy of the map.\n\n"
        "From nothing to a running federation of three cities on this machine:\n\n"
        "  deepcity federation new fed --map map.toml\n\n"
        "  deepcity federation add-site fed north centre south\n\n"
        "  deepcity federation start fed\n\n"
        "  deepcity federation status fed\n\n"
        "  deepcity federation stop fed\n\n"
        "Then, at a city: deepcity forecast fed/sites/north/run; at the hub: deepcity report "
        "fed/run (with vertical training: fed/run/vertical).\n\n"
        "On several machines: copy fed/sites/NORTH to the city's machine and start it there: "
        "deepcity federation start NORTH --map map.toml. It needs pip install 'deepcity\\[flare]'."
    ),
)

Folder = Annotated[Path, typer.Argument(help="The federation's folder.", metavar="FEDERATION")]
Kit = Annotated[
    Path,
    typer.Argument(
        help="The federation's folder, or one site's kit on its own machine.",
        metavar="FEDERATION|KIT",
    ),
]


@app.command()
def new(
    folder: Folder,
    map_file: Annotated[
        Path, typer.Option("--map", help="Map file of the services to train.", metavar="FILE")
    ],
    name: Annotated[str, typer.Option(help="Of the federation, in its certificates.")] = "deepcity",
    host: Annotated[
        str, typer.Option(help="Name or address by which cities reach the hub.")
    ] = "localhost",
    port: Annotated[int, typer.Option(help="The hub's only port.")] = 8002,
    lease_rounds: Annotated[
        int, typer.Option(help="Rounds of a lease; cities that were away come in at the next one.")
    ] = 20,
) -> None:
    """Make a federation: its authority, its hub and its operator.

    The map is checked as `deepcity run` checks it, but for records, which may be elsewhere.

    Keep FEDERATION/authority/ secret: who has it can make members.

    Example: deepcity federation new fed --map map.toml --host hub.example.org
    """
    from deepcity.runs.machines.federated_map import map_of_federation

    if not map_file.is_file():
        raise typer.BadParameter(f"{map_file} is no file; name the map file", param_hint="--map")
    wanted = {"name": name, "host": host, "port": port, "lease_rounds": lease_rounds}
    processes.check_path(folder)
    federation = kits.federation_of({**wanted, "map": str(map_file.absolute())})
    map_of_federation(folder, federation)
    kits.new_federation(folder, federation)
    out.print(f"{folder} is a federation now. Next: deepcity federation add-site {folder} CITY ...")


@app.command("add-site")
def add_site(
    folder: Folder,
    names: Annotated[
        list[str],
        typer.Argument(
            help="Names of cities as in the map (north), or of agencies with a machine of their "
            "own (north_water).",
            metavar="SITE...",
        ),
    ],
) -> None:
    """Add cities or agencies, and write a start kit for each.

    Example: deepcity federation add-site fed north centre south_water
    """
    from deepcity.runs.machines.federated_map import check_site_names, map_of_federation

    federation = kits.read_federation(folder)
    check_site_names(names, map_of_federation(folder, federation))
    made = kits.add_sites(folder, names, {"map": federation.map})
    for kit in made:
        out.print(f"{kit}: copy it to the site's machine over a channel that you trust")
    elsewhere = [one for one in kits.read_federation(folder).sites if one not in names]
    elsewhere = [one for one in elsewhere if not kits.kit_folder(folder, one).exists()]
    if elsewhere:
        out.print(
            f"If the map asks for secure sums, also copy {folder / identities.IDENTITIES} into "
            f"local/ of {', '.join(elsewhere)}, over a channel that you trust."
        )
    if processes.running(folder) is not None:
        out.print("They come in once the coordinator is started again: stop, then start.")


@app.command()
def revoke(folder: Folder, site: Annotated[str, typer.Argument(help="Name of the site.")]) -> None:
    """Refuse a site from now on; its certificate is worth nothing any more.

    Example: deepcity federation revoke fed south
    """
    require_engine()
    kits.revoke_site(folder, site)
    processes.stop(kits.kit_folder(folder, site))
    restarted = start_again([kits.hub_folder(folder)], folder)
    tail = "; the hub was started again" if restarted else ""
    out.print(f"{site} may not come in any more{tail}.")


@app.command()
def start(
    folder: Kit,
    map_file: Annotated[
        Path | None,
        typer.Option(
            "--map",
            help="The map file on this machine, where it is not where it was.",
            metavar="FILE",
        ),
    ] = None,
    hub_only: Annotated[
        bool, typer.Option(help="Not the sites whose kits are still in the federation's folder.")
    ] = False,
    foreground: Annotated[
        bool,
        typer.Option(
            "--foreground",
            help="Stay until SIGTERM or Ctrl-C, or until a part has gone; for containers and "
            "service managers.",
        ),
    ] = False,
) -> None:
    """Start the hub and every site whose kit is here, in the background; or one site.

    What crashes is started again. Logs: engine.log in each kit.

    Examples: deepcity federation start fed --hub-only;
    on a city's own machine: deepcity federation start north --map map.toml;
    in a container: deepcity federation start /site --map /maps/map.toml --foreground
    """
    require_engine()
    if map_file is not None:
        set_map(folder, map_file)
    parts = local_kits(folder, hub_only=hub_only, revoked=False)
    if foreground:
        stay_with(folder, parts)
        return
    start_parts(folder, parts)
    if (folder / kits.FEDERATION).exists():
        out.print(f"Watch it with: deepcity federation status {folder}", markup=False)


@app.command()
def stop(folder: Kit) -> None:
    """Stop all that runs here of a federation, or one site; nothing is lost.

    Example: deepcity federation stop fed
    """
    stopped = [kit for kit in local_kits(folder) if processes.stop(kit)]
    for kit in stopped:
        out.print(f"{kit}: stopped")
    if not stopped:
        out.print(f"nothing of {folder} was running")


@app.command()
def status(
    folder: Kit,
    check: Annotated[
        bool,
        typer.Option(
            "--check",
            help="Print what is wrong and nothing else; exit with 0 where nothing is, and 1 "
            "otherwise. For health checks: of the hub and the coordinator, or of one site.",
        ),
    ] = False,
) -> None:
    """Which processes run here, which sites are connected, and what the coordinator does.

    If the coordinator stopped, the reason stands there; more is in FEDERATION/engine.log.
    Certificates stand there with the day that they end.

    Examples: deepcity federation status fed, deepcity federation status fed --check
    """
    if check:
        exit_by_health(folder)
        return
    table = Table("part", "process")
    for kit in local_kits(folder):
        pid = processes.running(kit)
        table.add_row(str(kit), str(pid) if pid is not None else "not running")
    out.print(table)
    if (folder / kits.FEDERATION).exists():
        out.print(coordinator_status(folder), markup=False)
        if processes.running(kits.hub_folder(folder)) is not None:
            print_connected(folder)
    print_certificates(folder)


@app.command()
def claims(
    folder: Annotated[
        Path,
        typer.Argument(
            help="The federation's folder, or that of a run in one process.",
            metavar="FEDERATION|RUN",
        ),
    ],
) -> None:
    """How many rows each party signed for in each training, and whether the signatures hold.

    Rows are a party's weight in averages, and nobody else can count them. A claim of more rows than
    can have been measured since an earlier one is named below the table. Exits with 1 where a
    signature does not hold, or a party's key has changed.

    Examples: deepcity federation claims fed, deepcity federation claims runs/demo
    """
    from deepcity.cli.federation.claims import print_claims  # networks are loaded with it

    if not print_claims(folder):
        raise typer.Exit(1)


@app.command()
def renew(
    folder: Folder,
    names: Annotated[
        list[str] | None,
        typer.Argument(
            help="Names of sites. Default: all that may come in, the hub and the operator.",
            metavar="SITE...",
        ),
    ] = None,
    hub: Annotated[
        bool, typer.Option("--hub", help="The hub and the operator, beside the sites named.")
    ] = False,
) -> None:
    """Give new certificates, from the same authority, before the old ones end.

    Parts that run here are started again with them. For a site whose kit is elsewhere they are
    written into FEDERATION/renewed/SITE/: hand it over, and start the site again with it. Until
    then its old certificate counts.

    Examples: deepcity federation renew fed, deepcity federation renew fed north,
    deepcity federation renew fed --hub
    """
    homes = kits.renew_certificates(folder, names or (), hub=hub)
    for name, home in homes.items():
        if home == folder / kits.RENEWED / name:
            out.print(
                f"{name}: hand {home / 'startup'} over a channel that you trust; it takes the "
                f"place of startup/ in the kit of {name}, which is then stopped and started",
                markup=False,
            )
        else:
            out.print(f"{home}: renewed", markup=False)
    start_again([part for part in homes.values() if processes.running(part) is not None], folder)
