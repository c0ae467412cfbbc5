"""Messages of a case, and what may stand in an answer: camera, time and score.

What comes is another party's: sizes are bounded before anything is read, and what cannot be read is
an error by name.

Shapes: Q pictures, E numbers of an embedding, S sightings.
"""

from collections.abc import Sequence
from hashlib import sha256
from typing import Any

import numpy as np

from deepcity.city.errors import CaseError, LedgerError
from deepcity.city.level import Tensors
from deepcity.exchange.message import Message
from deepcity.intercity.casework.case import CaseVerb, SignedCase, SignedRequest
from deepcity.store.blob import BlobError, pack, unpack
from deepcity.store.release_ledger.release import Name, Seconds, Strict
from deepcity.store.release_ledger.sheets import Sheet, parse_sheet
from deepcity.vision.searching.person_query import MOST_PICTURES, MOST_WIDTH, PersonQuery
from deepcity.vision.searching.sighting import Sighting

VERBS = {ask: f"case_{ask}" for ask in CaseVerb}
CASE, SIGHTINGS = "case", "sightings"
_MOST_SHEET = 100_000
_MOST_QUERY = 4 * MOST_PICTURES * MOST_WIDTH + 10_000
_STEPS = 100  # of a score from 0 to 1: finer ones would tell more of an embedding


class SightingRef(Strict):
    """A sighting by what its owner gave: camera and whole UTC seconds."""

    camera: Name
    time_s: Seconds
    confirmed: bool


def query_bytes(query: PersonQuery) -> bytes:
    """Who is looked for, as it is sent; its SHA-256 stands in the case."""
    embedding_QE = np.ascontiguousarray(query.embedding_QE, np.float32)
    arrays = {"query": {"embedding": embedding_QE}} if query.has_pictures else {}
    header = {
        "network": query.network,
        "height_m": None if query.height_m is None else [float(one) for one in query.height_m],
        "upper": sorted(query.upper),
        "lower": sorted(query.lower),
    }
    return pack(arrays, header)


def query_of(blob: bytes) -> PersonQuery:
    """The query that `query_bytes` wrote.

    Raises:
        CaseError: if it is none.
    """
    try:
        if len(blob) > _MOST_QUERY:
            raise BlobError(f"{len(blob):,} bytes, over {_MOST_QUERY:,}")
        arrays, header = unpack(blob)
        if set(header) != {"network", "height_m", "upper", "lower"}:
            raise BlobError("its header holds other keys than network, height_m, upper and lower")
        height, network = header["height_m"], header["network"]
        if not isinstance(network, str) or len(network) > 200:
            raise BlobError("`network` must be a name")
        found = PersonQuery(
            network,
            np.asarray(arrays.get("query", {}).get("embedding", np.zeros((0, 0))), np.float64),
            None if height is None else _two_numbers(height),
            _colours(header["upper"]),
            _colours(header["lower"]),
        )
    except (BlobError, ValueError) as error:
        raise CaseError("no-query", f"this is no query for a person: {error}") from error
    return found


def verdict_of(blob: bytes) -> SightingRef:
    """A verdict, as it is sent: its canonical JSON.

    Raises:
        CaseError: if it is none.
    """
    try:
        return parse_sheet(blob, SightingRef, "the verdict")
    except LedgerError as error:
        raise CaseError("no-request", str(error)) from error


def case_message(case: SignedCase, request: SignedRequest, content: bytes) -> Message:
    """A request as it is sent."""
    sheets: dict[str, Any] = {
        "case": np.frombuffer(case.to_line(), np.uint8),
        "request": np.frombuffer(request.to_line(), np.uint8),
        "content": np.frombuffer(content, np.uint8),
    }
    return Message(VERBS[request.request.ask], {}, {CASE: sheets})


