"""When all rows of a source are read: what its problems are in full, and remedies tried on them."""

from dataclasses import replace

import polars as pl

from deepcity.city.problem import Cause, Trial
from deepcity.data.config.number_style import NumberStyle
from deepcity.data.config.source import SourceSettings
from deepcity.data.findings import FILE_ROWS, ROWS_SHOWN, UNREVIEWED, IssueLog, rows_text
from deepcity.data.observations import ColumnTally, Seen
from deepcity.data.remedies import next_step, trials
from deepcity.data.remedies.cell_texts import UnknownTexts, UnreadNumbers, corrected
from deepcity.data.remedies.footer import UnreadRows
from deepcity.data.remedies.repeated_times import RepeatedTimes
from deepcity.data.remedies.stamp import HoursTo24
from deepcity.data.tables.numbers import GROUPED, OTHER_SIGN

TEXTS_SHOWN = 12
NAMES_SHOWN = 5
SURE = 50  # so many numbers with three decimals, and none with one or two, are no chance
CORRECT = "correct these cells"


def review_cells(source: SourceSettings, issues: IssueLog, files: tuple[str, ...] = ()) -> None:
    """Tell of each column all texts that are no numbers, and what to do about them."""
    bad = {name: tally for name, tally in issues.cells.items() if tally.bad}
    _check_grouped(source, issues, files)
    if not bad:
        return
    right, tried = _next_step(source, issues.cells)
    done: set[str] = set()
    for n, problem in enumerate(issues.problems):
        if problem.right == UNREVIEWED and problem.key in bad and problem.key not in done:
            done.add(problem.key)
            tally = bad[problem.key]
            first, reason = _reason(tally, source, files)
            cause = _cause("not-a-number", _joined(tally))
            issues.problems[n] = replace(
                problem, value=first, reason=reason, right=right, tried=tried, cause=cause
            )
    issues.problems = [
        one for one in issues.problems if not (one.right == UNREVIEWED and one.key in bad)
    ]


def review_repeated(repeated: RepeatedTimes, issues: IssueLog) -> None:
    """Say of rows that share a time and a place what can be done without losing any."""
    tried = trials(repeated)
    right = next_step(tried, "remove the wrong rows")
    issues.problems = [
        replace(one, right=right, tried=tried)
        if one.key == "time" and one.right == UNREVIEWED
        else one
        for one in issues.problems
    ]


def review_dropped(dropped: RepeatedTimes, issues: IssueLog) -> None:
    """Name what is lost with the rows that were dropped, where a column tells them apart."""
    column, lost = dropped.telling, dropped.lost
    if column is None:
        return
    seen = dropped.seen
    text = (
        f"{seen.rows - seen.times:,} of {seen.rows:,} rows that share a time were dropped, and "
        f"{column} tells them apart"
    )
    if lost:
        more = f" and {len(lost) - NAMES_SHOWN:,} more" if len(lost) > NAMES_SHOWN else ""
        text += f": of {', '.join(lost[:NAMES_SHOWN])}{more} no row is left"
    else:
        kept = seen.last if dropped.keeps_last else seen.first
        text += f": {kept:,.6g} of a total of {seen.total:,.6g} is left"
    offered = [f"{one.change} ({one.effect})" for one in trials(dropped) if one.keeps]
    text += f"; set {'; or '.join(offered)}" if offered else ""
    issues.findings = [
        replace(one, text=text) if one.what == "duplicate-loss" else one for one in issues.findings
    ]


def review_footer(unread: UnreadRows, issues: IssueLog) -> None:
    """Where rows have no time, say whether they are notes or totals at the end of the table."""
    time = unread.source.time
    key = " + ".join(time.names) if time is not None else ""
    if not any(one.key == key for one in issues.problems):
        return
    if tried := trials(unread):
        right = next_step(tried, "remove what is no record")
        issues.problems = [
            replace(one, right=right, tried=tried) if one.key == key else one
            for one in issues.problems
        ]


def review_hours(hours: HoursTo24, issues: IssueLog) -> None:
    """Warn of hours from 1 to 24 where no one has said what they mark."""
    if not issues.hours.to_24:
        return
    text = (
        f"{issues.hours.last:,} rows have an hour of 24 and none an hour of 0, and each was taken "
        "as the start of its interval"
    )
    text = f"{text}: {next_step(trials(hours), 'see what the hours mark')}"
    issues.warn("hours-to-last", "time", issues.hours.last, text)


