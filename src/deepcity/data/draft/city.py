"""A city file for records as people have them: what was seen, taken for granted, and asked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path

import polars as pl

from deepcity.city.errors import ConfigError
from deepcity.data.check.draft import draft_text
from deepcity.data.city_file import CityFile, check_raw
from deepcity.data.config.holidays import check_calendar
from deepcity.data.config.toml_file import Raw
from deepcity.data.draft.answers import Answers, Ask, OpenQuestionsError
from deepcity.data.draft.example_rows import ExampleRow, example_rows
from deepcity.data.draft.inputs import tables_of
from deepcity.data.draft.load_with_remedies import load_with_remedies
from deepcity.data.draft.rows_of_one_time import slug
from deepcity.data.draft.table import Drafted, draft_table
from deepcity.data.panel import Panel

_HEAD = "# Written by `deepcity init`. What it took for granted:"


@dataclass(frozen=True)
class CityStart:
    """A city file that reads its records.

    Attributes:
        raw: its content.
        city_file: the same, checked.
        panels: agency -> what its records are when read.
        assumed: what was taken for granted, a sentence each.
        examples: rows of the records, before and after.
    """

    raw: Raw
    city_file: CityFile
    panels: Mapping[str, Panel]
    assumed: tuple[str, ...]
    examples: tuple[ExampleRow, ...] = field(default=())

    def text(self) -> str:
        """The city file."""
        lines = draft_text(self.raw).splitlines()[1:]
        stated = [f"# - {one}" for one in self.assumed]
        return "\n".join([_HEAD, *stated, "", *lines]) + "\n"


def start_city(
    names: Sequence[str], answers: Answers, folder: Path, *, accept: bool = True
) -> CityStart:
    """Look at records and describe them as a city.

    Args:
        names: files, folders, URLs of databases with a table behind a ``#``.
        answers: what the user stated.
        folder: where the city file will lie.
        accept: take proposals that change no value without a question.

    Raises:
        OpenQuestionsError: with everything that the records do not show and no answer says.
        ConfigError: if the files cannot be used.
        DataError: if the records cannot be read.
    """
    tables, notes = tables_of(names)
    drafts = _with_own_names([draft_table(table, answers, folder) for table in tables])
    frames = [draft.frame for draft in drafts]
    asks = [*_zone(frames, answers), *(ask for draft in drafts for ask in draft.asks)]
    asks = [ask for ask in dict.fromkeys(asks) if not (ask.safe and accept)]
    if asks:
        raise OpenQuestionsError(Path(names[0]).name, tuple(asks))
    raw, assumed = _city(drafts, answers, names, folder)
    city_file, problems = check_raw(raw, folder / f"{raw['name']}.toml")
    if city_file is None:
        raise ConfigError(problems)
    raw, city_file, panels, more = load_with_remedies(raw, city_file)
    stated = [one for draft in drafts for one in draft.assumed]
    examples = [
        row
        for draft in drafts
        for row in example_rows(draft.frame, draft.source, draft.agencies[0], panels)
    ]
    found = dict.fromkeys([*assumed, *stated, *more, *notes])
    return CityStart(raw, city_file, panels, tuple(found), tuple(examples))


def _zone(frames: Sequence[pl.DataFrame], answers: Answers) -> list[Ask]:
    if answers.time_zone is not None:
        return []
    text = "in which time zone is the city? Records do not show it"
    return [Ask("time_zone", text, _likely_zone(frames), example="Asia/Seoul")]


def _likely_zone(frames: Sequence[pl.DataFrame]) -> str:
    """By the language of the records, else the zone that this computer is set to."""
    heads = "".join("".join(frame.columns) + str(frame.head(5).rows()) for frame in frames)
    if any("가" <= sign <= "힣" for sign in heads):
        return "Asia/Seoul"
    if any("ぁ" <= sign <= "ヿ" for sign in heads):
        return "Asia/Tokyo"
    target = Path("/etc/localtime").resolve()
    _, found, zone = str(target).partition("zoneinfo/")
    return zone if found and zone else "UTC"


def _city(
    drafts: Sequence[Drafted], answers: Answers, names: Sequence[str], folder: Path
) -> tuple[Raw, list[str]]:
    first = names[0].rpartition("#")[2] if "://" in names[0] else Path(names[0]).name
    name = slug(answers.name or "") or slug(first.split(".")[0]) or "city"
    title = answers.title or answers.name or name
    clock: Raw = {"time_zone": answers.time_zone, "step": drafts[0].step}
    assumed = []
    holidays = answers.holidays or _holidays(str(answers.time_zone))
    if holidays and holidays != "none":
        clock["holidays"] = holidays
        if answers.holidays is None:
            assumed.append(f"public holidays are those of {holidays} (--holidays)")
    agencies = [
        agency | ({} if draft.step == drafts[0].step else {"step": draft.step})
        for draft in drafts
        for agency in draft.agencies
    ]
    raw: Raw = {
        "name": name,
        "title": {"en": title, "ko": answers.title_ko or title},
        "clock": clock,
        "source": [draft.source for draft in drafts],
        "agency": agencies,
    }
    return raw, assumed


def _holidays(zone: str) -> str | None:
    """The country of a time zone, if its holidays are known.

    >>> _holidays("Asia/Seoul")
    'KR'
    """
    table = files("tzdata") / "zoneinfo" / "zone.tab"
    for line in table.read_text(encoding="utf-8").splitlines():
        cells = line.split("\t")
        if len(cells) > 2 and cells[2] == zone:
            try:
                return check_calendar(cells[0])
            except ValueError:
                return None
    return None


def _with_own_names(drafts: Sequence[Drafted]) -> list[Drafted]:
    """Sources and agencies of several tables under names of their own."""
    taken: set[str] = set()
    found = []
    for number, draft in enumerate(drafts, 1):
        source = draft.source["name"] if len(drafts) == 1 else f"records-{number}"
        agencies = []
        for agency in draft.agencies:
            name, count = agency["name"], 2
            while name in taken:
                name, count = f"{agency['name']}-{count}", count + 1
            taken.add(name)
            fields = [one | {"source": source} for one in agency["fields"]]
            agencies.append(agency | {"name": name, "title": _title(name), "fields": fields})
        found.append(draft.named(source, agencies))
    return found


def _title(name: str) -> Raw:
    return {"en": name.capitalize(), "ko": _KOREAN.get(name.partition("-")[0], name)}


_KOREAN = {
    "people": "보행량", "traffic": "교통", "passengers": "승객", "bikes": "공공자전거",
    "air": "대기", "weather": "기상", "power": "전력", "parking": "주차장", "records": "기록",
    "incidents": "사건",
}  # fmt: skip
