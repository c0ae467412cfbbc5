"""What each method cost on the wire and in time: the table behind the bars."""

from dataclasses import dataclass

from deepcity.runs.results import ServiceResult
from deepcity.web.report.charts.curves import method_name
from deepcity.web.report.figures import MISSING, duration, size
from deepcity.web.report.findings import traffic_of
from deepcity.web.report.tables import METHODS
from deepcity.web.report.text import Text


@dataclass(frozen=True)
class CostRow:
    """One method's rounds, bytes and time, as written."""

    method: Text
    rounds: str
    total: str
    each_round: str
    seconds: Text


def costs(service: ServiceResult) -> list[CostRow]:
    """Every method whose bytes or time are known, in the order of the error table."""
    named = {t.method for t in service.traffic} | set(service.seconds)
    known = [m for m in METHODS if m in named]
    return [_cost(service, method) for method in [*known, *sorted(named - set(METHODS))]]


def _cost(service: ServiceResult, method: str) -> CostRow:
    traffic = traffic_of(service, method)
    seconds = duration(service.seconds.get(method))
    if traffic is None:
        return CostRow(method_name(method), MISSING, MISSING, MISSING, seconds)
    total = sum(traffic.bytes_by_layer.values())
    each = size(round(total / traffic.rounds)) if traffic.rounds else MISSING
    return CostRow(method_name(method), f"{traffic.rounds:,}", size(total), each, seconds)
