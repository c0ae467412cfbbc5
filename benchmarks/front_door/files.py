"""Files that `deepcity init` is tried on, and how each is read rightly.

A case is found by the number of its folder; its reading is written here as a city file says it.
The sets of real data have city files by hand in `benchmarks/cities`; files without one are read
by their README: every column of numbers, as it is.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
CASES = ROOT.parent / "shared" / "cases"
DATA = ROOT.parent / "shared" / "data"
CITIES = ROOT / "benchmarks" / "cities"
REFUSED, PLAIN = "refused", "plain"

MADE_ANEW = 22
ANSWERS = {
    "d.csv": ("--duplicates", "last"),
    "dirs.csv": ("--together", "sum"),
    "bielefeld_2020-09_2020-10.csv.gz": ("--stays", "1d"),
    "dresden_2020-09_2020-10.csv.gz": ("--stays", "1d"),
    "speed.csv.gz": ("--start", "2012-03-01T00:00", "--step", "5min"),
}
TIME = {"column": "t"}
LONG = {"layout": "long", "place": "p", "time": TIME}


@dataclass(frozen=True)
class Tried:
    """A file, or a folder of them.

    Attributes:
        set: what the table counts it under.
        path: of the file.
        zone: its city's time zone.
        right: how it is read; `REFUSED` where only that is right, `PLAIN` where
            every column of numbers is measured.
        options: of `init`, beside the time zone.
        answers: options that answer what it asks, tried once it has asked.
    """

    set: str
    path: Path
    zone: str
    right: Any
    options: tuple[str, ...] = ()
    answers: tuple[str, ...] = ()


def _source(fields: Any, places: Any, **source: Any) -> dict[str, Any]:
    return {"source": source, "fields": fields, "places": places}


def _wide(*places: str, field: Any = None, **source: Any) -> dict[str, Any]:
    return _source([field or {}], list(places), **{"time": TIME} | source)


def _one(column: str, **source: Any) -> dict[str, Any]:
    return _source([{"column": column}], ["here"], **{"time": TIME} | source)


def _long(column: str = "n", **source: Any) -> dict[str, Any]:
    return _source([{"column": column}], "all", **LONG | source)


def cases() -> list[Tried]:
    """The small inputs that went wrong."""
    ab = ("A", "B")
    total = {"kind": "count", "unit": "count", "cumulative": True}
    dust = {"kind": "concentration", "unit": "ug/m3"}
    eu, us = "%d/%m/%Y", "%m/%d/%Y"
    known: list[tuple[int, str, Any]] = [
        (1, "d.csv", _wide(*ab, thousands=",")),
        (1, "de.csv", _wide(*ab, thousands=".", delimiter=";")),
        (2, "d.csv", _one("여의나루", encoding="cp949", time={"column": "일시"})),
        (3, "d.csv", _long(time={"columns": ["d", "h"], "format": "%Y-%m-%d %H:%M"})),
        *[
            (6, name, _wide(*places, time={"column": "date", "format": pattern}))
            for name, places, pattern in (
                ("days12.csv", ab, f"{eu} %H:%M"),
                ("days40.csv", ab, f"{eu} %H:%M"),
                ("firsttwelve.csv", ("A",), eu),
                ("us12.csv", ("A",), f"{us} %H:%M"),
                ("us12daily.csv", ("A",), us),
            )
        ],
        (7, "d.csv", _long(time=TIME | {"format": f"{us} %I:%M:%S %p"})),
        (7, "ko.csv", _long(time=TIME | {"format": "%Y-%m-%d %p %I:%M"})),
        (8, "d.csv", _source([total], ["M1", "M2"], time=TIME)),
        (10, "big.parquet", REFUSED),
        (10, "d.csv", _long()),
        (10, "f.parquet", _long()),
        (10, "sci.csv", REFUSED),
        (10, "x.xlsx", _long()),
        (11, "d.csv", _wide(*ab)),
        (15, "d.csv", _long(time=TIME | {"zone": "UTC"})),
        (15, "mix.csv", _long()),
        (15, "ms.csv", _long(time=TIME | {"format": "epoch_ms"})),
        (16, "d.csv", _source(
            [{}], "all", layout="long", place="역명",
            time={"column": "수송일자", "hour_columns": {"first": "00-01시", "last": "23-24시"}})),
        (17, "m", _long("통행량", path="m/2024*.csv", rename={"통행 량(대)": "통행량"})),
        (18, "d.csv", _long(missing=["점검중", "통신장애", "결측", "."])),
        (18, "ragged.csv", REFUSED),
        (22, "d.csv", _long(time=TIME | {"duplicates": "last"})),
        (22, "dirs.csv", _long(time=TIME | {"duplicates": "sum"})),
        (26, "aonly.csv", _wide("A", field=dust)),
        (26, "d.csv", _wide(*ab, field=dust)),
        (26, "spread.csv", _wide("A", field=dust)),
        (32, "g.xlsx", REFUSED),
        (33, "g.csv.gz", REFUSED),
    ]  # fmt: skip
    found = []
    for number, name, right in known:
        folder = next(CASES.glob(f"{number:02}-*"))
        options = ("--times-in", "UTC") if (number, name) == (15, "d.csv") else ()
        answers = ANSWERS.get(name if number == MADE_ANEW else "", ())
        found.append(Tried("cases", folder / name, "Asia/Seoul", right, options, answers))
    return found


def sets() -> list[Tried]:
    """The tables of real data."""
    china, berlin = "Asia/Shanghai", "Europe/Berlin"
    by_hand: list[tuple[str, str, str]] = [
        *[("air_china", f"{city}.csv.gz", china) for city in ("beijing", "chengdu", "guangzhou")],
        ("bikes", "london.csv.gz", "Europe/London"),
        ("bikes", "seoul.csv.gz", "Asia/Seoul"),
        ("bikes", "washington.csv.gz", "America/New_York"),
        ("crime", "chicago.csv.gz", "America/Chicago"),
        ("crime", "new_york.csv.gz", "America/New_York"),
        ("energy", "chicago_comed.csv.gz", "America/Chicago"),
        ("energy", "pittsburgh_duq.csv.gz", "America/New_York"),
        ("energy", "tetouan.csv.gz", "Africa/Casablanca"),
        *[("metro_beijing", f"{what}flow_{step}min.csv.gz", china)
          for what in ("in", "out") for step in (10, 15, 30)],
        *[("parking_germany", f"{city}_2020-09_2020-10.csv.gz", berlin)
          for city in ("bielefeld", "dresden", "nuremberg", "osnabrueck")],
        ("pedestrian_melbourne", "counts.csv.gz", "Australia/Melbourne"),
        ("traffic_losloop", "speed.csv.gz", "America/Los_Angeles"),
    ]  # fmt: skip
    plain = [
        *[("ev_charging", f"{city}/{name}.csv.gz", zone)
          for city, zone in (("johannesburg", "Africa/Johannesburg"),
                             ("melbourne", "Australia/Melbourne"))
          for name in ("volume", "e_price", "weather")],
        *[("rivers", f"san_antonio/level_{name}.csv.gz", "America/Montevideo")
          for name in ("bypass", "cabecera", "chico", "ruta3")],
        ("rivers", "san_antonio", "America/Montevideo"),
    ]  # fmt: skip
    in_zone = {"tetouan.csv.gz": ("--times-in", "Etc/GMT-1"),
               "chicago_comed.csv.gz": ("--times-in", "America/New_York")}  # fmt: skip
    return [
        *[
            Tried(one, DATA / one / name, zone, None, in_zone.get(name, ()), ANSWERS.get(name, ()))
            for one, name, zone in by_hand
        ],
        *[Tried(one, DATA / one / name, zone, PLAIN) for one, name, zone in plain],
    ]
