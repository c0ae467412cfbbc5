"""Writes the records of Nuri, a city that was never built: people in its streets, hour by hour.

    python examples/nuri/make.py

The file looks as Korean city halls export them: CP949, times as `2024년 1월 3일 14시`, thousands
with commas, a column of totals, and a line of source below. It is the first file to try with
`deepcity init`, and nothing in it is measured.
"""

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

DAYS = 120
BEGIN = datetime(2024, 3, 1)  # on the wall clock of the city
PLACES = {  # people an hour at noon of a weekday; share at weekends; hour of the peak
    "중앙시장": (1400, 1.3, 15.0),
    "역전광장": (2600, 0.8, 18.0),
    "대학로": (1100, 1.1, 20.0),
    "호수공원": (420, 2.1, 16.0),
    "시청앞": (900, 0.4, 12.5),
}
CLOSED = "점검중"  # a counter that is being serviced


def people(seed: int = 0) -> np.ndarray:
    """Counts, (hours, places): days and weeks, rain that comes and stays, and chance."""
    dice = np.random.default_rng(seed)
    hours = np.arange(DAYS * 24)
    hour, weekday = hours % 24, (hours // 24 + BEGIN.weekday()) % 7
    rain = np.zeros(DAYS)
    for day in range(1, DAYS):
        rain[day] = max(0.0, 0.6 * rain[day - 1] + dice.normal(-0.1, 0.35))
    columns = []
    for noon, weekend, peak in PLACES.values():
        day = np.exp(-0.5 * ((hour - peak) / 3.5) ** 2) + 0.35 * np.exp(
            -0.5 * ((hour - 8.5) / 1.5) ** 2
        )
        level = (
            noon * np.where(weekday >= 5, weekend, 1.0) * (1 - 0.35 * np.tanh(rain[hours // 24]))
        )
        columns.append(dice.poisson(level * (0.02 + day) * dice.gamma(60, 1 / 60, len(hours))))
    return np.stack(columns, axis=1)


def lines(counts: np.ndarray) -> list[str]:
    """The file's lines."""
    found = [",".join(["일시", *PLACES, "합계"])]
    for number, row in enumerate(counts):
        at = BEGIN + timedelta(hours=number)
        cells = [f'"{count:,}"' if count > 999 else str(count) for count in row]
        if number % 701 == 400:
            cells[number % len(cells)] = CLOSED
        total = int(row.sum())
        cells.append(f'"{total:,}"' if total > 999 else str(total))
        found.append(f"{at.year}년 {at.month}월 {at.day}일 {at.hour}시,{','.join(cells)}")
    found.append("※ 자료: 누리시(가상의 도시)")
    return found


if __name__ == "__main__":
    text = "\r\n".join(lines(people())) + "\r\n"
    Path(__file__).with_name("nuri_people.csv").write_bytes(text.encode("cp949"))
