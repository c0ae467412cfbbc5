"""How sure a decision may be of what past days alone say."""


def certainty(share: float, days: int) -> float:
    """Probability of what came true on a share of past days, no surer than their number can bear.

    Of n days that all agree (n + 1/2) / (n + 1); 0 where none is known (Krichevsky & Trofimov
    1981, "The performance of universal encoding").

    >>> certainty(1.0, 1), certainty(1.0, 59), certainty(1.0, 0)
    (0.75, 0.9916666666666667, 0.0)
    """
    return (share * days + 0.5) / (days + 1) if days else 0.0
