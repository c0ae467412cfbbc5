"""What was measured as Markdown: errors by the published metric, and over all cells and days.

Shapes: S seeds; C columns: two metrics of each kind, then of all kinds.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from benchmarks.crime.forecasts import SHARES
from benchmarks.crime.given import FORMS
from benchmarks.crime.lines import Line, Measured, by_form, chosen_form, errors_of, lines_of
from benchmarks.crime.protocol import CITIES, KINDS, OVERALL, PUBLISHED, Errors, party_name
from benchmarks.crime.tensors import FIRST_ROW_LOST, Compared
from benchmarks.crime.verdicts import verdicts


def text(found: Measured) -> str:
    """The section: what the metric is, how choices were made, tables, and what they say."""
    form = chosen_form(found)
    lines = lines_of(found, FORMS[form])
    seeds = ", ".join(map(str, found.plain))
    return "\n".join(
        [
            "## Offences a day in New York and Chicago, ST-HSL's protocol",
            "",
            f"`python -m benchmarks.crime`, seeds {seeds}, mean ± standard deviation over seeds.",
            *_protocol(found),
            *_choices(found, form),
            "",
            *verdicts(lines, found.days.truth),
            *(row for city in CITIES for row in _tables(city, lines, found.days.truth)),
        ]
    )


def _protocol(found: Measured) -> list[str]:
    empty = {
        city: 1 - np.mean([(found.days.truth[party_name(city, k)].test > 0).mean() for k in kinds])
        for city, kinds in KINDS.items()
    }
    return [
        "Grid of 3 km (256 and 168 cells), counts a day, one day ahead with every day before it",
        "known; the last 92 days test, the 30 before them validate, all earlier ones (608 and 609)",
        "train. MAE is in offences; MAPE in percent of the truth; 'overall' counts every cell,",
        "day and kind once, as ST-HSL's code does. Published: ST-HSL (ICDE 2022,",
        "arXiv:2204.08587) for New York, as its author repeats the paper's figures in",
        "github.com/LZH-YS1998/STHSL/issues/1; its figures for Chicago were in no source that we",
        "could read, so none stands here. ST-HSL itself was not run, and the spread of its seeds",
        "is not given.",
        "",
        "**What the published metric leaves out.** It counts a cell's day only if at least one",
        f"offence of the kind happened: {empty['new-york']:.0%} of New York's test cells and days",
        f"and {empty['chicago']:.0%} of Chicago's have no part in it. An alarm for nothing costs",
        "nothing, and a forecast that is right on average counts as too low, as it must on days",
        "chosen because something happened. The metric is best met by saying how many offences",
        "there will be *if* there is any; the lines 'given an offence' do that from the same",
        "networks. Nobody can act on such a forecast, for it does not say where anything will",
        "happen; constants and medians need no learning at all. The second tables count all",
        "cells and days.",
        *_tensors(found.tensors),
    ]


def _tensors(compared: Sequence[Compared]) -> list[str]:
    if not compared:
        return []
    there = [each for each in compared if each.counts is not None]
    apart = [each for each in there if each.differ]
    absent = [each.name for each in compared if each.counts is None]
    differ = "; ".join(
        f"{each.name} in {each.differ} of {each.counts:,} counts, by {each.offences} offence"
        for each in apart
    )
    sentence = f"{len(there)} of the published tensors of counts compared with ours: "
    sentence += f"all alike but {differ}" if apart else "all alike"
    if [each.name for each in apart] == [FIRST_ROW_LOST]:
        sentence += ", the records' first row, which its reader skips as if it were a header"
    sentence += f" (not to be had: {', '.join(absent)})" if absent else ""
    return ["", f"{sentence}."]


def _choices(found: Measured, form: str) -> list[str]:
    shares = ", ".join(f"{found.by_share[s]:.3f} at {s:g}" for s in SHARES)
    share = min(found.by_share, key=lambda s: found.by_share[s])
    forms = ", ".join(f"{name} {error:.3f}" for name, error in by_form(found).items())
    return [
        "",
        "Chosen on the validation days by the published MAE, all kinds: the share of absolute",
        f"error in the loss, learning alone, first seed: {shares}; so {share:g} (0 learns means,",
        f"1 medians). Given an offence: {forms} of a Poisson count of the forecast mean that is",
        f"not zero; so the {form}. States and levels are chosen by the error over all cells and",
        "days, as everywhere.",
    ]


def _tables(city: str, lines: Mapping[str, list[Line]], truth: Line) -> list[str]:
    found = {
        name: [errors_of(line, truth, city) for line in of_seeds]
        for name, of_seeds in lines.items()
    }
    columns = (*KINDS[city], OVERALL)
    return [
        "",
        f"### {CITIES[city]}: cells and days with at least one offence (published metric)",
        "",
        *_head(columns, "MAE", "MAPE %"),
        *_published(city, columns),
        *(_row(name, each, lambda e: (e.mae, 100 * e.mape)) for name, each in found.items()),
        "",
        f"### {CITIES[city]}: all cells and days",
        "",
        *_head(columns, "MAE", "RMSE"),
        *(_row(name, each, lambda e: (e.mae_all, e.rmse_all)) for name, each in found.items()),
    ]


def _head(columns: Sequence[str], first: str, second: str) -> list[str]:
    names = [f"{kind} {metric}" for kind in columns for metric in (first, second)]
    return [f"| | {' | '.join(names)} |", "|---|" + "---:|" * len(names)]


def _published(city: str, columns: Sequence[str]) -> list[str]:
    published = PUBLISHED.get(city)
    if published is None:
        return []
    cells = [
        f"{published[kind][0]:.3f} | {100 * published[kind][1]:.1f}"
        if kind in published
        else "— | —"
        for kind in columns
    ]
    return [f"| ST-HSL, published | {' | '.join(cells)} |"]


def _row(
    name: str,
    by_seed: Sequence[Mapping[str, Errors]],
    metrics: Callable[[Errors], tuple[float, float]],
) -> str:
    values_SC = np.array([[v for e in each.values() for v in metrics(e)] for each in by_seed])
    cells = [_figure(value) for value in values_SC.mean(axis=0)]
    if len(values_SC) > 1:
        spreads = values_SC.std(axis=0, ddof=1)
        pairs = zip(values_SC.mean(axis=0), spreads, strict=True)
        cells = [f"{_figure(mean)} ± {_figure(sd, like=mean)}" for mean, sd in pairs]
    return f"| {name} | {' | '.join(cells)} |"


def _figure(value: float, like: float | None = None) -> str:
    """Offences to three places, percents (all over 20 here) to one."""
    return f"{value:.{1 if (value if like is None else like) >= 10 else 3}f}"
