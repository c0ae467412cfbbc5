"""`deepcity policy check|explain|grants|revoke|schema`: what a city lets leave, and why not."""

import time
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deepcity.city.localized_text import LocalizedText
from deepcity.cli.language import LanguageOption, PrintedLanguage, echo

if TYPE_CHECKING:
    from deepcity.maps.city_policy import PolicyOrigin

app = typer.Typer()


class AskedAction(StrEnum):
    """What `explain` asks for."""

    LAYERS = "layers"
    DEEP_DATA = "deep_data"
    READ_DEEP_DATA = "read_deep_data"
    COUNTS = "counts"
    SIGHTINGS = "sightings"


CityPath = Annotated[
    Path, typer.Argument(help="City file that names its policy.", metavar="CITY.toml")
]


@app.callback()
def policy() -> None:
    """See what a city's policy lets leave, to whom, for what, and until when.

    Example: deepcity policy grants cities/ferrara.toml --language ko
    """


@app.command()
def check(city: CityPath) -> None:
    """Check a policy: its grants, its rules against the schema, and its revocations.

    Every problem is listed at once. Exit code 1 if there are any. Grants that have ended are no
    problem, and are counted.

    Example: deepcity policy check cities/ferrara.toml
    """
    from deepcity.maps.city_policy import read_policy

    found, now = read_policy(_origin(city)), time.time()
    revoked = sum(one.revoked_at is not None for one in found.grants)
    ended = sum(one.revoked_at is None and one.until <= now for one in found.grants)
    held = len(found.grants) - revoked - ended
    rules = f"; its own rules in {found.rules_file} fit the schema" if found.rules_file else ""
    typer.echo(
        f"{found.city}: {held} grants in force, {ended} ended, {revoked} revoked{rules}. "
        f"Anything else is denied."
    )


@app.command()
def grants(city: CityPath, language: LanguageOption = PrintedLanguage.EN) -> None:
    """List every grant in plain words, by the terms of the GDPR and of Korea's PIPA.

    Example: deepcity policy grants cities/ferrara.toml --language ko
    """
    from deepcity.cli.policy.grant_words import FOOTNOTE, TERMS, facts, heading
    from deepcity.maps.city_policy import read_policy

    origin, now = _origin(city), int(time.time())
    found = read_policy(origin)
    for grant in found.grants:
        echo(heading(grant, now), language)
        for key, text in facts(grant, found.city, origin.time_zone).items():
            term = TERMS[key]
            echo(LocalizedText(f"  {term.en}: {text.en}", f"  {term.ko}: {text.ko}"), language)
        typer.echo()
    if not found.grants:
        echo(
            LocalizedText(
                f"{found.city} grants nothing, so nothing leaves.",
                f"{found.city}의 허가가 없으므로 아무것도 나가지 않습니다.",
            ),
            language,
        )
        return
    echo(FOOTNOTE, language)


