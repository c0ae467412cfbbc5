"""Answers to requests for a forecast: each is made once, however many ask for it."""

from collections.abc import Callable
from dataclasses import dataclass

from fastapi import Request, Response
from starlette.background import BackgroundTask

from deepcity.live.application import LiveApplication, LiveForecast
from deepcity.live.arrow import ARROW
from deepcity.live.decisions import DecisionLog
from deepcity.web.api.answer_cache import AnswerCache
from deepcity.web.api.answers import forecast_arrow, forecast_json
from deepcity.web.api.questions import place_numbers, seconds_of
from deepcity.web.api.refusals import Refusal


@dataclass(frozen=True)
class ForecastQuery:
    """A forecast that is asked for; answers are kept by it.

    Attributes:
        moment_s: start of its first step, UTC seconds.
        places: their indices.
        arrow: whether as an Arrow stream.
    """

    moment_s: int
    places: tuple[int, ...]
    steps: int
    arrow: bool


class ForecastAnswers:
    """Makes and keeps answers.

    Args:
        clock: seconds since 1970.
        decisions: where the decision after each forecast is kept; None: nowhere.
    """

    def __init__(
        self,
        application: LiveApplication,
        clock: Callable[[], float],
        decisions: DecisionLog | None = None,
    ) -> None:
        self._application, self._clock, self._decisions = application, clock, decisions
        self._cache = AnswerCache(lambda: application.version)

    def read(
        self, request: Request, at: str | None, place: list[str] | None, steps: int | None
    ) -> ForecastQuery:
        """What a request asks for.

        Raises:
            Refusal: if it cannot be answered.
            LiveError: if no own rows have come yet.
        """
        facts = self._application.package.facts
        chosen, most = place_numbers(facts.places, place), facts.settings.horizon
        if steps is not None and steps > most:
            reason = f"{facts.service} was trained for {most} steps of {facts.step_s} s"
            raise Refusal(422, f"{steps} steps", reason, f"ask for 1 to {most}")
        moment_s = self._application.step_of(seconds_of(at, self._clock))
        arrow = ARROW in request.headers.get("Accept", "")
        return ForecastQuery(moment_s, tuple(chosen), steps or most, arrow)

    async def answer(self, request: Request, query: ForecastQuery) -> Response:
        """The answer, kept or made.

        Raises:
            LiveError: if there is no such forecast.
        """
        made: list[LiveForecast] = []
        found = await self._cache.get(query, lambda: self._make(query, made))
        reply = found.reply(request)
        if self._decisions is not None and made:  # once the answer is on its way
            reply.background = BackgroundTask(
                self._decisions.after_forecast, self._application, made[0]
            )
        return reply

    def _make(self, query: ForecastQuery, made: list[LiveForecast]) -> Response:
        """Forecast and serialise; adds the whole forecast to `made`."""
        whole = self._application.forecast(query.moment_s)
        made.append(whole)
        found, chosen = whole.first(query.steps), list(query.places)
        if query.arrow:
            return forecast_arrow(found, chosen)
        return forecast_json(self._application.package.facts, found, chosen)
