"""`deepcity case answer`: other cities' searches reach this city's tracks, by one door."""

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from filelock import FileLock, Timeout

from deepcity.city.errors import CaseError, DeepCityError
from deepcity.city.localized_text import LocalizedText
from deepcity.cli.language import LanguageOption, PrintedLanguage, echo
from deepcity.cli.progress_bars import errors

if TYPE_CHECKING:
    from deepcity.intercity.casework.camera_owner import CameraOwner
    from deepcity.vision.track_store.track_store import TrackStore

_NOT_STARTED = 3  # as uvicorn has it
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}
_EVERY_S = 60.0
_held: list[FileLock] = []


def answer(
    city: Annotated[
        Path, typer.Argument(help="City file, which names its policy.", metavar="CITY.toml")
    ],
    agency: Annotated[str, typer.Option(help="Whose cameras, by its name in the city.")],
    tracks: Annotated[
        Path,
        typer.Option(
            help="Folder of tracks, as `deepcity cameras watch --store` writes it.",
            metavar="FOLDER",
        ),
    ],
    network: Annotated[
        str | None,
        typer.Option(help="By which tracks were made. Default: the only one there is."),
    ] = None,
    hours: Annotated[
        int, typer.Option(min=1, max=168, help="After which tracks are deleted.")
    ] = 24,
    state: Annotated[
        Path | None,
        typer.Option(
            help="Folder of the record and of what was asked. Default: .CITY-AGENCY-cases beside "
            "the city file.",
            metavar="FOLDER",
        ),
    ] = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8443,
    certificate: Annotated[
        Path | None, typer.Option(help="File of the TLS certificate (PEM). Default: no TLS.")
    ] = None,
    key: Annotated[Path | None, typer.Option(help="File of the TLS key (PEM).")] = None,
    language: LanguageOption = PrintedLanguage.EN,
) -> None:
    """Answer searches of other cities from the tracks of this city's cameras.

    A search is answered if its city signed it, two of its persons approved it by keys that this
    installation trusts (deepcity keys trust CITY/PERSON KEY --kind approval), and the policy has a
    grant of sightings for its service and purpose. Camera, time and score leave, and each answer
    and refusal stands in the record (deepcity ledger show FOLDER). Ctrl-C ends it.

    Example: deepcity case answer cities/seoul.toml --agency cameras --tracks tracks --port 8443
    --certificate seoul.pem --key seoul.key
    """
    from deepcity.cli.running.doors import check_address
    from deepcity.vision.track_store.found_store import found_store
    from deepcity.web.casework.owner_app import create_owner_app
    from deepcity.web.server.serving import make_server
    from deepcity.web.server.serving import serve as run_server

    check_address(host, port, certificate, key)
    if host not in _LOOPBACK and certificate is None:
        errors.print("Without --certificate and --key, whoever is looked for crosses the network.")
    store = found_store(tracks, hours, network)
    owner = _owner(city, agency, store, state)
    scheme = "http" if certificate is None else "https"

    def ready() -> None:
        echo(
            LocalizedText(
                f"{owner.city} answers searches at {scheme}://{host}:{port} (network "
                f"{store.network}).",
                f"{owner.city}: {scheme}://{host}:{port}에서 검색에 답합니다(신경망 "
                f"{store.network}).",
            ),
            language,
        )

    done = threading.Event()
    cleaner = threading.Thread(target=_delete_ended, args=(store, owner, done), daemon=True)
    cleaner.start()
    try:
        app = create_owner_app(owner, owner.city)
        server = make_server(app, host, port, certificate=certificate, key=key, ready=ready)
        if not run_server(server):
            raise typer.Exit(_NOT_STARTED)
    finally:
        done.set()
        cleaner.join(timeout=10)


def _owner(city: Path, agency: str, store: "TrackStore", state: Path | None) -> "CameraOwner":
    """What answers.

    Raises:
        CaseError: if the city has no such agency, or names no policy.
    """
    from deepcity.data.city_file import load_city
    from deepcity.intercity.casework.asked_cases import ASKED_CASES, CaseBook
    from deepcity.intercity.casework.camera_owner import CameraOwner
    from deepcity.maps.city_policy import PolicyFile, policy_origin
    from deepcity.parties.releases.site_ledger import CLAIMS_KEY, site_ledger
    from deepcity.store.signatures.ed25519 import signing_key
    from deepcity.store.signatures.keyring import own_keyring
    from deepcity.vision.searching.stored_search import StoredSearch

    loaded = load_city(city, later=True)
    name, origin = loaded.city.name, policy_origin(loaded)
    if agency not in {one.name for one in loaded.city.agencies}:
        known = ", ".join(one.name for one in loaded.city.agencies)
        raise CaseError("agency", f"{city}: no agency {agency!r}; there are: {known}")
    if origin is None:
        raise CaseError(
            "policy",
            f'{city} names no policy, and without a grant nothing leaves: write policy = "FILE" '
            f'into it, with a grant of item = "sightings"',
        )
    folder = state or city.parent / f".{name}-{agency}-cases"
    folder.mkdir(parents=True, exist_ok=True)
    _hold(folder)
    policy, search = PolicyFile(origin), StoredSearch(store)
    policy.current()
    search.refresh()
    ledger = site_ledger(folder, f"{name}/{agency}", signing_key(folder / CLAIMS_KEY))
    book = CaseBook(folder / ASKED_CASES)
    return CameraOwner(name, agency, search, own_keyring(), policy, ledger, book)


def _hold(folder: Path) -> None:
    """Keep other processes out of the folder: each would count searches by itself.

    Raises:
        CaseError: if one is in it.
    """
    lock = FileLock(folder / ".answering", timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        raise CaseError(
            "busy", f"another process answers from {folder}; stop it, or name another --state"
        ) from error
    _held.append(lock)  # until the process ends


def _delete_ended(store: "TrackStore", owner: "CameraOwner", done: threading.Event) -> None:
    """Delete tracks whose hours are over, and what is kept of cases that are, every minute, whether
    anybody searches or not.
    """
    while not done.wait(_EVERY_S):
        try:
            store.delete_ended()
            owner.forget_over()
        except DeepCityError as error:
            errors.print(str(error), markup=False)
