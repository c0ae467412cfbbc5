"""Trips at their stops: stop_times.txt with its times as seconds, blank ones filled in.

Times count from noon minus 12 hours of the service day, so 25:10:00 is after midnight (GTFS
Schedule reference, field type Time).
"""

import polars as pl

from deepcity.data.errors import ReadError
from deepcity.data.gtfs.bad_rows import ROW, BadRows
from deepcity.data.gtfs.feed_files import MOST_ROWS, FeedFiles

_FILE, _FREQUENCIES = "stop_times.txt", "frequencies.txt"
_COLUMNS = ("trip_id", "stop_id", "stop_sequence", "departure_time", "arrival_time")
_MOST_HOURS = 168
"""No trip lasts a week; a larger number is a mistake."""


def seconds_of(column: str) -> pl.Expr:
    """Seconds of a text H:MM:SS; null if it is none.

    >>> pl.DataFrame({"t": ["25:10:00"]}).select(seconds_of("t")).item()
    90600
    """
    parts = pl.col(column).str.extract_groups(r"^(\d{1,3}):([0-5]\d):([0-5]\d)$").struct
    hours, minutes, seconds = (parts.field(str(n)).cast(pl.Int32) for n in (1, 2, 3))
    return pl.when(hours < _MOST_HOURS).then(hours * 3600 + minutes * 60 + seconds)


def read_stop_times(
    feed: FeedFiles, trips: pl.DataFrame, stops: pl.DataFrame, bad: BadRows
) -> pl.DataFrame:
    """Every stop of every trip, in order.

    Args:
        trips: `trip_id` and its number `trip`.
        stops: `stop_id` and its number `stop`.

    Returns:
        `trip`, `stop`, `second` (of departure), `row`; sorted by trip and stop sequence.

    Raises:
        ReadError: if the file cannot be read.
    """
    frames = [
        _numbered(rows, trips.select("trip_id", "trip"), stops.select("stop_id", "stop"), bad)
        for rows in feed.rows(_FILE, _COLUMNS)
    ]
    if not frames:
        raise ReadError("path", feed.path, f"{_FILE} has no rows", "get a feed with trips")
    frame = pl.concat(frames).sort("trip", "sequence", ROW)
    again = pl.struct("trip", "sequence").is_duplicated()
    frame = bad.without(frame, _FILE, "sequence", again, "is twice in its trip")
    ends = pl.col("second").is_null() & (_is_first() | _is_last())
    frame = bad.without(frame, _FILE, "stop_id", ends, "begins or ends its trip without a time")
    frame = frame.with_columns(pl.col("second").interpolate().over("trip").cast(pl.Int32))
    back = pl.col("second") < pl.col("second").shift(1).over("trip")
    frame = bad.without(
        frame, _FILE, "stop_id", back.fill_null(value=False), "is reached before the stop before"
    )
    return frame.select("trip", "stop", "second", ROW)


def _numbered(
    rows: pl.DataFrame, trips: pl.DataFrame, stops: pl.DataFrame, bad: BadRows
) -> pl.DataFrame:
    """A batch with numbers in place of ids and texts."""
    rows = rows.join(trips, on="trip_id", how="left", maintain_order="left")
    rows = rows.join(stops, on="stop_id", how="left", maintain_order="left")
    rows = rows.with_columns(
        pl.col("stop_sequence").cast(pl.Int32, strict=False).alias("sequence"),
        pl.coalesce(seconds_of("departure_time"), seconds_of("arrival_time")).alias("second"),
    )
    unknown = {"trip_id": "trip", "stop_id": "stop"}
    for column, number in unknown.items():
        file = f"{number}s.txt"
        rows = bad.without(rows, _FILE, column, pl.col(number).is_null(), f"is not in {file}")
    order = pl.col("sequence").is_null() | (pl.col("sequence") < 0)
    rows = bad.without(rows, _FILE, "stop_sequence", order, "is not a whole number")
    for column in ("departure_time", "arrival_time"):
        wrong = pl.col(column).is_not_null() & seconds_of(column).is_null()
        rows = bad.without(rows, _FILE, column, wrong, "is not a time H:MM:SS within a week")
    return rows.select("trip", "stop", "sequence", "second", "stop_id", ROW)