def _next_step(
    source: SourceSettings, columns: dict[str, ColumnTally]
) -> tuple[str, tuple[Trial, ...]]:
    """The next step for all texts of a source that are no numbers, and what it is made from."""
    numbers, words = UnreadNumbers(columns, source.numbers), UnknownTexts(columns, source.numbers)
    tried = [trials(one) for one in (numbers, words) if one.texts]
    otherwise = f"{CORRECT}{corrected(columns, source.numbers)}"
    steps = dict.fromkeys(next_step(one, otherwise) for one in tried)
    return "; and ".join(steps), tuple(trial for one in tried for trial in one)


def _reason(tally: ColumnTally, source: SourceSettings, files: tuple[str, ...]) -> tuple[str, str]:
    """The first text of a column that is no number, and why all of them are none."""
    noun, style = source.row_noun, source.numbers
    first, *others = tally.bad
    where = f"({_rows(tally.bad[first], noun, files)})"
    comma = "," if style.decimal == "." else "."
    if style.decimal in OTHER_SIGN and _all_match(tally, GROUPED[comma]):
        rows = _rows(_joined(tally), noun, files)
        sign = "comma" if comma == "," else "point"
        return (
            first,
            f"can be read in two ways, its {sign} may part thousands or a fraction ({rows})",
        )
    if style.decimal == "." and _all_match(tally, OTHER_SIGN[","]):
        rows = _rows(_joined(tally), noun, files)
        return first, f"a decimal comma where the decimal sign is a point ({rows})"
    if not tally.numbers and len(others) > TEXTS_SHOWN:  # a column of something else
        return first, f"not a number ({_rows(_joined(tally), noun, files)})"
    reason = f"not a number {where}"
    if others:
        shown = [
            f"{text!r} ({_rows(tally.bad[text], noun, files)})" for text in others[:TEXTS_SHOWN]
        ]
        more = f" and {len(others) - TEXTS_SHOWN:,} more" if len(others) > TEXTS_SHOWN else ""
        reason += f", nor is {', '.join(shown)}{more}; {tally.bad_cells:,} cells in all"
    return first, reason


def _rows(seen: Seen, noun: str, files: tuple[str, ...]) -> str:
    rows = seen.rows + [0] * (seen.count - len(seen.rows))
    return rows_text(rows, noun, files)


def _cause(code: str, seen: Seen) -> Cause:
    return Cause(code, seen.count, tuple(row % FILE_ROWS for row in seen.rows[:ROWS_SHOWN]))


def _joined(tally: ColumnTally) -> Seen:
    rows = sorted(row for seen in tally.bad.values() for row in seen.rows)
    return Seen(tally.bad_cells, rows[: min(len(rows), tally.bad_cells)])


def _all_match(tally: ColumnTally, pattern: str) -> bool:
    texts = pl.Series(list(tally.bad), dtype=pl.String)
    return bool(texts.str.contains(pattern).all())


def _check_grouped(source: SourceSettings, issues: IssueLog, files: tuple[str, ...]) -> None:
    """Numbers whose decimal sign may as well part thousands: refused, or told if it was stated."""
    style = source.numbers
    for name, tally in issues.cells.items():
        if not _looks_grouped(tally, style):
            continue
        first = next(iter(tally.separated))
        rows = _rows(tally.grouped, source.row_noun, files)
        digits = "".join(sign for sign in first if sign.isdigit())
        both = f"{first!r} is read as {tally.separated[first]:.10g}, but may mean {digits}"
        stated = source.decimal_is_stated
        if stated and not tally.never_fraction:
            count, sign = tally.grouped.count, style.decimal
            text = (
                f"{count:,} numbers look as if their sign parts thousands: {both} ({rows}); "
                f"the city file states {sign!r} as decimal sign, see whether it is right"
            )
            issues.warn("grouped", name, count, text)
            continue
        also = tuple(tally.separated)
        tried = trials(UnreadNumbers({name: tally}, style, also, stated))
        right = next_step(tried, "correct the cells")
        shown = f"{tally.grouped.count:,} numbers can be read in two ways ({rows})"
        cause = _cause("two-ways", tally.grouped)
        issues.problem(name, first, f"{shown}: {both}", right, tried, cause=cause)


def _looks_grouped(tally: ColumnTally, style: NumberStyle) -> bool:
    """Whether every sign in a column may part thousands, and there is a reason to think so."""
    if style.thousands or not tally.grouped.count or tally.fractions or tally.largest_whole > 999:
        return False
    if not tally.whole:  # as many decimals everywhere: how databases write amounts
        zeros = all(text[-3:] == "000" for text in tally.separated)
        return tally.never_fraction and not zeros
    return tally.never_fraction or tally.grouped.count >= SURE
