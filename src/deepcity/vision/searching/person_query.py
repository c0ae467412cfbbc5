"""Who is looked for: pictures as embeddings, or words of a witness; and where and when.

Shapes: Q pictures, E numbers of an embedding.
"""

from dataclasses import dataclass, field

import numpy as np

from deepcity.city.arrays import Doubles
from deepcity.vision.appearance import COLOURS

MOST_PICTURES = 32
MOST_WIDTH = 4096
LEAST_HEIGHT_M, MOST_HEIGHT_M = 0.4, 2.5
_OFF_UNIT = 1e-2


@dataclass(frozen=True, eq=False)
class PersonQuery:
    """Who is looked for.

    Attributes:
        network: by which the embeddings were made; they compare with no other's. Empty where
            there are none.
        embedding_QE: one row of unit length a picture; none where only words are known.
        height_m: least and most metres; None: not known.
        upper, lower: colours of the clothes that a witness may mean, of
            `deepcity.vision.appearance.COLOURS`; empty: not known.

    Raises:
        ValueError: with everything that is wrong with it.
    """

    network: str = ""
    embedding_QE: Doubles = field(default_factory=lambda: np.zeros((0, 0)))
    height_m: tuple[float, float] | None = None
    upper: frozenset[str] = frozenset()
    lower: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        problems = self._picture_problems()
        if self.embedding_QE.ndim == 2:
            problems += self._word_problems()
        if problems:
            raise ValueError("; ".join(problems))

    @property
    def has_pictures(self) -> bool:
        """Whether there is a picture to compare with."""
        return len(self.embedding_QE) > 0

    def _picture_problems(self) -> list[str]:
        found: list[str] = []
        if self.embedding_QE.ndim != 2:
            return [f"embeddings of shape {self.embedding_QE.shape}; give one row a picture"]
        rows, width = self.embedding_QE.shape
        if rows > MOST_PICTURES or width > MOST_WIDTH:
            found.append(
                f"{rows} embeddings of {width} numbers; give {MOST_PICTURES} of {MOST_WIDTH} "
                f"at most"
            )
        if rows and not self.network:
            found.append("embeddings without the name of their network; give it")
        if not np.isfinite(self.embedding_QE).all():
            found.append("an embedding holds NaN or infinity; make it again")
        elif rows and (np.abs(np.linalg.norm(self.embedding_QE, axis=1) - 1) > _OFF_UNIT).any():
            found.append("an embedding is not of length 1; divide it by its length")
        return found

    def _word_problems(self) -> list[str]:
        found = []
        for name, colours in (("upper", self.upper), ("lower", self.lower)):
            if unknown := sorted(colours - set(COLOURS)):
                found.append(f"{name} {', '.join(unknown)!r}: use {', '.join(COLOURS)}")
        if self.height_m is not None:
            low, high = self.height_m
            if not LEAST_HEIGHT_M <= low <= high <= MOST_HEIGHT_M:
                found.append(
                    f"a height of {low:g} to {high:g} m; give the least and the most, within "
                    f"{LEAST_HEIGHT_M} and {MOST_HEIGHT_M} m"
                )
        if not (len(self.embedding_QE) or self.upper or self.lower or self.height_m):
            found.append("nothing to look for; give a picture, a height or a colour of clothes")
        return found


@dataclass(frozen=True)
class SearchSpan:
    """When and where is looked.

    Attributes:
        since_s, until_s: UTC seconds; tracks seen at since_s <= time < until_s.
        cameras: ids; None: all.

    Raises:
        ValueError: if it ends before it begins.
    """

    since_s: float
    until_s: float
    cameras: frozenset[str] | None = None

    def __post_init__(self) -> None:
        if not self.since_s < self.until_s:  # NaN too
            raise ValueError(
                f"from {self.since_s} until {self.until_s}: a span must end after it begins"
            )
