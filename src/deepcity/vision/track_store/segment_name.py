"""Names of files of tracks: when their last tracks ended, and which earlier files they replace.

`1700000400-3-7.tracks` holds tracks that were last seen within ten minutes from 1700000400 s on,
and all that files 3 to 7 of these minutes held. A name is enough to know when a file must go, also
of one that is damaged, encrypted by a lost key or half written.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

SEGMENT_S = 600
"""By which tracks are deleted together: at most so much earlier than the hours of the store say."""
SUFFIX = ".tracks"
_NAME = re.compile(r"(\d{1,12})-(\d{1,9})-(\d{1,9})\.tracks", re.ASCII)
_HALF_WRITTEN = re.compile(r"\.(.+)\.part")
"""As `deepcity.store.atomic` names a file before it is whole."""


@dataclass(frozen=True, order=True)
class SegmentName:
    """Which tracks a file holds.

    Attributes:
        start_s: UTC seconds; its tracks were last seen at start_s <= time < start_s + SEGMENT_S.
        first, last: the numbers of the files that it is or replaces.
    """

    start_s: int
    first: int
    last: int

    def __str__(self) -> str:
        return f"{self.start_s}-{self.first}-{self.last}{SUFFIX}"

    @property
    def until_s(self) -> int:
        """UTC seconds before which its tracks ended."""
        return self.start_s + SEGMENT_S

    def replaces(self, other: "SegmentName") -> bool:
        """Whether all that another file holds is in this one."""
        within = self.first <= other.first and other.last <= self.last
        return self != other and self.start_s == other.start_s and within


def parsed(name: str) -> SegmentName | None:
    """What a file's name says; None: it is no file of tracks.

    >>> parsed("1700000400-3-7.tracks")
    SegmentName(start_s=1700000400, first=3, last=7)
    """
    found = _NAME.fullmatch(name)
    one = SegmentName(*map(int, found.groups())) if found else None
    # as it would be written, or two names stood for one file
    return one if one and str(one) == name and one.first <= one.last else None


def of_any_file(name: str) -> SegmentName | None:
    """As `parsed`, also of a file that is half written."""
    half = _HALF_WRITTEN.fullmatch(name)
    return parsed(half[1] if half else name)


def is_half_written(name: str) -> bool:
    """Whether a file never got its name: its writer is at work or was killed."""
    return _HALF_WRITTEN.fullmatch(name) is not None


def start_of(last_s: float) -> int:
    """In which segment a track belongs that was last seen then.

    >>> start_of(1700000999.9)
    1700000400
    """
    return int(last_s // SEGMENT_S) * SEGMENT_S


def unreplaced(names: Iterable[SegmentName]) -> list[SegmentName]:
    """Those that no other replaces, oldest first: a writer that was killed may have left both."""
    kept: list[SegmentName] = []
    # widest first, so that whatever replaces a file stands directly or indirectly before it
    for one in sorted(names, key=lambda name: (name.start_s, name.first, -name.last)):
        if not (kept and kept[-1].replaces(one)):
            kept.append(one)
    return kept
