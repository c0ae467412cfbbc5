"""The settings of an agency's graph of places."""

from pydantic import Field, model_validator

from deepcity.data.config.toml_file import Settings, wrong


class AdjacencySettings(Settings):
    """Where an agency's graph of places is read from.

    Attributes:
        source: the source that holds it: a matrix with one row and one column per place
            (without a header in the order of the records' places), or, where `from_` is
            given, an edge list with one row per edge.
        from_, to: columns of an edge's two places (written ``from`` and ``to``).
        weight: column of an edge's weight, 0 or more; by default each edge weighs 1.
        symmetric: whether the graph is undirected: a matrix is checked for symmetry, an edge
            counts both ways. By default a matrix is not checked, and edges are directed.
    """

    source: str
    from_: str | None = Field(default=None, alias="from")
    to: str | None = None
    weight: str | None = None
    symmetric: bool | None = None

    @model_validator(mode="after")
    def _edges_have_two_ends(self) -> "AdjacencySettings":
        if (self.from_ is None) != (self.to is None):
            right = "give both from and to, or neither for a matrix"
            reason = "only one of from and to is given"
            raise wrong(reason, right, "to" if self.to is None else "from")
        if self.weight is not None and self.from_ is None:
            reason = "only an edge list has a weight column"
            raise wrong(reason, "remove it, or give from and to", "weight")
        return self
