"""Refusals of cases as answers: the right status, no path of the server, and a next step here."""

from collections.abc import Iterator
from contextlib import contextmanager

from deepcity.city.errors import CaseError, CheckpointError, KeyringError, LedgerError
from deepcity.web.api.refusals import Refusal

_LOG = "see the server's log"
_FIXED = {
    "unknown-case": (404, "there is no such case", "look at GET /api/cases"),
    "closed": (409, "it was closed: who was looked for is deleted", "open another case"),
    "disk": (507, "it cannot be written or deleted on the server's disk", _LOG),
    "file": (503, "its files cannot be read", f"put back a copy; {_LOG}"),
    "key": (503, "the key that encrypts it cannot be used", _LOG),
}
"""Codes whose texts name files of the server."""
_STATUS = {
    "own-case": 403, "account": 403, "revoked": 403, "changed": 409, "busy": 503, "over": 409,
    "approvals": 409, "warrant": 409, "no-sighting": 404, "no-case": 422, "no-query": 422,
    "service": 422,
}  # fmt: skip
_RIGHT = {
    "approvals": "have it approved by others who are logged in",
    "warrant": "have the authority sign a copy of it, and take that copy",
    "no-case": "correct it, and send it again",
    "no-query": "correct it, and send it again",
    "service": "choose one of `services` of GET /api/cases",
    "no-sighting": "look at the case anew",
}


@contextmanager
def refusing(case: str) -> Iterator[None]:
    """Errors of the block as refusals.

    Args:
        case: its id; empty: none yet.

    Raises:
        Refusal: with status, reason and next step.
    """
    try:
        yield
    except CaseError as error:
        raise refusal_of(error, case) from error
    except (LedgerError, KeyringError, CheckpointError) as error:
        reason = "nothing was done, for it could not be recorded or signed"
        raise Refusal(503, case, reason, _LOG) from error


def refusal_of(error: CaseError, case: str) -> Refusal:
    """The answer to an error of a case."""
    if error.code in _FIXED:
        status, reason, right = _FIXED[error.code]
        return Refusal(status, case, reason, right)
    reason, right = str(error), _RIGHT.get(error.code, "")
    if not right:
        reason, _, right = reason.rpartition(". ")  # the house ends with the next step
    elif error.code in ("approvals", "warrant"):
        reason = reason.partition(": deepcity")[0]
    return Refusal(_STATUS.get(error.code, 403), case or error.code, reason or right, right)