def _is_first() -> pl.Expr:
    return (pl.col("trip") != pl.col("trip").shift(1)).fill_null(value=True)


def _is_last() -> pl.Expr:
    return (pl.col("trip") != pl.col("trip").shift(-1)).fill_null(value=True)


def departures_of(stop_times: pl.DataFrame, *, starts_alone: bool) -> pl.DataFrame:
    """The rows at which a trip departs: all but its last stop, or its first stop alone.

    Args:
        stop_times: as `read_stop_times` returns them.
    """
    kept = stop_times.filter(~_is_last())
    return kept.filter(_is_first()) if starts_alone else kept


def repeated_by_frequency(
    departures: pl.DataFrame,
    stop_times: pl.DataFrame,
    feed: FeedFiles,
    trips: pl.DataFrame,
    bad: BadRows,
) -> pl.DataFrame:
    """Departures, with those of trips that frequencies.txt repeats at each of their starts.

    Times of such a trip in stop_times.txt count from its first stop.

    Raises:
        ReadError: if the file cannot be read, or makes too many departures.
    """
    frame = _frequencies(feed, trips, bad)
    if not frame.height:
        return departures
    begins = stop_times.group_by("trip").agg(pl.col("second").first().alias("begin"))
    often = departures.join(frame.select("trip").unique(), on="trip", how="semi")
    per_trip = often.group_by("trip").len()
    planned = frame.join(per_trip, on="trip", how="inner")
    if (planned["starts"].cast(pl.Int64) * planned["len"]).sum() > MOST_ROWS:
        right = "correct its headway_secs, or take a part of the feed"
        raise ReadError("path", feed.path, f"{_FREQUENCIES} makes over {MOST_ROWS:,} trips", right)
    starts = pl.int_ranges("start", "end", "headway", dtype=pl.Int32).alias("at")
    moments = frame.select("trip", starts).explode("at").join(begins, on="trip", how="inner")
    repeated = often.join(moments, on="trip", how="inner").with_columns(
        (pl.col("second") - pl.col("begin") + pl.col("at")).alias("second")
    )
    single = departures.join(frame.select("trip"), on="trip", how="anti")
    return pl.concat([single, repeated.select(single.columns)])


def _frequencies(feed: FeedFiles, trips: pl.DataFrame, bad: BadRows) -> pl.DataFrame:
    """`trip`, `start`, `end`, `headway` (seconds), and how many `starts` there are."""
    columns = ("trip_id", "start_time", "end_time", "headway_secs")
    frame = feed.whole(_FREQUENCIES, columns)
    frame = frame.join(trips.select("trip_id", "trip"), on="trip_id", how="left").with_columns(
        seconds_of("start_time").alias("start"),
        seconds_of("end_time").alias("end"),
        pl.col("headway_secs").cast(pl.Int32, strict=False).alias("headway"),
    )
    unknown = pl.col("trip").is_null()
    frame = bad.without(frame, _FREQUENCIES, "trip_id", unknown, "is not in trips.txt")
    for column, name in (("start_time", "start"), ("end_time", "end")):
        wrong = pl.col(name).is_null()
        frame = bad.without(
            frame, _FREQUENCIES, column, wrong, "is not a time H:MM:SS within a week"
        )
    late = pl.col("end") <= pl.col("start")
    frame = bad.without(frame, _FREQUENCIES, "end_time", late, "is not after start_time")
    wrong = pl.col("headway").is_null() | (pl.col("headway") < 1)
    frame = bad.without(frame, _FREQUENCIES, "headway_secs", wrong, "is not a number of seconds")
    span = (pl.col("end") - pl.col("start") + pl.col("headway") - 1) // pl.col("headway")
    return frame.with_columns(span.alias("starts"))
