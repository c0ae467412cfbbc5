"""From a city file and a map to an agency's site: its rows, its cells and its encoder.

All of it happens on the agency's own side. Of the party that it helps it must know two numbers
alone (`AgencyTerms`).
"""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from deepcity.city.arrays import Ints
from deepcity.data.city_file import CityFile, load_panel
from deepcity.data.panel import Panel
from deepcity.data.windows import Span
from deepcity.learning.features.agency_columns import fit_columns
from deepcity.learning.split.agency_learner import AgencyLearner, EncoderSettings
from deepcity.learning.split.encoder_package import EncoderFacts, TimeGrid
from deepcity.maps.city_map import Service
from deepcity.maps.vertical_checks import encoded_fields
from deepcity.maps.vertical_settings import FeaturePartySettings
from deepcity.parties.releases.layer_release import purpose_of
from deepcity.privacy.deep_grant import DeepGrant
from deepcity.vertical.agency_releases import AgencyReleases
from deepcity.vertical.agency_site import AgencySite
from deepcity.vertical.pretrained import load_pretrained

_MAX_ORIGINS = 6000


@dataclass(frozen=True)
class AgencyTerms:
    """What an agency must know of the party that it helps.

    Attributes:
        until: end of the training rows of all (exclusive), UTC seconds.
        horizon_s: how far the party forecasts, seconds.
    """

    until: int
    horizon_s: int


def salt_of(service: Service, city: str) -> str:
    """Shared by a service's agencies of a city, to hash places without a position into cells."""
    return f"{service.settings.name}/{city}"


def build_agency(
    service: Service,
    city: CityFile,
    feature_party: FeaturePartySettings,
    terms: AgencyTerms,
    seed: int,
    home: Path,
    receiver: str = "",
) -> tuple[AgencySite, Panel]:
    """An agency's site, with an encoder that is not yet pretrained, and its records.

    Args:
        receiver: the party whose application it helps; empty: the application's own name.
        home: folder to which a pretrained encoder's file is relative.

    Raises:
        DataError: with the problems of its records.
        LayerPackageError: if it cannot start from the encoder named in the map.
    """
    panel, span = _panel(city, feature_party, terms)
    site = _site(service, city, feature_party, terms, seed, (panel, span), receiver)
    if (file := feature_party.encoder_of(city.city.name)) is not None:
        fields = tuple((known.name, known.unit) for known in panel.fields)
        load_pretrained(site.learner, home / file, city.city.name, fields, terms.until)
        site.pretrained = True
    return site, panel


def _site(
    service: Service,
    city: CityFile,
    feature_party: FeaturePartySettings,
    terms: AgencyTerms,
    seed: int,
    rows: tuple[Panel, Span],
    receiver: str,
) -> AgencySite:
    """An agency's rows and encoder."""
    agency, (panel, span) = city.city.agency(feature_party.agency), rows
    name, salt = service.settings.name, salt_of(service, city.city.name)
    vertical = service.settings.vertical
    assert vertical is not None
    columns = fit_columns(panel, feature_party.columns, span, salt)
    settings = EncoderSettings(
        feature_party.level,
        feature_party.width,
        pretrain_steps=vertical.pretrain_steps,
        defences=feature_party.defences.value(panel.clock.step_s),
    )
    bounds = {"least_level": feature_party.least_level, "widest": feature_party.widest}
    facts = EncoderFacts(
        city=city.city.name,
        domain=agency.domain,
        agency=agency.name,
        service=name,
        salt=salt,
        fields=tuple((known.name, known.unit) for known in panel.fields),
        step_s=panel.clock.step_s,
        grid=TimeGrid(panel.clock.step_s),  # replaced by the application's
        learned_until=terms.until,
        purpose=purpose_of(service.settings),
        any_leakage=feature_party.leakage == "any",
    )
    return AgencySite(
        AgencyLearner(agency.name, columns, settings, seed, terms.horizon_s),
        DeepGrant(agency=agency.name, service=name, **bounds),
        _subsample(panel.time_T[span.start : span.end]),
        facts,
        raw_bytes=panel.values_TNF.nbytes,
        releases=AgencyReleases(
            service.settings,
            city,
            agency.name,
            f"{city.city.name}/{agency.name}",
            receiver,
            feature_party.level,
            settings.defences,
        ),
    )


def _panel(
    city: CityFile, feature_party: FeaturePartySettings, terms: AgencyTerms
) -> tuple[Panel, Span]:
    """An agency's chosen fields, and all its steps before the party's validation span."""
    agency = city.city.agency(feature_party.agency)
    names = {known.name for known in encoded_fields(agency, feature_party)}
    panel = load_panel(city, feature_party.agency)
    chosen = [index for index, known in enumerate(panel.fields) if known.name in names]
    fields = tuple(panel.fields[index] for index in chosen)
    panel = replace(panel, fields=fields, values_TNF=panel.values_TNF[:, :, chosen])
    return panel, Span(0, max(int(np.searchsorted(panel.time_T, terms.until)), 1))


def _subsample(times_T: Ints) -> Ints:
    """Every n-th origin, since neighbours are nearly equal: at most about `_MAX_ORIGINS`."""
    return times_T[:: max(1, len(times_T) // _MAX_ORIGINS)]
