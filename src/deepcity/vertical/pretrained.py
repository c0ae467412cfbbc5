"""An agency starts vertical training from its encoder of another service.

The whole encoder is reused: stem, h1..hc and bottleneck. So it must be the agency's own, with
the same inputs and outputs; scales and typical days are fitted anew on the rows of this
service. It is not pretrained again, and is trained by gradients like any other.
"""

from pathlib import Path

from deepcity.city.errors import LayerPackageError
from deepcity.learning.features.agency_columns import Columns
from deepcity.learning.networks.encoder import Encoder
from deepcity.learning.networks.reuse import export_layers
from deepcity.learning.split.agency_learner import AgencyLearner
from deepcity.learning.split.encoder_package import EncoderPackage, load_encoder
from deepcity.store.deep_data.batch import moment

Fields = tuple[tuple[str, str], ...]
"""Name and unit of each."""


def load_pretrained(
    learner: AgencyLearner, file: Path, city: str, fields: Fields, until: int
) -> None:
    """Load the encoder of a package into a learner.

    Args:
        file: AGENCY-VERSION.encoder, of any service that the agency took part in.
        fields: those that the agency encodes, in order.
        until: end of the training rows (exclusive), UTC seconds.

    Raises:
        LayerPackageError: if the file is damaged, or with every point that does not fit.
    """
    package, columns = load_encoder(file), learner.columns
    assert isinstance(columns, Columns)
    problems = [
        *_wrong_owner(package, f"{city}/{learner.name}"),
        *_learned_too_late(package, until),
        *_misfits(package, columns, fields, learner.encoder),
    ]
    if problems:
        raise LayerPackageError(
            f"{city}/{learner.name} cannot start from the encoder {file.name}: "
            f"{'; '.join(problems)}. Name one that fits, or leave `encoder` out to pretrain anew"
        )
    learner.start_from(export_layers(package.encoder, package.encoder.layers))


def _wrong_owner(package: EncoderPackage, whose: str) -> list[str]:
    found = f"{package.facts.city}/{package.facts.agency}"
    return [] if found == whose else [f"it belongs to {found}, and a stem stays with its agency"]


def _learned_too_late(package: EncoderPackage, until: int) -> list[str]:
    """Validation and test rows must not have been trained on."""
    learned = package.facts.learned_until
    if learned is None:
        return ["it does not record the end of its training rows: train it again"]
    if learned <= until:
        return []
    return [f"it was trained on rows until {moment(learned)}; here they end at {moment(until)}"]


def _misfits(
    package: EncoderPackage, columns: Columns, fields: Fields, encoder: Encoder
) -> list[str]:
    had, asked = package.settings.model_dump(), columns.settings.model_dump()
    pairs = {key: (had[key], asked[key]) for key in had} | {
        "fields": (_field_list(package.facts.fields), _field_list(fields)),
        "a step in s": (package.facts.step_s, columns.clock.step_s),
        "level": (package.encoder.shape.level, encoder.shape.level),
        "width": (package.encoder.shape.width, encoder.shape.width),
    }
    return [
        f"it has {key} = {old}, the map {new}" for key, (old, new) in pairs.items() if old != new
    ]


def _field_list(fields: Fields) -> str:
    return ", ".join(f"{name} ({unit})" for name, unit in fields)
