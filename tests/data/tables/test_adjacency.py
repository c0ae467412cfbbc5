"""Graphs of places: matrices and edges, validated against the places."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deepcity.city.errors import ConfigError, DataError
from deepcity.data.city_file import load_panel

pytest_plugins = ["towns"]

CSV = 'format = "csv"\npath = "records.csv"\ntime = { column = "time" }'
GRAPH = '\n[[source]]\nname = "graph"\nformat = "csv"\npath = "graph.csv"\n'
BARE = GRAPH + "header = false\n"
RECORDS = "time,a,b,c\n2024-05-01 00:00,1,2,3\n2024-05-01 01:00,1,2,3\n"


def graphed(town, tmp_path, content, *, source=BARE, places='"all"', keys=""):
    (tmp_path / "graph.csv").write_text(content, encoding="utf-8")
    places += f'\nadjacency = {{ source = "graph"{keys} }}'
    return town(RECORDS, source=CSV + source, places=places)


WEIGHTS = st.lists(
    st.lists(st.floats(0, 1, width=16), min_size=3, max_size=3), min_size=3, max_size=3
)


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(weights=WEIGHTS, order=st.permutations("abc"), size=st.integers(1, 3))
def test_a_matrix_and_its_edges_say_the_same(weights, order, size, town, tmp_path):
    """Whatever places an agency has of those of the records, and in whatever order."""
    chosen = order[:size]
    places = "[" + ", ".join(f'"{name}"' for name in chosen) + "]"
    text = "\n".join(",".join(map(str, row)) for row in weights) + "\n"
    panel = load_panel(graphed(town, tmp_path, text, places=places), "office")
    at = ["abc".index(name) for name in chosen]
    expected = np.array(weights, dtype=np.float32)[np.ix_(at, at)]
    np.testing.assert_array_equal(panel.adjacency_NN, expected)
    named = "x,a,b,c\n" + "\n".join(
        f"{n},{line}" for n, line in zip("abc", text.split(), strict=True)
    )
    panel = load_panel(graphed(town, tmp_path, named, source=GRAPH, places=places), "office")
    np.testing.assert_array_equal(panel.adjacency_NN, expected)
    edges = [f"{a},{b},{weights[i][j]}" for i, a in enumerate("abc") for j, b in enumerate("abc")]
    keys = ', from = "start", to = "end", weight = "w"'
    text = "\n".join(["start,end,w", *edges]) + "\n"
    city = graphed(town, tmp_path, text, source=GRAPH, places=places, keys=keys)
    panel = load_panel(city, "office")
    np.testing.assert_array_equal(panel.adjacency_NN, expected)


def test_an_edge_may_count_both_ways(town, tmp_path):
    keys = ', from = "start", to = "end", symmetric = true'
    city = graphed(town, tmp_path, "start,end\na,b\nb,c\nx,y\n", source=GRAPH, keys=keys)
    panel = load_panel(city, "office")
    np.testing.assert_array_equal(panel.adjacency_NN, [[0, 1, 0], [1, 0, 1], [0, 1, 0]])
    part = panel.between(int(panel.time_T[1]), int(panel.time_T[1]) + 1)
    np.testing.assert_array_equal(part.adjacency_NN, panel.adjacency_NN)


@pytest.mark.parametrize(
    ("content", "source", "keys", "message"),
    [
        ("1,2\n3,4\n", BARE, "", "2 rows and 2 columns for 3 places"),
        ("1,2,3\n3,4,5\n", BARE, "", "2 rows and 3 columns for 3 places"),
        ("0,1,2\n1,0,3\n2,4,0\n", BARE, ", symmetric = true", "3 from b to c, but 4 the other way"),
        ("0,-1,2\n1,0,3\n2,3,0\n", BARE, "", r"'-1': not a weight \(row 1\)"),
        ("0,1,2\n1,0,far\n2,3,0\n", BARE, "", r"'far': not a weight \(row 2\)"),
        ("a,b,d\n0,1,2\n1,0,3\n2,3,0\n", GRAPH, "", "'c': the matrix has no such place"),
        (
            "f,t\na,b\n",
            GRAPH,
            ', from = "f", to = "tt"',
            "'tt': no such column in graph.csv. Did you mean 't'",
        ),
        ("f,t\nx,y\n", GRAPH, ', from = "f", to = "t"', "no edge connects two of the agency's"),
        ("f,t,w\na,b,-3\n", GRAPH, ', from = "f", to = "t", weight = "w"', "'-3': not a weight"),
    ],
)
def test_a_graph_that_does_not_fit_is_reported(content, source, keys, message, town, tmp_path):
    with pytest.raises(DataError, match=message) as caught:
        load_panel(graphed(town, tmp_path, content, source=source, keys=keys), "office")
    blamed = "town.toml: agency[office].adjacency" if "'tt'" in message else "graph.csv: "
    assert str(caught.value.problems[0]).startswith(blamed)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (', from = "f"', "only one of from and to is given"),
        (', weight = "w"', "only an edge list has a weight column"),
        (', wieght = "w"', "unknown key. Did you mean 'weight'"),
    ],
)
def test_settings_that_cannot_be(keys, message, town, tmp_path):
    with pytest.raises(ConfigError, match=message):
        graphed(town, tmp_path, "f,t\na,b\n", keys=keys)


def test_a_graph_that_is_not_there(town):
    places = '"all"\nadjacency = { source = "recrds" }'
    with pytest.raises(ConfigError, match=r"there is no such source\. Did you mean 'records'"):
        town(RECORDS, source=CSV, places=places)
