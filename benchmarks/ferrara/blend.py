"""One forecast from several experts: weights that are never negative and sum to one.

Combined forecasts err less than most of their parts (Bates & Granger 1969). The weights are
fitted where no expert learned: on forecasts that each made for origins after its own
training. Few origins cannot tell experts apart, so weights are drawn towards a prior
(their plain mean, or what is already trusted), by as much as held-out blocks of origins
demand; where these show no gain, the prior stays. Weights and errors are a party's own and
never leave it.

The least absolute error plus the Kullback-Leibler divergence from the prior is a convex
problem, solved by exponentiated gradient (Kivinen & Warmuth 1997).

Shapes: E experts, B origins, N places, H horizon steps, R rows.
"""

from collections.abc import Sequence

import numpy as np

from deepcity.city.arrays import Doubles, Floats

SHRINKS = (np.inf, 100.0, 30.0, 10.0, 3.0)  # strongest first: in doubt, the prior
_BLOCKS = 5
_STEPS = 300
_PACE = 2.0
_NOTHING = 1e-12


def fit_blend(
    forecast_EBNH: Floats,
    truth_BNH: Floats,
    *,
    prior_E: Sequence[float] | Doubles | None = None,
    shrink: float | None = None,
) -> Doubles:
    """Weights (E,) by which the experts' blend has the least absolute error.

    Args:
        forecast_EBNH: each expert's forecasts, in order of time, for origins none of them learned
            from; rows where an expert says NaN are left out.
        truth_BNH: what was measured, NaN where missing.
        prior_E: the weights believed before any row is seen; None: all experts alike.
        shrink: how many origins that belief is worth; infinite: the prior as it stands.
            None: the best of `SHRINKS` on held-out blocks of origins.

    Raises:
        ValueError: if shapes do not fit, or the prior or the shrinking is not a number that
            can be used.

    >>> said = np.array([[[[1.0]], [[2.0]]], [[[5.0]], [[0.0]]]], np.float32)
    >>> fit_blend(said, said[0], shrink=0.01).round(2).tolist()
    [1.0, 0.0]
    """
    _check(forecast_EBNH, truth_BNH, shrink)
    prior = _prior(prior_E, len(forecast_EBNH))
    if shrink is None:
        shrink = _best_shrink(forecast_EBNH, truth_BNH, prior)
    return _fit(forecast_EBNH, truth_BNH, prior, shrink)


def apply_blend(forecast_EBNH: Floats, weights_E: Doubles) -> Floats:
    """The experts' weighted mean, (B, N, H).

    Where an expert says NaN the others share its weight; NaN where all that have weight do.
    """
    shape = (len(forecast_EBNH),) + (1,) * (forecast_EBNH.ndim - 1)
    weights = np.where(np.isfinite(forecast_EBNH), np.reshape(weights_E, shape), 0.0)
    total = weights.sum(axis=0)
    mean = (weights * np.nan_to_num(forecast_EBNH)).sum(axis=0) / np.where(total > 0, total, 1.0)
    return np.where(total > 0, mean, np.nan).astype(np.float32)


def _check(forecast_EBNH: Floats, truth_BNH: Floats, shrink: float | None) -> None:
    if forecast_EBNH.shape[1:] != truth_BNH.shape or not len(forecast_EBNH):
        msg = (
            f"experts say shape {forecast_EBNH.shape}, the truth has {truth_BNH.shape}; "
            "stack one forecast of the truth's shape for each expert"
        )
        raise ValueError(msg)
    if shrink is not None and not shrink > 0:
        msg = f"shrink is {shrink}: it must exceed 0; it counts origins the prior is worth"
        raise ValueError(msg)


def _prior(prior_E: Sequence[float] | Doubles | None, experts: int) -> Doubles:
    """The prior as weights that sum to one."""
    if prior_E is None:
        return np.full(experts, 1.0 / experts)
    prior = np.asarray(prior_E, dtype=np.float64)
    if prior.shape != (experts,) or not (np.isfinite(prior) & (prior >= 0)).all():
        msg = f"prior {list(prior_E)}: give {experts} numbers of 0 or more, one an expert"
        raise ValueError(msg)
    if not prior.sum() > 0:
        msg = f"prior {list(prior_E)} trusts no expert: give at least one a number above 0"
        raise ValueError(msg)
    return np.asarray(prior / prior.sum())


def _best_shrink(forecast_EBNH: Floats, truth_BNH: Floats, prior_E: Doubles) -> float:
    """The shrinking that errs least on blocks of origins left out in turn."""
    origins = truth_BNH.shape[0]
    if origins < 2 * _BLOCKS:
        return float("inf")
    block_B = np.arange(origins) * _BLOCKS // origins
    errors = np.zeros(len(SHRINKS))
    for block in range(_BLOCKS):
        out = block_B == block
        for index, shrink in enumerate(SHRINKS):
            weights = _fit(forecast_EBNH[:, ~out], truth_BNH[~out], prior_E, shrink)
            error = np.abs(apply_blend(forecast_EBNH[:, out], weights) - truth_BNH[out])
            errors[index] += np.nansum(error)
    return SHRINKS[int(np.argmin(errors))]


def _fit(forecast_EBNH: Floats, truth_BNH: Floats, prior_E: Doubles, shrink: float) -> Doubles:
    """Exponentiated gradient on the mean error, in units of the prior's own."""
    error_ER = (forecast_EBNH - truth_BNH).reshape(len(prior_E), -1).astype(np.float64)
    error_ER = error_ER[:, np.isfinite(error_ER).all(axis=0)]
    if np.isinf(shrink) or not error_ER.size:
        return prior_E.copy()
    unit = max(float(np.abs(prior_E @ error_ER).mean()), _NOTHING)
    error_ER /= unit
    pull = shrink / truth_BNH.shape[0]
    log_prior = np.log(np.maximum(prior_E, _NOTHING))
    score, mean = log_prior.copy(), np.zeros_like(prior_E)
    for step in range(_STEPS):
        weights = _softmax(score)
        gradient_E = error_ER @ np.sign(weights @ error_ER) / error_ER.shape[1]
        pace = _PACE / (1.0 + pull * _PACE) / np.sqrt(1.0 + step / 20)
        score = score - pace * (gradient_E - gradient_E.min() + pull * (score - log_prior))
        score -= score.max()
        if step >= _STEPS // 2:
            mean += weights / (_STEPS - _STEPS // 2)
    return mean


def _softmax(score_E: Doubles) -> Doubles:
    raised = np.exp(score_E - score_E.max())
    return np.asarray(raised / raised.sum())
