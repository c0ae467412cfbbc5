"""Pictures of a few hundred people as embeddings: real ones are handed in, these are drawn.

Shapes: I pictures, E numbers of an embedding.
"""

from dataclasses import dataclass

import numpy as np

from deepcity.city.arrays import Bools, Floats, Indices, Ints


@dataclass(frozen=True, eq=False)
class EmbeddedPictures:
    """Embeddings of pictures, who is on each, and which real camera took it.

    Attributes:
        embedding_IE: of unit length.

    Raises:
        ValueError: if the three are not of one length, or a number is not finite.
    """

    embedding_IE: Floats
    person_I: Ints
    camera_I: Ints

    def __post_init__(self) -> None:
        sizes = len(self.embedding_IE), len(self.person_I), len(self.camera_I)
        if len(set(sizes)) > 1 or not sizes[0] or self.embedding_IE.ndim != 2:
            raise ValueError(
                f"{sizes[0]} embeddings of {sizes[1]} persons by {sizes[2]} cameras; give one row "
                f"of numbers, one person and one camera a picture"
            )
        if not np.isfinite(self.embedding_IE).all():
            raise ValueError("an embedding holds NaN or infinity; make it again")

    def of(self, some: Bools | Indices) -> "EmbeddedPictures":
        """Some of the pictures."""
        return EmbeddedPictures(self.embedding_IE[some], self.person_I[some], self.camera_I[some])


def synthetic_pictures(
    people: int, cameras: int, seed: int, *, width: int = 32, noise: float = 0.35
) -> EmbeddedPictures:
    """Three pictures of everybody by every camera: a person, the camera's light, and noise.

    Args:
        noise: of pictures of one person, in the spread between persons; 0 makes all alike.
    """
    rng = np.random.default_rng(seed)
    person_PE = rng.normal(0.0, 1.0, (people, width))
    light_CE = rng.normal(0.0, noise / 2, (cameras, width))
    person_I = np.repeat(np.arange(people), cameras * 3)
    camera_I = np.tile(np.repeat(np.arange(1, cameras + 1), 3), people)
    found = person_PE[person_I] + light_CE[camera_I - 1]
    found += rng.normal(0.0, noise, found.shape)
    found /= np.linalg.norm(found, axis=1, keepdims=True)
    return EmbeddedPictures(np.asarray(found, np.float32), person_I, camera_I)
