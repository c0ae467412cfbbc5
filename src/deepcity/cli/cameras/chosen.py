"""Which networks look through a camera: by name from the catalogue, or an operator's own files."""

from dataclasses import dataclass
from pathlib import Path

from deepcity.city.errors import NetworkFileError
from deepcity.vision.detection import PersonDetector, is_detector
from deepcity.vision.embedding import PersonEmbedder, is_embedder
from deepcity.vision.models.catalogue import Task, camera_network
from deepcity.vision.models.model_folder import located, own_network
from deepcity.vision.models.runtime import RunningNetwork


@dataclass(frozen=True)
class ChosenNetworks:
    """What was asked for.

    Attributes:
        detector, embedder: names; embedder None: no embeddings.
        own: the operator's own files, which take the place of the named one of their task.
        folder: where named ones lie.
        threads: processor threads each may use.
    """

    detector: str
    embedder: str | None
    own: tuple[Path, ...]
    folder: Path
    threads: int

    def load(self) -> tuple[PersonDetector, PersonEmbedder | None]:
        """Both, ready to run.

        Raises:
            NetworkFileError: if one is not there, is damaged, or is of no use here.
        """
        own = self._own_by_task()
        detector = own.get("detection") or self._named(self.detector, "detection")
        embedder = own.get("re-identification")
        if embedder is None and self.embedder is not None:
            embedder = self._named(self.embedder, "re-identification")
        return PersonDetector(detector), None if embedder is None else PersonEmbedder(embedder)

    def _named(self, name: str, task: Task) -> RunningNetwork:
        path = located(camera_network(name, task), self.folder)
        return RunningNetwork(path, threads=self.threads, batches=task == "re-identification")

    def _own_by_task(self) -> dict[Task, RunningNetwork]:
        """What a network is for is seen by its output."""
        found: dict[Task, RunningNetwork] = {}
        for graph in self.own:
            network = RunningNetwork(own_network(graph), threads=self.threads, batches=True)
            task = _task_of(graph, network)
            if task in found:
                raise NetworkFileError(
                    f"{graph}: a second network for {task} by --model; give one of each task"
                )
            found[task] = network
        return found


def _task_of(graph: Path, network: RunningNetwork) -> Task:
    if is_detector(network.output_shape):
        return "detection"
    if is_embedder(network.output_shape):
        return "re-identification"
    raise NetworkFileError(
        f"{graph}: its output is {network.output_shape}; a detector's is rows of 7 (image, label, "
        f"confidence, left, top, right, bottom), that of a re-identification one row of numbers"
    )
