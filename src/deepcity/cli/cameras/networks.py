"""`deepcity models`: networks for cameras by name, and whether they are on this machine."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deepcity.city.localized_text import LocalizedText
from deepcity.cli.language import LanguageOption, PrintedLanguage, echo
from deepcity.cli.progress_bars import ProgressBars

if TYPE_CHECKING:
    from deepcity.vision.models.catalogue import CameraNetwork, NetworkBuild

app = typer.Typer(
    help=(
        "Networks that find and tell apart people in the pictures of cameras.\n\n"
        "They come from their makers, not with deepcity: `fetch` gets one, and believes it by its "
        "checksum alone.\n\n"
        "Example: deepcity models fetch pedestrian-detection-adas-0002"
    ),
    no_args_is_help=True,
)
_TASKS = {"detection": "사람 찾기", "re-identification": "재식별"}


@app.command("list")
def list_networks(
    models: Annotated[
        Path | None,
        typer.Option(help="Folder to look into. Default: the user's own.", metavar="FOLDER"),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON, with addresses and checksums.")
    ] = False,
    language: LanguageOption = PrintedLanguage.EN,
) -> None:
    """List the networks that are known, and the release of each that is here.

    Example: deepcity models list
    """
    from deepcity.vision.models.catalogue import camera_networks
    from deepcity.vision.models.model_folder import build_in, default_folder

    folder = models or default_folder()
    found = [(one, build_in(one, folder)) for one in camera_networks().values()]
    if as_json:
        typer.echo(json.dumps([_as_dict(one, build) for one, build in found]))
        return
    for one, build in found:
        echo(_described(one, build), language)


@app.command()
def fetch(
    name: Annotated[str, typer.Argument(help="As `deepcity models list` has it.", metavar="NAME")],
    to: Annotated[
        Path | None,
        typer.Option(help="Folder to put it into. Default: the user's own.", metavar="FOLDER"),
    ] = None,
    source: Annotated[
        str | None,
        typer.Option(
            "--from",
            help="A folder, or the address of one, in place of the official addresses.",
            metavar="FOLDER|URL",
        ),
    ] = None,
    language: LanguageOption = PrintedLanguage.EN,
) -> None:
    """Fetch a network's files, and keep them only if their checksums are the makers'.

    What is there already is not fetched again. On a machine without internet, fetch on another
    one, carry the folder over and name it by --from.

    Example: deepcity models fetch person-reidentification-retail-0287 --from /media/usb
    """
    from deepcity.vision.models.catalogue import camera_network
    from deepcity.vision.models.fetching import fetch as fetch_files
    from deepcity.vision.models.model_folder import default_folder

    network, folder = camera_network(name), to or default_folder()
    with ProgressBars() as bars:
        build = fetch_files(network, folder, source, _FileProgress(bars))
    files = ", ".join(one.name for one in build.file)
    text = LocalizedText(
        f"{folder}: {files}, release {build.release}, {network.licence}, checksums are right.",
        f"{folder}: {files}, 배포판 {build.release}, {network.licence}, 체크섬이 맞습니다.",
    )
    echo(text, language)


class _FileProgress:
    """Shows the bytes of one file after another, in kilobytes."""

    def __init__(self, bars: ProgressBars) -> None:
        self._bars, self._now = bars, ""

    def __call__(self, name: str, done: int, total: int) -> None:
        """So many bytes of a file are here."""
        if name != self._now:
            self._now = name
            self._bars.begin(f"{name} (kB)", -(-total // 1000))
        self._bars.advance(f"{name} (kB)", -(-done // 1000))


def _described(network: "CameraNetwork", build: "NetworkBuild | None") -> LocalizedText:
    size = f"{network.size / 1e6:.1f} MB"
    release = "" if build is None else build.release
    here = f"release {release} is here" if build else f"fetch: deepcity models fetch {network.name}"
    here_ko = f"배포판 {release} 있음" if build else f"받기: deepcity models fetch {network.name}"
    facts = f"{network.licence}, {size}, {network.gflops:g} GFLOP; {network.published}"
    return LocalizedText(
        f"{network.name}\n    {network.task}, {facts}\n    {here}",
        f"{network.name}\n    {_TASKS[network.task]}, {facts}\n    {here_ko}",
    )


def _as_dict(network: "CameraNetwork", build: "NetworkBuild | None") -> dict[str, Any]:
    return {**network.model_dump(mode="json"), "here": build and build.release}
