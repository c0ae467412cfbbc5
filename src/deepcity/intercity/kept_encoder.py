"""An agency begins a meeting with the encoder that it has from another service's.

All of it is taken over: the stem, h1..hc and the bottleneck. So it must be the agency's own,
and what it sees and says must be as it learned; scales and typical days are fitted anew on
the rows of this meeting. It does not teach itself first, and follows slopes as any other.
"""

from pathlib import Path

from deepcity.city.errors import LayerPackageError
from deepcity.learning.agency_learner import AgencyLearner
from deepcity.learning.columns import Columns
from deepcity.learning.encoder import Encoder
from deepcity.learning.encoder_package import EncoderPackage, load_encoder
from deepcity.store.deep_data import moment

Fields = tuple[tuple[str, str], ...]
"""Name and unit of each."""


def begin_with(learner: AgencyLearner, file: Path, city: str, fields: Fields, until: int) -> None:
    """Take over the encoder of a package.

    Args:
        learner: which begins with it.
        file: AGENCY-VERSION.encoder, of any service that the agency took part in.
        city: of this meeting.
        fields: what the agency encodes in it, in order.
        until: the first second whose rows are not learned from.

    Raises:
        LayerPackageError: if the file is not to be trusted, or with all that does not fit.
    """
    package, columns = load_encoder(file), learner.columns
    assert isinstance(columns, Columns)
    problems = [
        *_not_its_own(package, f"{city}/{learner.name}"),
        *_too_new(package, until),
        *_misfits(package, columns, fields, learner.encoder),
    ]
    if problems:
        msg = (
            f"{file.name} is no encoder for {city}/{learner.name} to begin with: "
            f"{'; '.join(problems)}. Name one that fits, or leave `encoder` out: then it teaches "
            "itself"
        )
        raise LayerPackageError(msg)
    learner.start_from(
        {
            name: {
                key: value.numpy()
                for key, value in package.encoder.get_submodule(name).state_dict().items()
            }
            for name in package.encoder.layers
        }
    )


def _not_its_own(package: EncoderPackage, whose: str) -> list[str]:
    found = f"{package.facts.city}/{package.facts.agency}"
    return [] if found == whose else [f"it is {found}'s, and a stem stays with its agency"]


def _too_new(package: EncoderPackage, until: int) -> list[str]:
    """What is judged must not have been learned from."""
    learned = package.facts.learned_until
    if learned is None:
        return ["it does not say until when it learned: train it again"]
    if learned <= until:
        return []
    return [f"it learned rows until {moment(learned)}, here they are to end at {moment(until)}"]


def _misfits(
    package: EncoderPackage, columns: Columns, fields: Fields, encoder: Encoder
) -> list[str]:
    had, asked = package.settings.model_dump(), columns.settings.model_dump()
    pairs = {key: (had[key], asked[key]) for key in had} | {
        "fields": (_told(package.facts.fields), _told(fields)),
        "a step in s": (package.facts.step_s, columns.clock.step_s),
        "level": (package.encoder.shape.level, encoder.shape.level),
        "deep": (package.encoder.shape.deep, encoder.shape.deep),
    }
    return [
        f"it has {key} = {old}, asked is {new}" for key, (old, new) in pairs.items() if old != new
    ]


def _told(fields: Fields) -> str:
    return ", ".join(f"{name} ({unit})" for name, unit in fields)
