"""`deepcity case`: a search for a person, from opening to closing, and the answers to others'."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from deepcity.city.localized_text import LocalizedText
from deepcity.cli.casework.answering import answer
from deepcity.cli.language import LanguageOption, PrintedLanguage, echo

if TYPE_CHECKING:
    from deepcity.applications.decision import Decision
    from deepcity.applications.tasks.matching.match_state import HitVerdict
    from deepcity.exchange.exchange import Exchange
    from deepcity.intercity.casework.case import SignedCase
    from deepcity.intercity.casework.case_room import CaseRoom

app = typer.Typer(
    help=(
        "Search for a missing child, or for whom a warrant names, across cities.\n\n"
        "A person opens a case, two others approve it, the cities that it names look through their "
        "own cameras' tracks and answer with camera, time and score. No picture and no passer-by's "
        "embedding leaves anybody. Every step stands in a signed record; closing deletes who was "
        "looked for everywhere.\n\n"
        "Example: deepcity case open cities/incheon.toml --ask seoul --by incheon/kim "
        "--purpose 'find a missing child' --near 37.4563,126.7052 --at 2026-12-01T14:30 "
        "--height 1.0-1.2 --upper red"
    ),
    no_args_is_help=True,
)
app.command()(answer)

City = Annotated[
    Path, typer.Argument(help="City file of the city that searches.", metavar="CITY.toml")
]
CaseArgument = Annotated[str, typer.Argument(help="The case's id, as `open` prints it.")]
Cases = Annotated[
    Path | None,
    typer.Option(
        "--cases",
        help="Folder of cases. Default: .CITY-cases beside the city file.",
        metavar="FOLDER",
    ),
]
Others = Annotated[
    Path,
    typer.Option("--cities", help="File of cities' addresses and cameras' places.", metavar="FILE"),
]
By = Annotated[str, typer.Option("--by", help="Who does it, CITY/PERSON; it stands in the record.")]


@dataclass(frozen=True)
class _Desk:
    """What commands of one city's cases need."""

    room: "CaseRoom"
    exchange: "Exchange"
    zone: ZoneInfo


@app.command("open")
def open_case(
    city: City,
    ask: Annotated[list[str], typer.Option(help="City to ask, the own one too; may be repeated.")],
    by: By,
    purpose: Annotated[str, typer.Option(help="Purpose, as the cities' grants have it.")],
    near: Annotated[str, typer.Option(help="Where last seen: LAT,LON in degrees.")],
    at: Annotated[str, typer.Option(help="When last seen; without a zone, the city's time.")],
    service: Annotated[
        str, typer.Option(help="missing-child, or wanted-person under stricter terms.")
    ] = "missing-child",
    embeddings: Annotated[
        Path | None,
        typer.Option(help="File of the person's pictures as embeddings.", metavar="FILE"),
    ] = None,
    height: Annotated[
        str | None,
        typer.Option(help="Least and most metres, 1.0-1.2: a child's, against a known scale."),
    ] = None,
    upper: Annotated[
        list[str] | None, typer.Option(help="Colour of upper clothes; may be repeated.")
    ] = None,
    lower: Annotated[
        list[str] | None, typer.Option(help="Colour of lower clothes; may be repeated.")
    ] = None,
    hours: Annotated[
        float | None, typer.Option(help="How long it is open. Default: as long as allowed.")
    ] = None,
    back_hours: Annotated[
        float, typer.Option(help="How far before --at tracks are searched, hours.")
    ] = 0.0,
    cases: Cases = None,
    language: LanguageOption = PrintedLanguage.EN,
) -> None:
    """Open a case. Nobody is asked before two other persons have approved it.

    Example: deepcity case open cities/incheon.toml --ask incheon --ask seoul --by incheon/kim
    --purpose 'find a missing child' --near 37.4563,126.7052 --at 2026-12-01T14:30 --upper red
    """
    from deepcity.cli.casework.arguments import query_from, spot_from
    from deepcity.cli.forecasting.options import parse_time
    from deepcity.intercity.casework.opening import Opening

    desk = _desk(city, cases, None)
    seen = parse_time(at, "--at")
    assert seen is not None
    seen = seen if seen.tzinfo is not None else seen.replace(tzinfo=desk.zone)
    opening = Opening(
        service=service,
        purpose=purpose,
        cities=tuple(ask),
        opened_by=by,
        last_seen=spot_from(near),
        last_seen_s=int(seen.timestamp()),
        hours=hours,
        back_hours=back_hours,
    )
    case = desk.room.open(opening, query_from(embeddings, height, upper or [], lower or [])).case
    path = desk.room.file(case.id).folder / "case.json"
    echo(
        LocalizedText(
            f"Case {case.id} is open. Now {desk.room.terms(case.service).approvals} persons other "
            f"than {by} approve it: deepcity case approve {path}",
            f"사건 {case.id}을(를) 열었습니다. 이제 {by} 외에 "
            f"{desk.room.terms(case.service).approvals}명이 승인해야 합니다: "
            f"deepcity case approve {path}",
        ),
        language,
    )


