"""Little tables that remedies are tried on."""

HOURS = range(24)
COUNT = '[{ name = "people", kind = "count", unit = "people", source = "records"%s }]'
SPEED = '[{ name = "v", kind = "speed", unit = "km/h", source = "records", column = "n" }]'
LEVEL = '[{ name = "h", kind = "level", unit = "m", source = "records" }]'
SPREAD = LEVEL.replace(" }", ", spread = true }")
WIDE = 'format = "csv"\npath = "records.csv"\ntime = { column = "time"%s }\n'
LONG = WIDE + 'layout = "long"\nplace = "p"\n'
ONE = COUNT % ', column = "n"'


def wide(special, *, beside="1", sign=";"):
    """A day of a column a, with some texts, and of a column b."""
    rows = [
        f"2024-05-01 {h:02d}:00{sign}{special.get(h, h + 1)}{sign}{beside if h == 9 else 1}"
        for h in HOURS
    ]
    return sign.join(("time", "a", "b")) + "\n" + "\n".join(rows) + "\n"


def repeated(kinds, values, *, days=1):
    """A row a kind of each hour: time, place, kind, value."""
    rows = [
        f"2024-05-{d + 1:02d} {h:02d}:00,a,{kind},{value(h)}"
        for d in range(days)
        for h in HOURS
        for kind, value in zip(kinds, values, strict=True)
    ]
    return "time,p,dir,n\n" + "\n".join(rows) + "\n"


def daily(columns=("a", "b")):
    """Ten days, a value in each column."""
    rows = [f"2024-05-{d + 1:02d}," + ",".join(str(d + 1) for _ in columns) for d in range(10)]
    return "time," + ",".join(columns) + "\n" + "\n".join(rows) + "\n"


def autumn(twice):
    """Hours of a night in Rome whose 02:00 comes twice, each with a row if `twice`."""
    hours_ = [0, 1, 2, *([2] if twice else []), *range(3, 12)]
    return "time,a,b\n" + "".join(f"2023-10-29 {h:02d}:00,{n},1\n" for n, h in enumerate(hours_))


def autumn_ends(twice):
    """The same night by the ends of its hours, of which one stands twice."""
    hours_ = sorted([*range(1, 12), twice])
    return "time,a,b\n" + "".join(f"2023-10-29 {h:02d}:00,{n},1\n" for n, h in enumerate(hours_))


def spring(hours_):
    return "time,a,b\n" + "".join(f"2023-03-26 {h:02d}:00,{h},1\n" for h in hours_)


def every(minutes):
    """Two days of rows so many minutes apart."""
    times = [(day, n) for day in (1, 2) for n in range(0, 24 * 60, minutes)]
    rows = [f"2024-05-{day:02d} {n // 60:02d}:{n % 60:02d},{n},1" for day, n in times]
    return "time,a,b\n" + "\n".join(rows) + "\n"
