"""Checks of a map's vertical training: its agencies, their fields, and supported settings."""

from collections import Counter
from collections.abc import Sequence

from deepcity.city.agency import Agency
from deepcity.city.field import Field, Sensitivity
from deepcity.city.problem import Problem
from deepcity.data.city_file import CityFile
from deepcity.data.config.toml_file import did_you_mean
from deepcity.maps.map_settings import ParticipationSettings, ServiceSettings
from deepcity.maps.vertical_settings import FeaturePartySettings, VerticalSettings


def encoded_fields(agency: Agency, feature_party: FeaturePartySettings) -> list[Field]:
    """The fields an agency encodes."""
    return [
        field
        for field in agency.fields
        if not feature_party.fields or field.name in feature_party.fields
    ]


def vertical_problems(
    file: str, key: str, vertical: VerticalSettings, city: CityFile, party: str, field: str
) -> list[Problem]:
    """Every problem of a party's vertical training in its city."""
    problems: list[Problem] = []
    names = [agency.name for agency in city.city.agencies]
    encoded: Counter[str] = Counter()
    for feature_party in vertical.agency:
        where = f"{key}.vertical.agency[{feature_party.agency}]"
        if feature_party.agency not in names:
            right = did_you_mean(feature_party.agency, names)
            reason = f"{city.city.name} has no such agency"
            problems.append(Problem(file, f"{where}.agency", feature_party.agency, reason, right))
            continue
        agency = city.city.agency(feature_party.agency)
        problems += _unknown_fields(file, where, agency, feature_party)
        problems += _personal(file, where, agency, feature_party)
        if f"{city.city.name}/{feature_party.agency}" == party and field in _names(
            agency, feature_party
        ):
            reason = f"the deep data would contain the field that {party} forecasts"
            right = f"name its other fields, without {field}, in fields = [...]"
            problems.append(Problem(file, f"{where}.fields", field, reason, right))
        encoded.update(_names(agency, feature_party))
    problems += _personal_labels(file, key, vertical, city, party, field)
    return problems + _encoded_twice(file, key, encoded)


def encoder_problems(
    file: str, key: str, vertical: VerticalSettings, cities: Sequence[str]
) -> list[Problem]:
    """Pretrained encoders of cities outside the service, or one for several cities."""
    problems = []
    for agency in vertical.agency:
        where, encoder = f"{key}.vertical.agency[{agency.agency}].encoder", agency.encoder
        if isinstance(encoder, str) and len(cities) > 1:
            right = f'name each city\'s own: encoder = {{ {cities[0]} = "{encoder}" }}'
            reason = f"one file for {len(cities)} cities, but a stem stays with its agency"
            problems.append(Problem(file, where, encoder, reason, right))
        elif isinstance(encoder, dict):
            reason = "not a city of this service"
            problems += [
                Problem(file, where, city, reason, did_you_mean(city, list(cities)))
                for city in encoder
                if city not in cities
            ]
    pretrained = [sum(one.encoder_of(city) is None for city in cities) for one in vertical.agency]
    if (level := vertical.reuse_level) and len(cities) > 1 and max(pretrained) < 2:
        reason = "an agency that starts from its own encoder is not pretrained, "
        reason += "so fewer than two are left"
        right = "write 0, or leave `encoder` out for two or more cities"
        problems.append(Problem(file, f"{key}.vertical.reuse_level", level, reason, right))
    return problems


def unsupported_settings(file: str, settings: ServiceSettings) -> list[Problem]:
    """Settings of a service that vertical training does not support."""
    key, elsewhere = f"service[{settings.name}]", "or move `vertical` to a service of its own"
    problems = []
    if settings.window.leads > 1:
        whole = settings.window.leads * settings.window.horizon
        right = f"write horizon = {whole} and leave leads out"
        reason = "vertical training forecasts one block of steps"
        problems.append(Problem(file, f"{key}.window.leads", settings.window.leads, reason, right))
    if settings.newcomers:
        reason = "vertical training has no shared layers that a newcomer could start from"
        right = f"remove newcomers, {elsewhere}"
        newcomer_names = ", ".join(settings.newcomers)
        problems.append(Problem(file, f"{key}.newcomers", newcomer_names, reason, right))
    if settings.reuse is not None:
        reason = "vertical training pretrains its own encoders and loads no layer package"
        right = "name an agency's encoder of another service as its `encoder` instead"
        problems.append(Problem(file, f"{key}.reuse", settings.reuse.package, reason, right))
    if settings.participation != ParticipationSettings():
        reason = (
            "joining and leaving is for `deepcity run`; here all agencies take part in every round"
        )
        right = f"remove [service.participation], {elsewhere}"
        problems.append(Problem(file, f"{key}.participation", None, reason, right))
    return problems


def _names(agency: Agency, feature_party: FeaturePartySettings) -> list[str]:
    return [field.name for field in encoded_fields(agency, feature_party)]


def _unknown_fields(
    file: str, where: str, agency: Agency, feature_party: FeaturePartySettings
) -> list[Problem]:
    known = [field.name for field in agency.fields]
    return [
        Problem(file, f"{where}.fields", name, "no such field", did_you_mean(name, known))
        for name in feature_party.fields
        if name not in known
    ]


def _personal(
    file: str, where: str, agency: Agency, feature_party: FeaturePartySettings
) -> list[Problem]:
    """Refuse personal records of places without a position: cells would be hashes of names."""
    personal = any(
        field.sensitivity is Sensitivity.PERSONAL for field in encoded_fields(agency, feature_party)
    )
    nowhere = [place.id for place in agency.places if place.cell is None]
    if not (personal and nowhere):
        return []
    reason = f"{len(nowhere)} places of personal records have no position, only names"
    right = "give them positions, from which cells follow, or leave the agency out"
    return [Problem(file, f"{where}.agency", feature_party.agency, reason, right)]


def _personal_labels(
    file: str, key: str, vertical: VerticalSettings, city: CityFile, party: str, field: str
) -> list[Problem]:
    """Refuse personal labels that stay apart: their places' names would be hashed to cells."""
    fields = {known.name: known for known in city.city.agency(party.partition("/")[2]).fields}
    personal = field in fields and fields[field].sensitivity is Sensitivity.PERSONAL
    if not (vertical.labels_stay and personal):
        return []
    reason = f"{field} of {party} is personal, and its places would be sent as hashes of names"
    right = "write false: then the party runs the application itself, and no names are sent"
    return [Problem(file, f"{key}.vertical.labels_stay", True, reason, right)]


def _encoded_twice(file: str, key: str, encoded: Counter[str]) -> list[Problem]:
    reason = "two agencies encode the same field"
    right = "name in fields = [...] which of them encodes it"
    return [
        Problem(file, f"{key}.vertical.agency.fields", name, reason, right)
        for name, count in encoded.items()
        if count > 1
    ]
