"""deploy/kustomize: manifests of the Kubernetes API, that refer to what there is."""

import shutil
import subprocess

import pytest
import yaml
from deployed import DEPLOY, KUSTOMIZATIONS, KUSTOMIZE, MANIFESTS, documents

EXAMPLE = KUSTOMIZE / "overlays" / "example"
HOW_TO = DEPLOY.parent / "docs" / "how-to"


def referred(kustomization):
    """The files and folders that a kustomization names."""
    file = documents(kustomization)[0]
    names = [*file["resources"], *(one["path"] for one in file.get("patches", []))]
    return [(kustomization.parent / name).resolve() for name in names]


def resources(kustomization):
    """(kind, name) of all that it brings, without prefixes."""
    for path in referred(kustomization):
        if path.is_dir():
            yield from resources(path / "kustomization.yaml")
        else:
            for one in documents(path):
                if isinstance(one, dict):
                    yield one["kind"], one["metadata"]["name"]


@pytest.mark.parametrize("path", KUSTOMIZATIONS, ids=lambda path: path.parent.name)
def test_resources_and_patches_are_there(path):
    for one in referred(path):
        assert one.exists(), one
        assert not one.is_dir() or (one / "kustomization.yaml").exists(), one
    known = {*resources(path)}
    for patch in documents(path)[0].get("patches", []):
        assert (patch["target"]["kind"], patch["target"]["name"]) in known


def test_no_file_is_left_over():
    named = {one for path in KUSTOMIZATIONS for one in referred(path)}
    named |= {folder / "kustomization.yaml" for folder in named}
    for path in KUSTOMIZE.rglob("*.yaml"):
        assert path in named or path == EXAMPLE / "kustomization.yaml", path


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_manifests_have_the_form_of_the_api(path):
    checked = pytest.importorskip("kubernetes_validate")
    for one in documents(path):
        checked.validate(one, checked.latest_version(), strict=True)


def test_overlay_is_one_whole():
    """As kustomize builds it: what is referred to is there, or a secret that the page names."""
    built = _built()
    checked = pytest.importorskip("kubernetes_validate")
    names = {(one["kind"], one["metadata"]["name"]) for one in built}
    assert len(names) == len(built)
    page = (HOW_TO / "deploy.md").read_text()
    korean = (HOW_TO / "deploy.ko.md").read_text()
    for one in built:
        checked.validate(one, checked.latest_version(), strict=True)
        if one["kind"] != "Namespace":
            assert one["metadata"]["namespace"] == "deepcity"
        if one["kind"] != "StatefulSet":
            continue
        made = one["spec"]["template"]
        pod, labels = made["spec"], made["metadata"]["labels"]
        assert ("Service", one["spec"]["serviceName"]) in names
        assert one["spec"]["selector"]["matchLabels"].items() <= labels.items()
        for volume in pod["volumes"]:
            if claim := volume.get("persistentVolumeClaim"):
                assert ("PersistentVolumeClaim", claim["claimName"]) in names
            kept = volume.get("secret", {}).get("secretName")
            apart = kept or volume.get("configMap", {}).get("name")
            assert apart is None or (apart in page and apart in korean), apart
        images = [part["image"] for part in (*pod.get("initContainers", []), *pod["containers"])]
        assert all("/" in image and ":" in image for image in images)


def test_services_and_policies_reach_pods_of_their_own():
    built = _built()
    pods = {
        one["metadata"]["name"]: one["spec"]["template"]
        for one in built
        if one["kind"] == "StatefulSet"
    }
    for one in built:
        if one["kind"] not in {"Service", "NetworkPolicy"}:
            continue
        spec, name = one["spec"], one["metadata"]["name"]
        wanted = spec.get("selector") or spec["podSelector"]["matchLabels"]
        reached = [
            pod
            for pod, made in pods.items()
            if wanted.items() <= made["metadata"]["labels"].items()
        ]
        assert reached == [name]
        ports = {p["name"] for c in pods[name]["spec"]["containers"] for p in c.get("ports", [])}
        if one["kind"] == "Service":
            assert {p["targetPort"] for p in spec.get("ports", [])} == ports
        else:
            allowed = {p["port"] for rule in spec.get("ingress", []) for p in rule["ports"]}
            assert allowed == ports


def _built():
    """The example, by kustomize."""
    words = ["kustomize", "build"] if shutil.which("kustomize") else ["kubectl", "kustomize"]
    if shutil.which(words[0]) is None:
        pytest.skip("neither kustomize nor kubectl is installed")
    found = subprocess.run([*words, EXAMPLE], capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    return [one for one in yaml.safe_load_all(found.stdout) if one]
