"""What each method cost on the wire and in time: the table behind the bars."""

from dataclasses import dataclass

from deepcity.intercity.results import ServiceResult
from deepcity.serve.report.charts.curves import method_name
from deepcity.serve.report.figures import MISSING, duration, size
from deepcity.serve.report.findings import traffic_of
from deepcity.serve.report.tables import METHODS
from deepcity.serve.report.text import Text


@dataclass(frozen=True)
class Cost:
    """One method's rounds, bytes and time, as written."""

    method: Text
    rounds: str
    total: str
    each_round: str
    seconds: Text


def costs(service: ServiceResult) -> list[Cost]:
    """Every method whose bytes or time are known, in the order of the error table."""
    named = {t.method for t in service.traffic} | set(service.seconds)
    known = [m for m in METHODS if m in named]
    return [_cost(service, method) for method in [*known, *sorted(named - set(METHODS))]]


def _cost(service: ServiceResult, method: str) -> Cost:
    traffic = traffic_of(service, method)
    seconds = duration(service.seconds.get(method))
    if traffic is None:
        return Cost(method_name(method), MISSING, MISSING, MISSING, seconds)
    total = sum(traffic.bytes_by_layer.values())
    each = size(round(total / traffic.rounds)) if traffic.rounds else MISSING
    return Cost(method_name(method), f"{traffic.rounds:,}", size(total), each, seconds)
