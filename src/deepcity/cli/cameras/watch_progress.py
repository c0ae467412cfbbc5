"""What a terminal shows while a camera is watched: frames, their time, tracks, time left."""

import time
from datetime import UTC, datetime
from typing import Self

from rich.console import Console
from rich.progress import Progress, TextColumn

from deepcity.city.localized_text import LocalizedText
from deepcity.cli.language import PrintedLanguage
from deepcity.cli.progress_bars import REPORT_EVERY_S, errors


class WatchProgress:
    """One line on standard error that changes; a line now and then where that is no terminal.

    Args:
        length_s: seconds of the source; 0: nobody knows.
    """

    def __init__(
        self,
        camera: str,
        length_s: float,
        language: PrintedLanguage,
        console: Console = errors,
        report_every_s: float = REPORT_EVERY_S,
    ) -> None:
        self._camera, self._length_s, self._language = camera, length_s, language
        self._console, self._every_s = console, report_every_s
        self._begun = self._reported = time.monotonic()
        self._first_s: float | None = None
        self._line = Progress(
            TextColumn("{task.description}", markup=False),
            console=console,
            disable=not console.is_terminal,
            transient=True,
        )
        self._task = self._line.add_task("")

    def __enter__(self) -> Self:
        self._line.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._line.stop()

    def frame(self, frames: int, time_s: float, in_view: int, tracks: int) -> None:
        """A frame was looked at: how many were, the time of this one, and what was found."""
        self._first_s = time_s if self._first_s is None else self._first_s
        now = time.monotonic()
        if self._console.is_terminal:
            self._line.update(self._task, description=self._text(frames, time_s, in_view, tracks))
        elif now - self._reported >= self._every_s:
            self._reported = now
            self._console.print(self._text(frames, time_s, in_view, tracks), markup=False)

    def _text(self, frames: int, time_s: float, in_view: int, tracks: int) -> str:
        took_s = max(time.monotonic() - self._begun, 1e-9)
        moment = datetime.fromtimestamp(time_s, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        share = self._share(time_s)
        left = f", {share:.0%}, {took_s / share - took_s:.0f} s left" if share else ""
        left_ko = f", {share:.0%}, {took_s / share - took_s:.0f}초 남음" if share else ""
        text = LocalizedText(
            f"{self._camera}: {frames:,} frames up to {moment}, {frames / took_s:.1f}/s, "
            f"{in_view} in view, {tracks:,} tracks{left}",
            f"{self._camera}: 프레임 {frames:,}개({moment}까지), 초당 {frames / took_s:.1f}개, "
            f"지금 {in_view}명, 경로 {tracks:,}개{left_ko}",
        )
        return text.en if self._language is PrintedLanguage.EN else text.ko

    def _share(self, time_s: float) -> float:
        """Of the source, 0 where nobody knows."""
        if not self._length_s or self._first_s is None:
            return 0.0
        return min(1.0, (time_s - self._first_s) / self._length_s)
