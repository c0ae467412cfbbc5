"""A training's record in which one party signed for its rows."""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from deepcity.exchange.trust.row_claims import RowClaim, signed
from deepcity.runs.outcome.round_records import TrainingRecord

KEY, OTHER = (Ed25519PrivateKey.from_private_bytes(bytes([one]) * 32) for one in (1, 2))
HOUR = 3600


def record(training, rows, at_s, *, key=KEY, named=None):
    """A training in which one party of three places with hourly steps claimed so many rows."""
    claim = RowClaim(
        federation="fed",
        training=named or training,
        party="north/water",
        level=1,
        rows=rows,
        places=3,
        step_s=HOUR,
        challenge=5,
    )
    own = signed(claim, key).model_copy(update={"received_s": at_s})
    return TrainingRecord(
        levels={"north/water": 1},
        errors=[],
        failures=[],
        bytes=0,
        seconds=0,
        claims={"north/water": own},
    )
