"""Why a run had nothing to ask for: all that was chosen is done, or none of it can be scored."""

from dataclasses import replace

import duckdb

from agdb import db
from agdb.errors import Refused
from agdb.predict import provider_origin, work, work_file
from agdb.predict.estimate import counts
from agdb.predict.job import Place, Settings, spooled
from agdb.predictors.contract import Scorer

#: What can be done about variants that failed.
_AGAIN = "(--retry-failed asks for them again)"


def why(place: Place, scorer: Scorer, settings: Settings) -> str:
    """What to say of a run whose work list was empty.

    Raises:
        Refused: nothing of what was chosen can be scored; the cure says what is missing.
    """
    if place.database is None:
        return f"nothing to ask for: {_done_of_file(place, scorer, settings)}"
    with db.reading(place.database) as con:
        return f"nothing to ask for: {_done(con, place, scorer, settings)}"


def _done_of_file(place: Place, scorer: Scorer, settings: Settings) -> str:
    """What has become of all variants of a file, whichever shard they are in."""
    assert place.variants is not None
    found = work_file.standing(place.variants, settings.choice, spooled(place, scorer, scorer.computations[-1]))
    told = {
        f"of {place.variants} lie finished in {place.out}": found.scored,
        f"failed there {_AGAIN}": found.failed,
        "are no SNVs, and Atlas holds no others": found.dropped,
    }
    if found.left and not (found.scored or found.failed):
        return f"none of {found.left:,} variants is in this shard"
    return _listed(told) or f"{place.variants} holds no variant"


def _done(con: duckdb.DuckDBPyConnection, place: Place, scorer: Scorer, settings: Settings) -> str:
    """What has become of all that was chosen, whichever shard it is in."""
    last, choice = scorer.computations[-1], replace(settings.choice, shard=None, limit=None)
    n_pending = work.count(con, scorer, last, choice, None)
    n_left = work.count(con, scorer, last, choice, spooled(place, scorer, last))
    found = counts(con, scorer, choice)
    if settings.drawn is not None and not found.scored:
        raise Refused("no variant has a score of this scorer yet", cure=f"agdb predict {scorer.name}")
    told = {
        "variants were scored before": found.scored,
        f"failed before {_AGAIN}": found.failed,
        f"lie finished in {place.spool(last).parent}": n_pending - n_left,
    }
    if any(told.values()):
        return _listed(told) + _by_others(con, scorer, settings)
    if n_left:
        return f"none of {n_left:,} variants is in this shard"
    raise _none(scorer, choice)


def _listed(told: dict[str, int]) -> str:
    return ", ".join(f"{n:,} {what}" for what, n in told.items() if n)


def _by_others(con: duckdb.DuckDBPyConnection, scorer: Scorer, settings: Settings) -> str:
    """Whose scores they are, where another one would have been asked."""
    before = [origin for computation in scorer.computations for origin in provider_origin.stored(con, computation)]
    asked = settings.origin if settings.origin.model else replace(settings.origin, software="alphagenome")
    if not str(settings.origin) or settings.origin.same_model or not before or asked.is_one_of(before):
        return ""
    return f": they are of {provider_origin.told(before)}, not of {asked}"


def _none(scorer: Scorer, choice: work.Choice) -> Refused:
    if all(computation.provider == "atlas" for computation in scorer.computations):
        needed = ", of SNVs: Atlas holds no others"
    else:
        needed = ", and a genome that covers its variants" if scorer.of.reads_genome else ""
    return Refused(
        "no variant can be scored",
        where=choice.where and f"--where {choice.where}",
        cure=f"agdb status shows what is missing: ingest a QTL file{needed}{', and peaks' if choice.in_peaks else ''}"
        + (", or choose others" if choice.where else ""),
    )
