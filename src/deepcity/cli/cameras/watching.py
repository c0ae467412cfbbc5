"""A camera watched to its end, or until it is asked to stop: tracks are written as they end."""

import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from deepcity.city.errors import CameraError
from deepcity.city.localized_text import LocalizedText
from deepcity.cli.cameras.chosen import ChosenNetworks
from deepcity.cli.cameras.watch_progress import WatchProgress
from deepcity.cli.language import PrintedLanguage, echo
from deepcity.data.config.toml_file import did_you_mean
from deepcity.exchange.flare.foreground import until_signal
from deepcity.vision.calibration.calibration import Calibration
from deepcity.vision.calibration.camera_file import load_calibrations
from deepcity.vision.frames.frame import CameraFrame
from deepcity.vision.frames.pace import FramePace
from deepcity.vision.frames.source import FrameSource
from deepcity.vision.pipeline import Pipeline, PipelineRules, tracks_of
from deepcity.vision.store_writer import StoreWriter
from deepcity.vision.track_file import TrackFileHead, TrackFileWriter
from deepcity.vision.track_store.track_store import TrackStore
from deepcity.vision.tracking import TrackingRules

_LOST_FRAMES = 3
"""Frames unseen after which a track ends, where that is longer than a second."""


@dataclass(frozen=True)
class WatchResult:
    """What came of it.

    Attributes:
        network: of the embeddings; empty where there are none.
        asked: whether somebody asked it to stop.
    """

    camera: str
    frames: int
    tracks: int
    network: str
    asked: bool


@dataclass(frozen=True)
class WatchedCamera:
    """One camera, where its frames come from and where its tracks go."""

    camera: str
    source: FrameSource
    pace: FramePace
    calibration: Calibration | None
    writer: Callable[[TrackFileHead], TrackFileWriter | StoreWriter]

    def run(self, chosen: ChosenNetworks, language: PrintedLanguage) -> WatchResult:
        """Look at every frame that is due.

        Raises:
            NetworkFileError: if a network is not there or of no use.
            CameraError: if frames break off or tracks cannot be written; what was seen is kept.
        """
        length_s = self.source.length_s()
        detector, embedder = chosen.load()
        name, width = ("", 0) if embedder is None else (embedder.name, embedder.width)
        head = TrackFileHead(camera=self.camera, network=name, width=width)
        lost_s = max(1.0, _LOST_FRAMES / self.pace.per_s)
        rules = PipelineRules(TrackingRules(lost_s=lost_s))
        with (
            until_signal() as asked,
            self.writer(head) as file,
            WatchProgress(self.camera, length_s, language) as progress,
        ):
            pipeline = Pipeline(
                self.camera,
                detector,
                embedder,
                calibration=self.calibration,
                rules=rules,
                first_number=file.next_number,
            )
            for one in tracks_of(self._frames(asked, pipeline, file, progress), pipeline):
                file.add(one)
        return WatchResult(self.camera, pipeline.seen_frames, file.added, name, asked.is_set())

    def _frames(
        self,
        asked: threading.Event,
        pipeline: Pipeline,
        file: TrackFileWriter | StoreWriter,
        progress: WatchProgress,
    ) -> Iterator[CameraFrame]:
        """Frames until somebody asks to stop; what was seen is shown in between."""
        with closing(self.source.frames(self.pace)) as taken:
            while not asked.is_set():
                held = [frame for frame in [next(taken, None)] if frame is not None]
                if not held:
                    return
                at_s = held[0].time_s
                yield held.pop()
                progress.frame(pipeline.seen_frames, at_s, pipeline.in_view, file.added)


def written_to(
    out: Path | None, store: Path | None, hours: int
) -> Callable[[TrackFileHead], TrackFileWriter | StoreWriter]:
    """Where tracks go: a file of the camera's own, or the city's store.

    Raises:
        CameraError: if neither or both are named.
    """
    if (out is None) == (store is None):
        raise CameraError(
            "name where tracks go: --out FILE for a file of this camera, or --store FOLDER for the "
            "city's store, which is searched and deletes them after --hours"
        )
    if out is not None:
        return partial(TrackFileWriter, out)
    assert store is not None
    return lambda head: StoreWriter(TrackStore(store, head.network, head.width, hours))


def calibration_of(path: Path | None, camera: str) -> Calibration | None:
    """The camera's calibration, where a file of them is given.

    Raises:
        ConfigError: with every problem of the file.
        CameraError: if it does not have the camera.
    """
    if path is None:
        return None
    known = load_calibrations(path)
    if camera not in known:
        raise CameraError(f"{path}: no camera {camera!r}; {did_you_mean(camera, list(known))}")
    return known[camera]


def print_watched(found: WatchResult, out: Path, language: PrintedLanguage) -> None:
    """What was written, and what its reader must know."""
    network = found.network
    with_en = f"embeddings by {network}" if network else "no embeddings"
    with_ko = f"임베딩 {network}" if network else "임베딩 없음"
    lines = [
        LocalizedText(
            f"{out}: {found.tracks:,} tracks of camera {found.camera} from {found.frames:,} "
            f"frames, {with_en}; no picture was kept.",
            f"{out}: 카메라 {found.camera}, 프레임 {found.frames:,}개에서 경로 "
            f"{found.tracks:,}개, {with_ko}. 영상은 남기지 않았습니다.",
        )
    ]
    if network:
        lines.append(
            LocalizedText(
                "Embeddings tell people apart: keep the file with the camera's owner, and delete "
                "it within hours.",
                "임베딩으로 사람을 구별할 수 있습니다. 카메라 소유 기관 안에 두고 몇 시간 안에 "
                "지우십시오.",
            )
        )
    for line in lines:
        echo(line, language)
