"""What the API takes and gives, as OpenAPI describes it."""

from pydantic import BaseModel, Field


class ErrorEntry(BaseModel):
    """One thing wrong with a request."""

    value: str = Field(examples=["2024-05-01T10:07:00Z"])
    reason: str = Field(examples=["not one of the agreed times, every 900 s"])
    next: str = Field(examples=["see the agency's clock"])


class ErrorList(BaseModel):
    """Everything wrong with a request."""

    errors: list[ErrorEntry]


class DeepRow(BaseModel):
    """Deep data of one cell at one time."""

    time: int = Field(description="seconds since 1970 in UTC", examples=[1714521600])
    cell: str = Field(description="the cell's number in hexadecimal", examples=["8930e1d8c4fffff"])
    vector: list[float] = Field(examples=[[0.12, -0.8, 0.4]])
    known: bool = Field(
        default=True,
        description="false (with a vector of zeros): a correction withdraws these activations",
    )


class DeepRows(BaseModel):
    """Deep data as JSON; `deepcity agent` sends the same columns as a blob of arrays."""

    rows: list[DeepRow]


class AcceptedRows(BaseModel):
    """What became of the rows; the five counts add up to all of them."""

    new: int = Field(examples=[276])
    repeated: int = Field(examples=[0])
    revised: int = Field(description="replaced those of an older revision", examples=[0])
    outdated: int = Field(description="a newer revision is there already", examples=[0])
    expired: int = Field(description="older than deep data are kept: not stored", examples=[0])
    notices: list[ErrorEntry] = Field(description="why rows have expired, and what to do")


class AgencyNow(BaseModel):
    """How an agency stands."""

    name: str = Field(examples=["weather"])
    status: str = Field(examples=["fresh", "late", "no-data", "not-granted", "store-error"])
    version: str = Field(description="of the encoder trained with", examples=["0123456789abcdef"])
    newest: str | None = Field(description="of its deep data", examples=["2024-05-01T10:00:00Z"])
    age_s: int | None = Field(examples=[0])
    limit_s: int = Field(description="older deep data are not used", examples=[7200])
    cells: int = Field(description="cells with deep data in use", examples=[1])
    note: str = Field(examples=[""])
    doubt: dict[str, str | float] | None = Field(
        description="why its deep data are in doubt: a code and its numbers",
        examples=[{"code": "deep_stuck", "hours": 73.0}],
    )


class Agencies(BaseModel):
    """Which agencies' deep data are in use, and which are late."""

    at: str = Field(examples=["2024-05-01T10:00:00Z"])
    agencies: list[AgencyNow]


class PlaceForecast(BaseModel):
    """A place's steps; lists as long as `times`."""

    place: str = Field(examples=["station-1"])
    value: list[float]
    low: list[float]
    high: list[float]


class ForecastAnswer(BaseModel):
    """A forecast, and whom it was made with."""

    at: str = Field(examples=["2024-05-01T10:00:00Z"])
    service: str = Field(examples=["ridership"])
    field: str = Field(examples=["boardings"])
    unit: str = Field(examples=["passengers"])
    step_s: int = Field(examples=[900])
    band: float = Field(
        description="share of measured values that the band should contain", examples=[0.9]
    )
    newest_own_row: str = Field(description="when the newest row of the application's own began")
    own_lag_s: int = Field(description="how late own rows are; 0: none missing", examples=[0])
    used: list[str] = Field(examples=[["weather"]])
    late: list[str] = Field(
        description="agencies whose deep data are late or missing, and not used",
        examples=[["calendar"]],
    )
    agencies: list[AgencyNow]
    times: list[str]
    places: list[PlaceForecast]


class ActionNow(BaseModel):
    """One thing to do."""

    code: str = Field(description="what to do", examples=["warn"])
    place: str = Field(examples=["station-1"])
    at: str = Field(description="when", examples=["2024-05-01T13:00:00Z"])
    numbers: dict[str, float] = Field(
        description="amounts and probabilities by name",
        examples=[{"probability": 0.71, "highest-probability": 0.84, "lead-hours": 3.0}],
    )
    request: str = Field(description="of a plan: the request it answers", examples=[""])
    route: list[str] = Field(description="of a way to drive: the places passed", examples=[[]])


class ReasonNow(BaseModel):
    """Why."""

    code: str = Field(examples=["crossing-likely"])
    numbers: dict[str, float] = Field(examples=[{"threshold": 75.0, "cutoff": 0.33}])
    place: str = Field(description="which it is about; empty: all", examples=[""])


class DecisionAnswer(BaseModel):
    """What the application recommends, and what it rests on; codes and numbers, no sentences."""

    at: str = Field(description="of the forecast", examples=["2024-05-01T10:00:00Z"])
    service: str = Field(examples=["air-warning"])
    application: str = Field(examples=["air-warning"])
    task: str = Field(examples=["forecast", "alert", "plan"])
    unit: str = Field(description="of the numbers that are values", examples=["ug/m3"])
    actions: list[ActionNow] = Field(description="most urgent first; empty: nothing to be done")
    reasons: list[ReasonNow]
    certainty: float = Field(ge=0, le=1, description="probability that it is right")
    valid_until: str = Field(
        description="from then on a new decision is needed", examples=["2024-05-01T11:00:00Z"]
    )
    confirm: str = Field(description="who must", examples=["nobody", "operator", "authority"])
    errors: str = Field(
        description="whose past errors its probabilities rest on: of forecasts with every "
        "agency, with none (some are late), or of the typical day (own rows are late)",
        examples=["all", "no-agency", "typical"],
    )
    own_lag_s: int = Field(description="how late own rows are; 0: none missing", examples=[0])
    used: list[str] = Field(examples=[["weather"]])
    late: list[str] = Field(examples=[["calendar"]])


class Health(BaseModel):
    """Whether it can answer."""

    ready: bool
    service: str = Field(examples=["ridership"])
    package: str = Field(description="version of the trained network")
    reason: str = Field(description="why it is not ready", examples=[""])
