"""What `deepcity federation` does with the parts that run on this machine, and what it prints."""

from collections.abc import Sequence
from pathlib import Path

import typer
from rich.console import Console

from deepcity.city.errors import ExchangeError
from deepcity.city.problem import Problem
from deepcity.exchange.flare import certificates, foreground, kits, processes
from deepcity.runs.machines.health import health_problems
from deepcity.runs.machines.status import (
    FINISHED,
    local_kits,
    read_status,
    sites_connected,
)

out = Console(highlight=False, soft_wrap=True)


def start_parts(folder: Path, parts: Sequence[Path]) -> list[Path]:
    """Start those that do not run, in the background.

    Returns:
        those that run now: not a site whose certificate has expired.

    Raises:
        ExchangeError: if the hub's or the only site's has, or the engine cannot start from a
            folder.
        ConfigError: if the hub's port is taken.
    """
    usable = _usable(folder, parts)
    for part in usable:
        if processes.running(part) is None:
            if part == kits.hub_folder(folder):
                _check_hub_port(folder)
            out.print(f"{part}: process {processes.start(part)}")
        else:
            out.print(f"{part}: runs already")
    return usable


def _check_hub_port(folder: Path) -> None:
    """See that the hub's port is free; it is written into all kits, so none can be given here.

    Raises:
        ConfigError: if it is taken.
    """
    from deepcity.web.server.serving import check_port

    port = kits.read_federation(folder).port
    right = (
        "stop that, or make a federation with another port: "
        "deepcity federation new NAME --map FILE --port PORT"
    )
    check_port("0.0.0.0", port, Problem(str(folder / kits.FEDERATION), "port", port, "", right))


def stay_with(folder: Path, parts: Sequence[Path]) -> None:
    """Start parts, and stay until it is asked for or one has gone: that one is an error.

    Raises:
        ExchangeError: if a part runs already, or what `start_parts` raises.
    """
    if here := [str(part) for part in parts if processes.running(part) is not None]:
        raise ExchangeError(
            f"{', '.join(here)} runs already, in the background. Stop it first: deepcity "
            f"federation stop {folder}"
        )
    with foreground.until_signal() as asked:
        started = start_parts(folder, parts)
        gone = foreground.stay(started, asked, lambda part: _has_finished(part, folder))
    for part in gone:
        out.print(f"{part} has gone; see {part / processes.LOG}", markup=False)
    if gone:
        raise typer.Exit(1)


def start_again(parts: Sequence[Path], folder: Path) -> list[Path]:
    """Stop parts, and start again those that ran; the coordinator too where the hub is one.

    Returns:
        those that were started again.
    """
    both = [*parts, folder] if kits.hub_folder(folder) in parts else parts
    ran = [part for part in both if processes.stop(part)]
    for part in ran:
        processes.start(part)
    return ran


def exit_by_health(folder: Path) -> None:
    """Print what is wrong, and exit with 1 if anything is."""
    problems = health_problems(folder)
    for problem in problems:
        out.print(problem, markup=False)
    if problems:
        raise typer.Exit(1)


def print_connected(folder: Path) -> None:
    """Which sites are connected to the hub."""
    try:
        connected = sites_connected(folder)
    except ExchangeError as error:
        out.print(str(error), markup=False)
        return
    federation = kits.read_federation(folder)
    for site in federation.sites:
        state = "connected" if site in connected else "away"
        out.print(f"{site}: {'revoked' if site in federation.revoked else state}")


def print_certificates(folder: Path) -> None:
    """When each certificate ends; those that end soon, or have, stand out."""
    for one in _certificates(folder):
        style = "yellow" if certificates.soon(one) else None
        out.print(certificates.remark(one), markup=False, style=style)


def _certificates(folder: Path) -> list[certificates.Certificate]:
    """The one of a kit; or of all that is known of a federation, but of revoked sites.

    What lies in a kit here counts before what the authority has given: that is what is used.
    """
    if processes.is_kit(folder):
        return [certificates.kit_certificate(folder)]
    federation = kits.read_federation(folder)
    known = certificates.known_certificates(folder / kits.AUTHORITY)
    here = [part for part in [*local_kits(folder), kits.operator_folder(folder)] if part != folder]
    known |= {
        one.name: one
        for one in (certificates.kit_certificate(part) for part in here if part.exists())
    }
    return [one for name, one in known.items() if name not in federation.revoked]


def _usable(folder: Path, parts: Sequence[Path]) -> list[Path]:
    """The parts without those sites whose certificate has expired, which are named.

    Raises:
        ExchangeError: if it is the hub's, or that of the only site, with the next step.
    """
    found = []
    for part in parts:
        if processes.is_kit(part) and (one := certificates.kit_certificate(part)).expired():
            if part in (folder, kits.hub_folder(folder)):
                raise ExchangeError(certificates.remark(one))
            out.print(f"{part} is not started: {certificates.remark(one)}", markup=False)
        else:
            found.append(part)
    return found


def _has_finished(part: Path, folder: Path) -> bool:
    """Whether a part is the coordinator, and its work is done."""
    return part == folder and read_status(folder).get("what") == FINISHED
