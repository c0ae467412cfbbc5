"""Whether the agencies that a map's meetings name are there, may meet, and can do what it asks."""

from collections import Counter
from collections.abc import Sequence

from deepcity.city.agency import Agency
from deepcity.city.field import Field, Sensitivity
from deepcity.city.problem import Problem
from deepcity.data.city_file import CityFile
from deepcity.data.toml_file import did_you_mean
from deepcity.intercity.map_settings import AttendanceSettings, ServiceSettings
from deepcity.intercity.meeting_settings import GuestSettings, MeetingSettings


def guest_fields(agency: Agency, guest: GuestSettings) -> list[Field]:
    """The fields an agency encodes."""
    return [field for field in agency.fields if not guest.fields or field.name in guest.fields]


def meeting_problems(
    file: str, key: str, meeting: MeetingSettings, city: CityFile, party: str, field: str
) -> list[Problem]:
    """Everything wrong with a party's meeting in its city."""
    problems: list[Problem] = []
    names = [agency.name for agency in city.city.agencies]
    claims: Counter[str] = Counter()
    for guest in meeting.agency:
        where = f"{key}.meeting.agency[{guest.agency}]"
        if guest.agency not in names:
            right = did_you_mean(guest.agency, names)
            reason = f"{city.city.name} has no such agency"
            problems.append(Problem(file, f"{where}.agency", guest.agency, reason, right))
            continue
        agency = city.city.agency(guest.agency)
        problems += _unknown_fields(file, where, agency, guest)
        problems += _personal(file, where, agency, guest)
        if f"{city.city.name}/{guest.agency}" == party and field in _names(agency, guest):
            reason = f"{party} would be told what it is to forecast"
            right = f"name its other fields, without {field}, in fields = [...]"
            problems.append(Problem(file, f"{where}.fields", field, reason, right))
        claims.update(_names(agency, guest))
    problems += _personal_labels(file, key, meeting, city, party, field)
    return problems + _claimed_twice(file, key, claims)


def encoder_problems(
    file: str, key: str, meeting: MeetingSettings, cities: Sequence[str]
) -> list[Problem]:
    """Encoders to begin with that are of no city of the service, or cannot be of all."""
    problems = []
    for guest in meeting.agency:
        where = f"{key}.meeting.agency[{guest.agency}].encoder"
        if isinstance(guest.encoder, str) and len(cities) > 1:
            right = f'name each city\'s own: encoder = {{ {cities[0]} = "{guest.encoder}" }}'
            reason = f"one file for {len(cities)} cities, and a stem stays with its agency"
            problems.append(Problem(file, where, guest.encoder, reason, right))
        elif isinstance(guest.encoder, dict):
            problems += [
                Problem(
                    file, where, city, "no city of this service", did_you_mean(city, list(cities))
                )
                for city in guest.encoder
                if city not in cities
            ]
    teaching = (sum(guest.encoder_of(city) is None for city in cities) for guest in meeting.agency)
    if meeting.reuse_level and len(cities) > 1 and max(teaching) < 2:
        reason = (
            "who begins with its own encoder teaches itself nothing, and no two others are left"
        )
        right = "write 0, or leave `encoder` out for two cities"
        problems.append(
            Problem(file, f"{key}.meeting.reuse_level", meeting.reuse_level, reason, right)
        )
    return problems


def asked_in_vain(file: str, settings: ServiceSettings) -> list[Problem]:
    """What a service asks for and a meeting cannot do: better refused than left undone."""
    key, elsewhere = f"service[{settings.name}]", "or put the meeting into a service of its own"
    problems = []
    if settings.window.leads > 1:
        whole = settings.window.leads * settings.window.horizon
        right = f"write horizon = {whole} and leave leads out"
        reason = "agencies meet over one block of steps"
        problems.append(Problem(file, f"{key}.window.leads", settings.window.leads, reason, right))
    if settings.newcomers:
        reason = "in a meeting there are no rounds of others that a newcomer could start from"
        right = f"take newcomers out, {elsewhere}"
        said = ", ".join(settings.newcomers)
        problems.append(Problem(file, f"{key}.newcomers", said, reason, right))
    if settings.reuse is not None:
        reason = "a meeting begins with encoders that teach themselves, from no layer package"
        right = "name an agency's own encoder of another meeting as its `encoder` in place of it"
        problems.append(Problem(file, f"{key}.reuse", settings.reuse.package, reason, right))
    if settings.attendance != AttendanceSettings():
        reason = "who joins or leaves in which round is for `deepcity run`; agencies are all there"
        right = f"take [service.attendance] out, {elsewhere}"
        problems.append(Problem(file, f"{key}.attendance", None, reason, right))
    return problems


def _names(agency: Agency, guest: GuestSettings) -> list[str]:
    return [field.name for field in guest_fields(agency, guest)]


def _unknown_fields(file: str, where: str, agency: Agency, guest: GuestSettings) -> list[Problem]:
    known = [field.name for field in agency.fields]
    return [
        Problem(file, f"{where}.fields", name, "no such field", did_you_mean(name, known))
        for name in guest.fields
        if name not in known
    ]


def _personal(file: str, where: str, agency: Agency, guest: GuestSettings) -> list[Problem]:
    """Places without a position are met by a hash of their names: not where these are persons."""
    personal = any(
        field.sensitivity is Sensitivity.PERSONAL for field in guest_fields(agency, guest)
    )
    nowhere = [place.id for place in agency.places if place.cell is None]
    if not (personal and nowhere):
        return []
    reason = f"{len(nowhere)} places of personal records have no position, only names"
    right = "give them positions, so that cells can be agreed on, or leave the agency out"
    return [Problem(file, f"{where}.agency", guest.agency, reason, right)]


def _personal_labels(
    file: str, key: str, meeting: MeetingSettings, city: CityFile, party: str, field: str
) -> list[Problem]:
    """Where labels stay, the party's own places are met by a hash of their names, always."""
    fields = {known.name: known for known in city.city.agency(party.partition("/")[2]).fields}
    personal = field in fields and fields[field].sensitivity is Sensitivity.PERSONAL
    if not (meeting.labels_stay and personal):
        return []
    reason = f"{field} of {party} is personal, and its places would be met by their names"
    right = "write false: then its application is its own, and hears no names"
    return [Problem(file, f"{key}.meeting.labels_stay", True, reason, right)]


def _claimed_twice(file: str, key: str, claims: Counter[str]) -> list[Problem]:
    reason = "two agencies of this meeting claim the same field"
    right = "say with fields = [...] which of them encodes it"
    return [
        Problem(file, f"{key}.meeting.agency.fields", name, reason, right)
        for name, count in claims.items()
        if count > 1
    ]
