"""Who gave the scores of a computation. A computation is told by what is computed, and any server or model object may
say that it computes it: so scores of another one than gave those that are there are refused, as they would mix.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass

import duckdb

from agdb.errors import Refused
from agdb.predict.spool import Run
from agdb.predictors import alphagenome_connection
from agdb.predictors.contract import Computation

#: Where Google's service is reached.
GOOGLE = alphagenome_connection.GOOGLE.removeprefix("dns:///")


@dataclass(frozen=True)
class Origin:
    """Who computes.

    Attributes:
        addresses: Servers that are asked.
        model: `module:factory` of a model object; None for an object that was handed over, too.
        same_model: The user says that it is the model whose scores are there, though it is reached otherwise.
        software: Name of the predictor's software, without its version: a newer client is the same model.
    """

    addresses: tuple[str, ...] = ()
    model: str | None = None
    same_model: bool = False
    software: str = ""

    @property
    def arguments(self) -> dict[str, object]:
        """What a run's arguments keep."""
        return {key: value for key, value in asdict(self).items() if key != "software"}

    def __str__(self) -> str:
        return self.model or ", ".join(self.addresses) or self.software

    def is_one_of(self, others: Iterable["Origin"]) -> bool:
        """Whether it is one of others: by its factory or its addresses; where those are not known, by its software."""
        others = list(others)
        has_software = self.software in {other.software for other in others}
        if self.model:
            models = {other.model for other in others if other.model}
            return self.model in models or (has_software and not models)
        known = {address for other in others for address in other.addresses}
        return has_software and (not known or known.issuperset(self.addresses))


def of_run(software: str | None, arguments: str) -> Origin:
    """Who computed in a run."""
    said = json.loads(arguments)
    name = (software or "").partition(" ")[0]
    return Origin(tuple(said.get("addresses", ())), said.get("model"), said.get("same_model", False), name)


def stored(con: duckdb.DuckDBPyConnection, computation: Computation) -> list[Origin]:
    """Who gave the scores of a computation that the database holds."""
    runs = con.execute(
        "SELECT DISTINCT software, arguments FROM run WHERE run_id IN "
        "(SELECT run_id FROM scored_variant WHERE computation_id = ?) ORDER BY ALL",
        [computation.computation_id],
    ).fetchall()
    return [of_run(*run) for run in runs]


def check(run: Run, before: list[Origin], *, cure: str, where: str | None = None) -> None:
    """Refuse the scores of a run where those that are there are of others.

    Raises:
        Refused: it is another server or model object.
    """
    new = of_run(run.software, run.arguments)
    if before and not new.same_model and not new.is_one_of(before):
        raise Refused(
            f"scores of {told(before)} are there, and those of {new} would mix with them", where=where, cure=cure
        )


def told(origins: Iterable[Origin]) -> str:
    """In words, each once."""
    return " and ".join(dict.fromkeys(map(str, origins)))
