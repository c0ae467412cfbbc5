"""`deepcity cameras`: what cameras see becomes tracks; their pictures are forgotten."""

from datetime import datetime, tzinfo
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from deepcity.city.localized_text import LocalizedText
from deepcity.cli.language import LanguageOption, PrintedLanguage, echo

app = typer.Typer(
    help=(
        "Cameras: from frames to tracks of people, without pictures.\n\n"
        "Example: deepcity cameras watch rtsp://10.0.0.7/live --camera gate --out gate.tracks"
    ),
    no_args_is_help=True,
)


@app.command("watch")
def watch_camera(
    source: Annotated[
        str,
        typer.Argument(
            help="A folder of pictures, a video file, or an address (rtsp, rtsps, http, https).",
            metavar="SOURCE",
        ),
    ],
    camera: Annotated[str, typer.Option(help="The camera's id, as in tracks and counts.")],
    out: Annotated[
        Path | None,
        typer.Option(
            help="File of tracks; an earlier one of this camera is gone on with.", metavar="FILE"
        ),
    ] = None,
    store: Annotated[
        Path | None,
        typer.Option(
            help="Instead of --out: folder of all tracks of the city, which `deepcity case answer` "
            "searches.",
            metavar="FOLDER",
        ),
    ] = None,
    hours: Annotated[
        int, typer.Option(min=1, max=168, help="With --store: after which tracks are deleted.")
    ] = 24,
    start: Annotated[
        str | None,
        typer.Option(
            help="When the first frame was taken, 2026-12-01T04:15:00+09:00. Videos need it; "
            "pictures whose names hold their times do not, and streams are of now.",
            metavar="TIME",
        ),
    ] = None,
    rate: Annotated[
        float | None,
        typer.Option(
            help="Frames a second that the source has, with --start. Default: as a video says, "
            "and 1 for pictures."
        ),
    ] = None,
    zone: Annotated[
        str, typer.Option(help="Time zone of --start and of names that state none.")
    ] = "UTC",
    fps: Annotated[float, typer.Option("--fps", help="Frames a second to look at, at most.")] = 5.0,
    wait: Annotated[
        float, typer.Option(help="Seconds without a frame after which a stream has stalled.")
    ] = 10.0,
    calibration: Annotated[
        Path | None,
        typer.Option(
            help="TOML file of calibrated cameras: tracks get metres and heights.",
            metavar="CAMERAS.toml",
        ),
    ] = None,
    detector: Annotated[
        str | None,
        typer.Option(help="Network that finds people. Default: pedestrian-detection-adas-0002."),
    ] = None,
    embedder: Annotated[
        str | None,
        typer.Option(
            help="Network that tells people apart. Default: person-reidentification-retail-0287."
        ),
    ] = None,
    embeddings: Annotated[
        bool, typer.Option(help="Whether tracks get embeddings; counts need none.")
    ] = True,
    model: Annotated[
        list[Path] | None,
        typer.Option(
            help="An own network, .xml with its .bin, or .onnx, in place of the named one of its "
            "task; may be given twice.",
            metavar="FILE",
        ),
    ] = None,
    models: Annotated[
        Path | None,
        typer.Option(
            help="Folder of the named networks. Default: the user's own.", metavar="FOLDER"
        ),
    ] = None,
    threads: Annotated[int, typer.Option(min=1, help="Processor threads.")] = 1,
    language: LanguageOption = PrintedLanguage.EN,
) -> None:
    """Watch a camera and write down who passed, as tracks; no picture is kept.

    Each track has times, boxes, colours of clothes, an embedding, and with --calibration metres
    on the ground and the person's height. A file of tracks is readable by its owner alone, and
    encrypted where DEEPCITY_STORAGE_KEY is set. Ctrl-C ends it, with the tracks of who is in view.

    Needs: pip install 'deepcity\\[vision]', and networks (deepcity models fetch)

    Example: deepcity cameras watch monday.mp4 --camera gate --start 2026-12-01T08:00:00+09:00
    --out gate.tracks
    """
    from deepcity.cli.cameras.chosen import ChosenNetworks
    from deepcity.cli.cameras.watching import (
        WatchedCamera,
        calibration_of,
        print_watched,
        written_to,
    )
    from deepcity.vision.frames.pace import FramePace
    from deepcity.vision.frames.source import FrameTimes, open_source
    from deepcity.vision.models.catalogue import DETECTOR, EMBEDDER
    from deepcity.vision.models.model_folder import default_folder
    from deepcity.vision.opencv import require_opencv

    require_opencv()
    place = _zone(zone)
    try:
        times, pace = FrameTimes(_start(start, place), rate, place, wait), FramePace(fps)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    chosen = ChosenNetworks(
        detector or DETECTOR,
        (embedder or EMBEDDER) if embeddings else None,
        tuple(model or ()),
        models or default_folder(),
        threads,
    )
    frames = open_source(source, camera, times)
    calibrated = calibration_of(calibration, camera)
    watched = WatchedCamera(camera, frames, pace, calibrated, written_to(out, store, hours))
    print_watched(watched.run(chosen, language), out or store or Path(), language)


@app.command()
def embed(
    pictures: Annotated[
        list[Path],
        typer.Argument(help="Pictures of one person, each with nobody else.", metavar="FILE..."),
    ],
    out: Annotated[Path, typer.Option(help="JSON file to write.", metavar="FILE")],
    embedder: Annotated[
        str | None,
        typer.Option(
            help="Network that tells people apart. Default: person-reidentification-retail-0287."
        ),
    ] = None,
    whole: Annotated[
        bool, typer.Option(help="Take each picture whole: it shows the person and no more.")
    ] = False,
    model: Annotated[
        list[Path] | None,
        typer.Option(help="An own network, as of `watch`; may be given twice.", metavar="FILE"),
    ] = None,
    models: Annotated[
        Path | None,
        typer.Option(
            help="Folder of the named networks. Default: the user's own.", metavar="FOLDER"
        ),
    ] = None,
    language: LanguageOption = PrintedLanguage.EN,
) -> None:
    """Write the embeddings of a person's pictures, by which `deepcity case open` looks for them.

    In each picture the largest person is taken. The file stands for the person: delete it when the
    case is open, which keeps its own.

    Example: deepcity cameras embed child-1.jpg child-2.jpg --out child.json
    """
    from deepcity.cli.cameras.chosen import ChosenNetworks
    from deepcity.cli.cameras.embedding import write_embeddings
    from deepcity.vision.models.catalogue import DETECTOR, EMBEDDER
    from deepcity.vision.models.model_folder import default_folder
    from deepcity.vision.opencv import require_opencv

    require_opencv()
    folder = models or default_folder()
    chosen = ChosenNetworks(DETECTOR, embedder or EMBEDDER, tuple(model or ()), folder, threads=1)
    count, network = write_embeddings(pictures, out, chosen, whole=whole)
    echo(
        LocalizedText(
            f"{out}: {count} embeddings by {network}. They stand for the person: delete the file "
            "when the case is open.",
            f"{out}: {network}의 임베딩 {count}개. 그 사람을 나타내므로 사건을 연 뒤 지우십시오.",
        ),
        language,
    )


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise typer.BadParameter(f"{name!r} is no time zone; write e.g. Asia/Seoul") from error


def _start(text: str | None, zone: tzinfo) -> float | None:
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(
            f"--start {text!r}: write it as 2026-12-01T04:15:00+09:00"
        ) from error
    return (found if found.tzinfo else found.replace(tzinfo=zone)).timestamp()
