"""Places that a table of stations lacks are told at once, and not with every id of the table."""

from hypothesis import given
from hypothesis import strategies as st

from deepcity.city.place import Place
from deepcity.data.places.find_places import _missing


@given(missing=st.integers(1, 60), known=st.integers(0, 500))
def test_one_line_names_the_missing_ids_and_the_size_of_the_table(missing, known):
    ids = [f"m{number}" for number in range(missing)]
    table = {f"station-{number}": Place(f"station-{number}") for number in range(known)}
    (only,) = _missing(ids, 100, table, "city.toml", "agency[metro].places")
    text = str(only)
    assert all(f"{name}," in text or f"{name}'" in text or f"{name} " in text for name in ids[:20])
    assert (f"and {missing - 20} more" in text) == (missing > 20)
    assert f"{known} ids" in text
    assert text.count("station-") <= 4  # three examples, and one that is near
    assert len(text) < 600
