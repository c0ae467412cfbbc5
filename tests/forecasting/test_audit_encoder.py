"""The audit of an agency's encoder: its layers and deep data, beside its own rows, by city file."""

from dataclasses import replace

import numpy as np
import pytest
from little_map import flows, write_city

from deepcity.audit.audit_file import read_audits
from deepcity.audit.effort import FAST
from deepcity.audit.window import audit_layer
from deepcity.data.city_file import load_city, load_panel
from deepcity.data.windows import Span
from deepcity.forecasting import audit_encoder
from deepcity.forecasting.audit_run import AuditRequest, audit_folder
from deepcity.learning.features.agency_columns import ColumnSettings, fit_columns
from deepcity.learning.networks.encoder import EncoderShape, new_encoder
from deepcity.learning.split.encoder_package import (
    EncoderFacts,
    TimeGrid,
    package_encoder,
    save_encoder,
)

LEARNED_DAYS, WIDTH = 24, 2
SMALL = replace(FAST, training_rows=300, attacked_rows=200, mlp_steps=8, mlp_width=8)


@pytest.fixture
def site(tmp_path):
    """The site of an agency, carried elsewhere with its city file and rows."""
    write_city(tmp_path, "east", {"weather": flows(days=36, places=2)})
    city = load_city(tmp_path / "east.toml")
    panel = load_panel(city, "weather")
    settings = ColumnSettings(history=6)
    columns = fit_columns(panel, settings, Span(0, LEARNED_DAYS * 24), "salt")
    encoder = new_encoder(EncoderShape(columns.width, level=3, width=WIDTH), 0)
    until = int(panel.time_T[LEARNED_DAYS * 24])
    fields = tuple((one.name, one.unit) for one in panel.fields)
    facts = EncoderFacts(
        "east", "resources", "weather", "bikes", "salt", fields, 3600, TimeGrid(3600), until
    )
    save_encoder(tmp_path / "site/packages/east.bikes", package_encoder(facts, columns, encoder))
    return tmp_path / "site"


def test_deep_data_reveal_less_than_the_layers_below_them(site, monkeypatch):
    monkeypatch.setattr(audit_encoder, "effort_of", lambda _name: SMALL)
    monkeypatch.setattr(audit_layer, "STREAMS", (1, 6))
    found = audit_folder(site, AuditRequest(city_file=site.parent / "east.toml"))
    assert found.failures == ()
    (audit,) = found.audits
    assert (audit.subject.deep_width, audit.subject.level) == (WIDTH, 3)
    assert read_audits(site, "east/weather").audits == (audit,)
    best = {
        (one.layer, one.stream): max(
            leak.r2
            for leak in audit.windows
            if (leak.layer, leak.stream) == (one.layer, one.stream)
        )
        for one in audit.windows
    }
    assert {layer for layer, _ in best} == {"stem", "h1", "h2", "h3", "bottleneck"}
    assert best["h1", 1] > 0.9
    assert best["bottleneck", 1] < best["h1", 1]
    assert best["bottleneck", 6] > best["bottleneck", 1]  # a stream reveals more


def test_attacked_times_are_none_that_it_learned_from(site, monkeypatch):
    """What is attacked begins where the package says that learning ended."""
    seen = []

    def victim(_encoder, _columns, times_B, learned, *_):
        seen.append((times_B, learned))
        raise KeyboardInterrupt

    monkeypatch.setattr(audit_encoder, "encoder_victim", victim)
    with pytest.raises(KeyboardInterrupt):
        audit_folder(site, AuditRequest(city_file=site.parent / "east.toml"))
    ((times_B, learned),) = seen
    package = audit_encoder.find_encoders(site, [load_city(site.parent / "east.toml")])[0].package
    assert (np.diff(times_B) == 3600).all()
    assert times_B[learned] >= package.facts.learned_until > times_B[learned - 1]
