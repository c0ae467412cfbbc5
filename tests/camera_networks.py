"""The real networks of ../shared/models, and a made-up one whose files are known."""

import hashlib
from pathlib import Path

import pytest

from deepcity.vision.models.catalogue import CameraNetwork

FOLDER = Path(__file__).parents[2] / "shared" / "models"
NEEDS_NETWORKS = pytest.mark.skipif(not FOLDER.exists(), reason="needs shared/models")
GRAPH, WEIGHTS = b"<net name='little'/>" * 40_000, bytes(range(256)) * 500


def little(folder="https://models.invalid/little"):
    """A network of two builds; the newest has `GRAPH` and `WEIGHTS`."""
    builds = [
        ("2", {"little.xml": GRAPH, "little.bin": WEIGHTS}),
        ("1", {"little.xml": GRAPH[::-1], "little.bin": WEIGHTS}),
    ]
    return CameraNetwork.model_validate(
        {
            "name": "little",
            "task": "detection",
            "licence": "Apache-2.0",
            "page": "https://models.invalid",
            "input": (1, 3, 8, 8),
            "output": (1, 1, 5, 7),
            "published": "nothing",
            "gflops": 0.1,
            "build": tuple(
                {
                    "release": release,
                    "folder": folder,
                    "file": tuple(
                        {
                            "name": name,
                            "size": len(data),
                            "sha384": hashlib.sha384(data).hexdigest(),
                        }
                        for name, data in files.items()
                    ),
                }
                for release, files in builds
            ),
        }
    )