def read_message(message: Message) -> tuple[SignedCase, SignedRequest, bytes]:
    """What `case_message` made.

    Raises:
        CaseError: if it is none, or its parts do not belong together.
    """
    parts = message.layers.get(CASE, {})
    case = _sheet(parts, "case", SignedCase)
    request = _sheet(parts, "request", SignedRequest)
    content = _bytes(parts, "content", _MOST_QUERY)
    asked = request.request
    if VERBS[asked.ask] != message.verb or asked.case != case.case.digest():
        raise CaseError("no-request", f"this is no {message.verb} of case {case.case.id}")
    if asked.content != sha256(content).hexdigest():
        raise CaseError(
            "no-request", f"what was sent with this {message.verb} is not what was signed"
        )
    return case, request, content


def sightings_message(found: Sequence[Sighting]) -> Message:
    """An answer: camera, whole seconds and score in hundredths; all that leaves."""
    names = "\n".join(one.camera for one in found).encode()
    tensors: dict[str, Any] = {
        "camera": np.frombuffer(names, np.uint8),
        "time_s": np.array([int(one.time_s) for one in found], np.int64),
        "score": np.array([_hundredths(one.score) for one in found], np.uint8),
    }
    return Message(VERBS[CaseVerb.SEARCH], {}, {SIGHTINGS: tensors} if found else {})


def read_sightings(message: Message, most: int) -> list[Sighting]:
    """The sightings of an answer.

    Raises:
        CaseError: if it is no answer, or holds more than `most`.
    """
    if not message.layers and message.verb == VERBS[CaseVerb.SEARCH]:
        return []
    parts = message.layers.get(SIGHTINGS, {})
    if not _is_answer(message, parts, most):
        raise CaseError("no-answer", f"this is no list of at most {most} cameras, times and scores")
    time_S, score_S = parts["time_s"], parts["score"]
    names = parts["camera"].tobytes().decode().split("\n")
    return [
        Sighting(int(score) / _STEPS, float(time), name)
        for name, time, score in zip(names, time_S, score_S, strict=True)
    ]


def _is_answer(message: Message, parts: Tensors, most: int) -> bool:
    """Whether there are three arrays of one length, of values within their ranges."""
    if message.verb != VERBS[CaseVerb.SEARCH] or set(parts) != {"camera", "time_s", "score"}:
        return False
    camera, time_S, score_S = parts["camera"], parts["time_s"], parts["score"]
    if [one.dtype.str for one in (camera, time_S, score_S)] != ["|u1", "<i8", "|u1"]:
        return False
    if time_S.ndim != 1 or len(time_S) > most or score_S.shape != time_S.shape:
        return False
    if (score_S > _STEPS).any() or (time_S < 0).any() or camera.nbytes > most * 801:
        return False
    try:
        names = camera.tobytes().decode().split("\n")
    except UnicodeDecodeError:
        return False
    right = all(name and len(name) <= 200 and name.isprintable() for name in names)
    return right and len(names) == len(time_S)


def _hundredths(score: float) -> int:
    return int(np.clip(np.floor(score * _STEPS), 0, _STEPS))


def _bytes(parts: Tensors, name: str, most: int) -> bytes:
    found = parts.get(name)
    if found is None or found.dtype != np.uint8 or found.ndim != 1 or found.nbytes > most:
        raise CaseError("no-request", f"`{name}` must be up to {most:,} bytes")
    return found.tobytes()


def _sheet(parts: Tensors, name: str, kind: type[Sheet]) -> Sheet:
    try:
        return parse_sheet(_bytes(parts, name, _MOST_SHEET), kind, f"`{name}`")
    except LedgerError as error:
        raise CaseError("no-request", str(error)) from error


def _two_numbers(found: object) -> tuple[float, float]:
    if isinstance(found, list) and len(found) == 2 and all(isinstance(n, float) for n in found):
        return found[0], found[1]
    raise BlobError("`height_m` must be two numbers or nothing")


def _colours(found: object) -> frozenset[str]:
    if isinstance(found, list) and len(found) <= 20 and all(isinstance(n, str) for n in found):
        return frozenset(found)
    raise BlobError("`upper` and `lower` must be lists of colours")
