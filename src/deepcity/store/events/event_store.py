"""The contract of a store of events, and what its databases have in common.

One table, `events`, to which rows are added. A key is stored once, so that whoever was killed
may repeat what it last did.
"""

import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Protocol, Self

from deepcity.store.events.event import Event, EventDraft, EventKind, EventQuery

COLUMNS = "seq, kind, key, at_s, recorded_s, service, party, who, body, data"
SCHEMA = """
create table if not exists events (
    seq bigint primary key, kind text not null, key text not null unique, at_s bigint not null,
    recorded_s double precision not null, service text not null, party text not null,
    who text not null, body text not null, data {blob} not null);
create index if not exists events_by_kind on events (kind, at_s);
"""


class EventStore(Protocol):
    """Events of one city. Threads may share a store; each call is a transaction."""

    def append(self, drafts: Sequence[EventDraft]) -> list[Event]:
        """Store events: all of them or none. Those whose key is stored already are left out.

        Returns:
            what was stored now, in order.

        Raises:
            StoreError: if the database refuses, or cannot be reached.
        """
        ...

    def read(self, query: EventQuery) -> list[Event]:
        """Events that a query asks for.

        Raises:
            StoreError: as `append`.
        """
        ...

    def find(self, key: str) -> Event | None:
        """The event of a key.

        Raises:
            StoreError: as `append`.
        """
        ...

    def last(self) -> int:
        """The number of the newest event; 0 if there is none.

        Raises:
            StoreError: as `append`.
        """
        ...

    def newest_s(self) -> int | None:
        """The city's time of the newest event, UTC seconds; None if there is none.

        Raises:
            StoreError: as `append`.
        """
        ...

    def close(self) -> None:
        """Close it; closing twice is fine."""
        ...

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def numbered(drafts: Iterable[EventDraft], known: set[str], last: int) -> list[Event]:
    """Drafts whose key is new, with the numbers after `last`."""
    now, found = time.time(), []
    for draft in drafts:
        if draft.key not in known:
            known.add(draft.key)
            last += 1
            fields = {name: getattr(draft, name) for name in EventDraft.__dataclass_fields__}
            found.append(Event(**fields, seq=last, recorded_s=now))
    return found


def to_row(event: Event) -> tuple[Any, ...]:
    """A row of the table."""
    body = json.dumps(event.body, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return (
        event.seq,
        event.kind.value,
        event.key,
        event.at_s,
        event.recorded_s,
        event.service,
        event.party,
        event.who,
        body,
        event.data,
    )


def from_row(row: Sequence[Any]) -> Event:
    """An event from a row of the table."""
    values = dict(zip(COLUMNS.split(", "), row, strict=True))
    values |= {"kind": EventKind(values["kind"]), "body": json.loads(values["body"])}
    return Event(**{**values, "data": bytes(values["data"] or b"")})


def statement(
    query: EventQuery, name: Callable[[str], str], table: str = "events"
) -> tuple[str, dict[str, int | str]]:
    """The SELECT of a query.

    Args:
        name: how the database writes the parameter of a name.
    """
    columns = COLUMNS if query.data else COLUMNS.replace("data", "null")
    tests = [f"seq > {name('after')}"]
    values: dict[str, int | str] = {"after": query.after}
    for column, compared, value in (
        ("service", "=", query.service),
        ("party", "=", query.party),
        ("at_s", ">=", query.since_s),
        ("at_s", "<", query.until_s),
    ):
        if value is not None:
            key = f"value_{len(values)}"
            tests.append(f"{column} {compared} {name(key)}")
            values[key] = value
    if query.kinds:
        keys = [f"kind_{number}" for number in range(len(query.kinds))]
        tests.append(f"kind in ({', '.join(map(name, keys))})")
        values |= dict(zip(keys, (kind.value for kind in query.kinds), strict=True))
    order = "desc" if query.newest else "asc"
    text = f"select {columns} from {table} where {' and '.join(tests)} order by seq {order}"
    if query.limit is not None:
        text += f" limit {query.limit:d}"
    return text, values


def read_pages(events: EventStore, query: EventQuery, size: int) -> Iterator[Event]:
    """Events that a query asks for, oldest first, of which so many at once are in memory.

    Raises:
        StoreError: as `EventStore.append`.
    """
    after = query.after
    while True:
        found = events.read(replace(query, after=after, limit=size))
        yield from found
        if len(found) < size:
            return
        after = found[-1].seq
