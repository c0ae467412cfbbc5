"""The files of deploy/, read as their tools read them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

DEPLOY = Path(__file__).parents[2] / "deploy"
COMPOSE = sorted((DEPLOY / "compose").glob("*.yaml"))
KUSTOMIZE = DEPLOY / "kustomize"
KUSTOMIZATIONS = sorted(KUSTOMIZE.rglob("kustomization.yaml"))
MANIFESTS = sorted(
    path for path in (KUSTOMIZE / "base").rglob("*.yaml") if path.name != "kustomization.yaml"
)
SECRET = re.compile("password|secret|token|key", re.IGNORECASE)
_VARIABLE = re.compile(r"\$\{(\w+)(?::?[?-][^}]*)?\}")


@dataclass(frozen=True)
class Container:
    """One container, as Compose or Kubernetes starts it.

    Attributes:
        program, arguments: in place of the image's entry point, and after it.
        health: a command that is run in it.
        mounts: folders and files of it that lie elsewhere; those in `writable` may be written to.
    """

    where: str
    image: str
    program: list[str]
    arguments: list[str]
    health: list[list[str]]
    ports: list[int]
    mounts: list[str]
    writable: list[str]
    environment: dict[str, str]

    @property
    def ours(self) -> bool:
        return self.image.partition(":")[0] == "deepcity"


@cache
def documents(path: Path) -> list[Any]:
    return [one for one in yaml.safe_load_all(path.read_text(encoding="utf-8")) if one]


def variables(path: Path) -> set[str]:
    """Names that Compose replaces."""
    lines = [line for line in path.read_text().splitlines() if not line.lstrip().startswith("#")]
    return set(_VARIABLE.findall("\n".join(lines)))


def filled(text: str) -> str:
    """A text with an example in place of each variable."""
    return _VARIABLE.sub("example", text)


def composed(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    yield from documents(path)[0]["services"].items()


def pods() -> Iterator[tuple[str, dict[str, Any]]]:
    """The pods of all manifests: whose they are, and their specification."""
    for path in MANIFESTS:
        for one in documents(path):
            if one["kind"] == "StatefulSet":
                yield one["metadata"]["name"], one["spec"]["template"]["spec"]


def containers() -> Iterator[Container]:
    for path in COMPOSE:
        for name, service in composed(path):
            yield _of_compose(f"{path.name}:{name}", service)
    for name, pod in pods():
        for one in (*pod.get("initContainers", []), *pod["containers"]):
            yield _of_kubernetes(f"{name}:{one['name']}", one)


def _of_compose(where: str, service: dict[str, Any]) -> Container:
    volumes = [
        one if isinstance(one, dict) else {"target": one.partition(":")[2]}
        for one in service.get("volumes", [])
    ]
    tmp = [one.partition(":")[0] for one in service["tmpfs"]]
    secrets = [f"/run/secrets/{one}" for one in service.get("secrets", [])]
    return Container(
        where,
        service["image"],
        [],
        [filled(one) for one in service.get("command", [])],
        [service["healthcheck"]["test"][1:]],
        [int(one.rpartition(":")[2]) for one in service.get("ports", [])],
        [*(one["target"] for one in volumes), *secrets, *tmp],
        [*(one["target"] for one in volumes if not one.get("read_only")), *tmp],
        service.get("environment", {}),
    )


def _of_kubernetes(where: str, one: dict[str, Any]) -> Container:
    probes = [one[key] for key in ("startupProbe", "readinessProbe", "livenessProbe") if key in one]
    mounts = one["volumeMounts"]
    return Container(
        where,
        one["image"],
        one.get("command", []),
        one.get("args", []),
        [probe["exec"]["command"] for probe in probes if "exec" in probe],
        [port["containerPort"] for port in one.get("ports", [])],
        [mount["mountPath"] for mount in mounts],
        [mount["mountPath"] for mount in mounts if not mount.get("readOnly")],
        {entry["name"]: entry["value"] for entry in one.get("env", [])},
    )