@app.command()
def approve(
    file: Annotated[
        Path,
        typer.Argument(
            help="The case's case.json, or a copy that was handed over.", metavar="FILE"
        ),
    ],
    warrant: Annotated[
        bool, typer.Option("--warrant", help="Sign as the authority that issues a warrant.")
    ] = False,
    language: LanguageOption = PrintedLanguage.EN,
) -> None:
    """Approve a case by the own key ($DEEPCITY_KEYS): read first what it asks for, it is printed.

    Example: deepcity case approve cities/.incheon-cases/0123456789abcdef/case.json
    """
    from deepcity.city.errors import CaseError, LedgerError
    from deepcity.intercity.casework.case import approve as signed_by
    from deepcity.intercity.casework.case_file import read_case
    from deepcity.store.release_ledger.sheets import write_sheet
    from deepcity.store.signatures.keyring import own_keyring
    from deepcity.store.signatures.trust_list import SignedKind

    signed, keyring = read_case(file), own_keyring()
    for line in _case_lines(signed):
        echo(line, language)
    kind = SignedKind.WARRANT if warrant else SignedKind.APPROVAL
    try:
        write_sheet(file, signed_by(signed, keyring, kind))
    except LedgerError as error:
        raise CaseError("disk", str(error)) from error
    key = keyring.own_key()
    echo(
        LocalizedText(f"Signed with key {key}.", f"키 {key}(으)로 서명했습니다."),
        language,
    )


@app.command()
def take(
    city: City,
    file: Annotated[Path, typer.Argument(help="A copy of case.json that others have signed.")],
    cases: Cases = None,
    language: LanguageOption = PrintedLanguage.EN,
) -> None:
    """Take approvals from a copy of a case, and tell who approves it.

    Example: deepcity case take cities/incheon.toml signed/case.json
    """
    from deepcity.intercity.casework.case import approvers
    from deepcity.intercity.casework.case_file import read_case

    desk, given = _desk(city, cases, None), read_case(file)
    both = desk.room.take(given.case.id, given)
    names = ", ".join(sorted(approvers(both, desk.room.keyring))) or "-"
    echo(
        LocalizedText(
            f"Case {given.case.id} is approved by: {names}", f"사건 {given.case.id} 승인: {names}"
        ),
        language,
    )


@app.command()
def search(
    city: City,
    case: CaseArgument,
    others: Others,
    by: By,
    cases: Cases = None,
    language: LanguageOption = PrintedLanguage.EN,
) -> None:
    """Ask all cities of a case, and print what to look at. Ask again as often as needed.

    Example: deepcity case search cities/incheon.toml 0123456789abcdef --cities cities/others.toml
    --by incheon/lee
    """
    desk = _desk(city, cases, others)
    _print(desk.room.search(case, desk.exchange, by), desk.zone, language)


@app.command()
def show(
    city: City,
    case: CaseArgument,
    others: Others,
    by: By,
    cases: Cases = None,
    language: LanguageOption = PrintedLanguage.EN,
) -> None:
    """Print what is known of a case, without asking anybody; that somebody looked is recorded.

    Example: deepcity case show cities/incheon.toml 0123456789abcdef --cities cities/others.toml
    --by incheon/lee
    """
    from deepcity.cli.casework.decision_words import hit_line

    desk = _desk(city, cases, others)
    state, decision = desk.room.view(case, by)
    for hit in sorted(state.hits, key=lambda one: one.time_s):
        echo(hit_line(hit, desk.zone), language)
    _print(decision, desk.zone, language)


@app.command()
def confirm(
    city: City,
    case: CaseArgument,
    sighting: Annotated[str, typer.Argument(help="CITY/CAMERA@SECONDS, as `show` prints it.")],
    others: Others,
    by: By,
    cases: Cases = None,
    language: LanguageOption = PrintedLanguage.EN,
) -> None:
    """Say that a sighting is the person; its owner's next answer learns from it.

    Example: deepcity case confirm cities/incheon.toml 0123456789abcdef seoul/gate-1@1800000000
    --cities cities/others.toml --by incheon/lee
    """
    from deepcity.applications.tasks.matching.match_state import HitVerdict

    _keep_verdict(_desk(city, cases, others), case, sighting, HitVerdict.CONFIRMED, by, language)


