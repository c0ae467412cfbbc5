"""What a forecast at one origin needs besides the experts: weights, bands, what is not scored yet.

Shapes: N places, H horizon steps.
"""

from dataclasses import dataclass, field

from deepcity.city.arrays import Floats
from deepcity.learning.ensemble.loss_allowance import Pending
from deepcity.learning.ensemble.multi_view_ensemble import MultiViewEnsemble


@dataclass(frozen=True, eq=False)
class Prepared:
    """What a forecast at one origin needs besides the experts.

    Attributes:
        ensemble: the weights from all truths before the origin.
        half_NH: half the width of the bands.
        pending: earlier forecasts whose truths are not all known at the origin.
    """

    ensemble: MultiViewEnsemble
    half_NH: Floats
    pending: Pending = field(default_factory=Pending)
