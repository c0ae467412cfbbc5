"""What one way of meeting came to: a case of the table of modes."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ModeCase:
    """One option, one seed.

    Attributes:
        alone, mae: errors over the test span without and with the agencies, in `unit`; both
            after as many looks at the validation span.
        validation: error by which the best round was kept, in scaled units.
        messages, sent: of the training, both ways; bytes.
    """

    set: str
    party: str
    seed: int
    unit: str
    option: str
    block: int
    alone: float
    mae: float
    validation: float
    messages: int
    sent: int
    seconds: float