@app.command()
def reject(
    city: City,
    case: CaseArgument,
    sighting: Annotated[str, typer.Argument(help="CITY/CAMERA@SECONDS, as `show` prints it.")],
    others: Others,
    by: By,
    cases: Cases = None,
    language: LanguageOption = PrintedLanguage.EN,
) -> None:
    """Say that a sighting is somebody else.

    Example: deepcity case reject cities/incheon.toml 0123456789abcdef seoul/gate-1@1800000000
    --cities cities/others.toml --by incheon/lee
    """
    from deepcity.applications.tasks.matching.match_state import HitVerdict

    _keep_verdict(_desk(city, cases, others), case, sighting, HitVerdict.REJECTED, by, language)


@app.command()
def close(
    city: City,
    case: CaseArgument,
    others: Others,
    by: By,
    cases: Cases = None,
    language: LanguageOption = PrintedLanguage.EN,
) -> None:
    """Close a case: who was looked for is deleted here and at the cities that were asked.

    Exit code 1 if a city could not be told; close it again then.

    Example: deepcity case close cities/incheon.toml 0123456789abcdef --cities cities/others.toml
    --by incheon/kim
    """
    desk = _desk(city, cases, others)
    failed = desk.room.close(case, desk.exchange, by)
    echo(
        LocalizedText(
            f"Case {case} is closed: its query and sightings are deleted here, and the record "
            f"of what was done stays ({desk.room.folder}).",
            f"사건 {case}을(를) 종결했습니다. 여기서는 질의와 목격 정보를 삭제했고, 한 일의 "
            f"기록은 남습니다({desk.room.folder}).",
        ),
        language,
    )
    for one in failed:
        echo(LocalizedText(f"  not told: {one}", f"  알리지 못함: {one}"), language)
    if failed:
        raise typer.Exit(1)


@app.command("list")
def list_cases(
    city: City, cases: Cases = None, language: LanguageOption = PrintedLanguage.EN
) -> None:
    """List all cases of a city, newest first; whom they look for is not printed.

    Example: deepcity case list cities/incheon.toml
    """
    desk = _desk(city, cases, None)
    for signed in desk.room.cases():
        for line in _case_lines(signed, closed=desk.room.file(signed.case.id).is_closed):
            echo(line, language)


def _keep_verdict(
    desk: _Desk, case: str, sighting: str, verdict: "HitVerdict", by: str, language: PrintedLanguage
) -> None:
    from deepcity.cli.casework.arguments import sighting_from

    decision = desk.room.record_verdict(case, desk.exchange, sighting_from(sighting), verdict, by)
    _print(decision, desk.zone, language)


def _desk(city: Path, cases: Path | None, others: Path | None) -> _Desk:
    """The cases of a city, and how other cities are reached."""
    from deepcity.data.city_file import load_city
    from deepcity.intercity.casework.case_room import CaseRoom
    from deepcity.live.casework.http_exchange import HttpExchange, http_exchange
    from deepcity.live.casework.other_cities import read_other_cities
    from deepcity.store.signatures.keyring import own_keyring

    loaded = load_city(city, later=True)
    known = None if others is None else read_other_cities(others)
    room = CaseRoom(
        folder=cases or city.parent / f".{loaded.city.name}-cases",
        city=loaded.city.name,
        cameras={} if known is None else known.spots,
        keyring=own_keyring(),
        passers_by_h=100.0 if known is None else known.passers_by_h,
    )
    exchange = HttpExchange({}, {}) if known is None else http_exchange(known)
    return _Desk(room, exchange, ZoneInfo(loaded.settings.clock.time_zone))


def _print(decision: "Decision", zone: ZoneInfo, language: PrintedLanguage) -> None:
    from deepcity.cli.casework.decision_words import decision_lines

    for line in decision_lines(decision, zone):
        echo(line, language)


def _case_lines(signed: "SignedCase", *, closed: bool = False) -> Iterable[LocalizedText]:
    """What is approved, in words."""
    from deepcity.web.control.cases.case_words import clock_text

    case, utc = signed.case, ZoneInfo("UTC")
    begins, ends = clock_text(case.since_s, utc), clock_text(case.until_s, utc)
    cities = ", ".join(case.cities)
    yield LocalizedText(
        f"Case {case.id}{' (closed)' if closed else ''}: {case.city} looks for a person, service "
        f"{case.service}, purpose: {case.purpose}",
        f"사건 {case.id}{'(종결)' if closed else ''}: {case.city}에서 사람을 찾음, 서비스 "
        f"{case.service}, 목적: {case.purpose}",
    )
    yield LocalizedText(
        f"  asks {cities}; tracks from {begins}, open until {ends} (UTC); opened by "
        f"{case.opened_by}; {len(signed.approvals)} approvals, {len(signed.warrants)} warrants",
        f"  {cities}에 물음. {begins} 이후 궤적, {ends}(UTC)까지. 연 사람 {case.opened_by}. 승인 "
        f"{len(signed.approvals)}건, 영장 {len(signed.warrants)}건",
    )