@app.command()
def explain(
    city: CityPath,
    agency: Annotated[str, typer.Option(help="Whose data, by its name in the city.")],
    service: Annotated[str, typer.Option(help="Service that they are for.")],
    purpose: Annotated[str, typer.Option(help="Purpose of the service.")],
    to: Annotated[list[str], typer.Option(help="City that receives them; may be repeated.")],
    item: Annotated[AskedAction, typer.Option(help="What is asked for.")] = AskedAction.LAYERS,
    layers: Annotated[
        str,
        typer.Option(
            help="Layers that leave, with commas; of deep data the cut, e.g. h3; counts and "
            "sightings have none."
        ),
    ] = "h1,h2,h3,h4,h5",
    r2: Annotated[float | None, typer.Option(help="Measured leakage, R² of a stream.")] = None,
    forecast_r2: Annotated[
        float | None, typer.Option(help="Measured leakage of the forecast, R² of a stream.")
    ] = None,
    cadence: Annotated[int | None, typer.Option(help="Seconds between two releases.")] = None,
    joined: Annotated[int | None, typer.Option(help="Updates joined in a secure sum.")] = None,
    epsilon: Annotated[float | None, typer.Option(help="Epsilon spent with it.")] = None,
    k: Annotated[
        int | None, typer.Option("--k", help="Of counts: those under it are withheld.")
    ] = None,
    at: Annotated[
        datetime | None, typer.Option(help="UTC time of the release; left out, now.")
    ] = None,
    language: LanguageOption = PrintedLanguage.EN,
) -> None:
    """Decide about one release, and say by which grant it may leave or every reason against it.

    Exit code 1 if it is denied. What is left out counts as not measured.

    Example: deepcity policy explain cities/ferrara.toml --agency district-1 --service water
    --purpose water --to ferrara --r2 0.3
    """
    from deepcity.maps.city_policy import read_policy
    from deepcity.privacy.policy.refusal_words import refusal_sentence
    from deepcity.privacy.policy.release import (
        ReleaseAction,
        ReleaseMeasures,
        ReleaseRequest,
        above_forecast,
        depths_of,
    )

    actions = {
        AskedAction.LAYERS: ReleaseAction.RELEASE_LAYERS,
        AskedAction.DEEP_DATA: ReleaseAction.RELEASE_DEEP_DATA,
        AskedAction.READ_DEEP_DATA: ReleaseAction.READ_DEEP_DATA,
        AskedAction.COUNTS: ReleaseAction.RELEASE_COUNTS,
        AskedAction.SIGHTINGS: ReleaseAction.RELEASE_SIGHTINGS,
    }
    try:
        of_none = item in (AskedAction.COUNTS, AskedAction.SIGHTINGS)
        lowest, highest = (0, 0) if of_none else depths_of(map(str.strip, layers.split(",")))
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--layers") from None
    now = int(time.time()) if at is None else int(at.replace(tzinfo=UTC).timestamp())
    request = ReleaseRequest(
        action=actions[item],
        agency=agency,
        recipients=tuple(to),
        service=service,
        purpose=purpose,
        lowest=lowest,
        highest=highest,
        now=now,
        measured=ReleaseMeasures(
            r2, cadence, joined, epsilon, above_forecast(r2, forecast_r2), least_count=k
        ),
    )
    decision = read_policy(_origin(city)).decide(request)
    if decision.allowed:
        names = ", ".join(decision.grants)
        echo(LocalizedText(f"Allowed by {names}.", f"허용됨: {names}."), language)
        return
    echo(LocalizedText("Denied:", "거부됨:"), language)
    for reason in decision.reasons:
        text = refusal_sentence(reason)
        echo(LocalizedText(f"  - {text.en}", f"  - {text.ko}"), language)
    raise typer.Exit(1)


@app.command()
def revoke(
    city: CityPath,
    grant: Annotated[str, typer.Argument(help="Its name, as `deepcity policy grants` lists it.")],
    run: Annotated[
        list[Path] | None,
        typer.Option(
            help="Folder of a run, kit or site whose ledger tells what has left; may be repeated.",
            metavar="FOLDER",
        ),
    ] = None,
    language: LanguageOption = PrintedLanguage.EN,
) -> None:
    """Revoke a grant: nothing leaves by it from the next decision on, in running processes too.

    It is written into the file of revocations beside the policy (NAME.revoked.toml). With --run it
    is listed what has left by this grant already, with the command that trains anew without it.

    Example: deepcity policy revoke cities/ferrara.toml water-layers --run runs/demo
    """
    from deepcity.cli.policy.revoking import already_left, stopped
    from deepcity.maps.revocation import revoke_grant

    found, held = revoke_grant(_origin(city), grant, int(time.time()))
    echo(stopped(found, held=held), language)
    for line in already_left(found, run or []):
        echo(line, language)


@app.command()
def schema() -> None:
    """Print the Cedar schema: what rules of a city may speak of.

    Example: deepcity policy schema
    """
    from deepcity.privacy.policy.policy import schema_text

    typer.echo(schema_text())


def _origin(city: Path) -> "PolicyOrigin":
    """Where the policy of a city file is.

    Raises:
        ConfigError: if the city file is invalid, or names no policy.
    """
    from deepcity.city.errors import ConfigError
    from deepcity.city.problem import Problem
    from deepcity.data.city_file import load_city
    from deepcity.maps.city_policy import policy_origin

    found = policy_origin(load_city(city, used=lambda _city, _agency: False, later=True))
    if found is None:
        right = 'write policy = "policy.toml" above its first table'
        raise ConfigError([Problem(city.name, "policy", None, "the city names none", right)])
    return found
