"""Which tracks of a model enter a scorer, and which are kept. They are found by what they are, never by place."""

from collections.abc import Sequence

from agdb.errors import UsageError
from agdb.predictors.contract import Scorer, Track

GTEX = "gtex_tissue="


def columns(tracks: Sequence[Track], track_set: str) -> list[int]:
    """The places of the tracks of a set; `gtex` is every track of a GTEx tissue.

    Raises:
        UsageError: a term of the set has no track.
    """
    if track_set in ("", "all"):
        return list(range(len(tracks)))
    if track_set == "gtex":
        found = [i for i, track in enumerate(tracks) if track.gtex_tissue]
        missing = [] if found else ["gtex_tissue"]
    elif track_set.startswith(GTEX):
        tissue = track_set.removeprefix(GTEX)
        found = [i for i, track in enumerate(tracks) if track.gtex_tissue == tissue]
        missing = [] if found else [tissue]
    else:
        terms = track_set.split(",")
        found = [i for i, track in enumerate(tracks) if track.ontology_curie in terms]
        there = {track.ontology_curie for track in tracks}
        missing = [term for term in terms if term not in there]
    if missing:
        outputs = ", ".join(sorted({track.output_type for track in tracks})) or "such"
        raise UsageError(
            f"the model has no {outputs} track of {', '.join(missing[:5])}",
            cure="agdb sql \"SELECT output_type, ontology_curie, biosample_name, gtex_tissue FROM track\" lists those "
            "that it has, after agdb ingest tracks or a run",
        )  # fmt: skip
    return found


def kept(scorer: Scorer, keep: str | None) -> str:
    """Which tracks' scores are kept: `all`, `gtex`, or the scorer's own.

    A call returns every track, and what is kept need not be asked for again. So all are kept, but for scorers of genes:
    a megabase holds dozens of genes, and 667 tracks of each would fill the disk. `gtex` keeps the 54 GTEx tissues.

    Args:
        scorer: The scorer.
        keep: What the user asked for: `all`, `gtex`, `selected` (the scorer's own); None for the default.
    """
    if not scorer.track_set or keep == "selected":
        return scorer.track_set
    if keep is None:
        return scorer.track_set if scorer.of.aggregation.startswith("GENE_") else "all"
    if keep not in ("all", "gtex"):
        raise UsageError(f"tracks cannot be kept by {keep!r}", cure="--keep all, gtex, or selected")
    if keep == "gtex" and not scorer.track_set.startswith(GTEX):  # its own might not be among them
        raise UsageError(f"{scorer.name} has no GTEx tissue, so that --keep gtex does not keep its tracks",
                         cure="--keep all, or selected")  # fmt: skip
    return keep


def check(tracks: Sequence[Track], scorer: Scorer) -> None:
    """Refuse a scorer whose tracks the model does not have.

    Raises:
        UsageError: a term has no track, or several tracks answer where one number is asked for.
    """
    found = columns(tracks, scorer.track_set)
    if scorer.track_set and scorer.track_aggregation is None and len(found) != 1:
        names = ", ".join(f"{tracks[i].name} ({tracks[i].strand})" for i in found[:5])
        raise UsageError(
            f"{len(found)} tracks are of {scorer.track_set}: {names}",
            cure="say what to make of them: --track-aggregation mean, or max_abs",
        )
