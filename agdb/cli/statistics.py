"""agdb stats, labels and explain: results with their intervals, the label sets they are of, and the way back."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agdb.analysis import FEWEST, RESAMPLES, SHIFTS
from agdb.cli.app import say
from agdb.errors import UsageError

if TYPE_CHECKING:
    import duckdb

    from agdb.analysis.run import Asked


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(epilog="Example: agdb stats --labels lead --scorer dnase-k562 --stratify peak")(stats)
    app.command(epilog="Example: agdb labels --add common --where 'maf >= 0.05' --unit variant")(labels)
    app.command(epilog="Example: agdb explain 17")(explain)


#: What `agdb stats` prints for eyes: all rows of a label set and scorer, then what is not defined and why, comparisons,
#: and what to think of before a number is believed. Of several sources of one tissue each line says which it is of.
_OF_RUN = """(
      SELECT * REPLACE (
        tissue || if(min(source_id) OVER t < max(source_id) OVER t, ' (source ' || source_id || ')', '') AS tissue
      ) FROM result WHERE run_id = {run_id} WINDOW t AS (PARTITION BY tissue))"""
_MEASURES = """
    SELECT label_set AS labels, tissue, scorer, window_bp,
           if(stratification = 'all', '', stratification || ': ' || stratum) AS stratum, metric, n,
           n_clusters AS clusters,
           printf('%+.4f', estimate) AS estimate, if(chance IS NULL, '', printf('%.3g', chance)) AS chance,
           if(ci_low IS NULL, '', printf('%+.3f to %+.3f', ci_low, ci_high)) AS "95 % interval",
           if(p IS NULL, '', printf('%.2g', p)) AS p, if(q IS NULL, '', printf('%.2g', q)) AS q,
           if(design_effect IS NULL, '', printf('%.1f', design_effect)) AS deff,
           if(detectable IS NULL, '', printf('%.3f', detectable)) AS detectable, result_id AS result
    FROM {of_run}
    WHERE versus IS NULL AND estimate IS NOT NULL AND {strata}
    ORDER BY result_id"""
_UNDEFINED = """
    WITH undefined AS (
      SELECT label_set, tissue, if(stratification = 'all', '', ', ' || stratification || ': ' || stratum) AS stratum,
             reason,
             scorer || ' ' || format('{{:,}}', window_bp) || ' bp' AS scorer, min(result_id) AS first,
             string_agg(metric, ', ' ORDER BY result_id) AS metrics
      FROM {of_run}
      WHERE versus IS NULL AND estimate IS NULL AND {strata}
      GROUP BY ALL
    )
    SELECT 'not defined: ' || metrics || ': ' || reason || ' (' || label_set || ', ' || tissue || stratum || '; '
             || string_agg(DISTINCT scorer, ', ' ORDER BY scorer) || ')'
    FROM undefined
    GROUP BY label_set, tissue, stratum, reason, metrics
    ORDER BY min(first)"""
_UNBALANCED = """
    SELECT printf('%s, %s, %s %d bp: causal variants and controls differ in %s by %+.2f SD (balanced: below 0.1)',
                  label_set, tissue, scorer, window_bp, replace(metric, 'causal_smd_', ''), estimate)
    FROM {of_run}
    WHERE starts_with(metric, 'causal_smd_') AND abs(estimate) >= 0.1 ORDER BY result_id"""
_UNMATCHED = """
    SELECT printf('%s, %s, %s %d bp: %s', label_set, tissue, scorer, window_bp, split_part(method, 'replacement; ', 2))
    FROM {of_run} WHERE metric = 'causal_matched' AND estimate < 1 ORDER BY result_id"""
_DIFFERENCES = """
    SELECT * FROM {of_run} WHERE versus IS NOT NULL AND {strata} ORDER BY result_id"""
_EXPECTED = """
    SELECT DISTINCT scorer, metric, expected FROM result
    WHERE run_id = {run_id} AND expected IS NOT NULL AND estimate IS NOT NULL ORDER BY ALL"""


# The options of `agdb stats`, which `agdb analyse` has too.

LabelSets = Annotated[
    list[str] | None, typer.Option("--labels", help="Label set by name (agdb labels); may be repeated.")
]
Scorer = Annotated[str | None, typer.Option(help="Only this scorer, by name (agdb status).")]
Window = Annotated[int | None, typer.Option(help="Only this window, in bp.")]
Stratify = Annotated[
    list[str] | None,
    typer.Option(
        help="kind, peak, effect_size, pip, ..., or one of yours, NAME=SQL; may be repeated. Default: all known."
    ),
]
Every = Annotated[bool, typer.Option("--all", help="Print the strata too; they are stored anyhow.")]
Resamples = Annotated[int, typer.Option(min=FEWEST, help="Resamples of the clusters, and flips of their signs.")]
Seed = Annotated[int, typer.Option(min=0, max=2**31 - 1, help="The same seed gives the same numbers.")]
Permutations = Annotated[
    int, typer.Option(min=0, help="Permutations of labels within clusters, for a second p-value; 0: none.")
]
Kendall = Annotated[bool, typer.Option("--kendall", help="Kendall's tau as well.")]
Controls = Annotated[int, typer.Option(min=1, help="Matched controls to a causal variant.")]
Match = Annotated[
    list[str] | None, typer.Option(help="Match controls in this too, e.g. an LD score: NAME=SQL; may be repeated.")
]
Shifts = Annotated[
    int, typer.Option(min=0, help="Shifts of the peaks round their chromosomes, for the overlap's enrichment; 0: none.")
]
Format = Annotated[str, typer.Option("--format", help="table, csv, tsv or json.")]


def stats(
    ctx: typer.Context, label_sets: LabelSets = None, scorer: Scorer = None, window: Window = None,
    stratify: Stratify = None, every: Every = False, resamples: Resamples = RESAMPLES, seed: Seed = 0,
    permutations: Permutations = 0, kendall: Kendall = False, controls: Controls = 1, match: Match = None,
    shifts: Shifts = SHIFTS, format_: Format = "table",
) -> None:  # fmt: skip
    """How well scores agree with effects, with 95 % intervals; stored in `result`, and printed."""
    from agdb import export
    from agdb.analysis import run

    export.check_stream_format(format_)
    what = asked(
        label_sets=label_sets, scorer=scorer, window_bp=window, stratify=stratify, resamples=resamples, seed=seed,
        permutations=permutations, with_kendall=kendall, controls=controls, match=match, shifts=shifts,
    )  # fmt: skip
    show(ctx.obj, run.stats(ctx.obj, what), format_, with_strata=every or bool(stratify))


def asked(**options: Any) -> "Asked":
    """What the options ask for, by the attributes of `Asked`; of one that may be repeated none given is no list."""
    from agdb.analysis.run import Asked

    given: dict[str, Any] = {name: tuple(v) or None if isinstance(v, list) else v for name, v in options.items()}
    return Asked(**given)


def show(path: Path, run_id: int, format_: str, *, with_strata: bool) -> None:
    """Print the results of a run, and what to think of before they are believed."""
    from agdb import db, export

    strata = "true" if with_strata else "stratification = 'all'"
    of_run = _OF_RUN.format(run_id=run_id)
    with db.reading(path) as con:
        if format_ == "table":
            export.to_stream(con, _MEASURES.format(of_run=of_run, strata=strata), "table", sys.stdout.buffer)
            sys.stdout.flush()
            for (line,) in con.execute(_UNDEFINED.format(of_run=of_run, strata=strata)).fetchall():
                typer.echo(line)
            _tell_differences(con, run_id, strata)
        else:
            query = f"SELECT * FROM result WHERE run_id = {run_id} AND {strata} ORDER BY result_id"
            export.to_stream(con, query, format_, sys.stdout.buffer)
        sys.stdout.flush()
        _tell_what_to_think_of(con, run_id)


def _tell_differences(con: "duckdb.DuckDBPyConnection", run_id: int, strata: str) -> None:
    from agdb.analysis.paired import Versus, verdict
    from agdb.query import records

    for row in records(con, _DIFFERENCES.format(of_run=_OF_RUN.format(run_id=run_id), strata=strata)):
        is_scorer = row["stratification"] == "all"
        one = f"{row['scorer']} {row['window_bp']:,} bp" if is_scorer else f"{row['stratification']}: {row['stratum']}"
        other = Versus.parse(row["versus"]).told if is_scorer else row["versus"]
        what = f"{row['label_set']}, {row['tissue']}: {one} against {other}"
        typer.echo(f"{what}: {verdict(row)} (n = {row['n']:,})")


def _tell_what_to_think_of(con: "duckdb.DuckDBPyConnection", run_id: int) -> None:
    """Causal variants without controls, controls that are unlike, what the field has found, and where all of it is."""
    for query, told in ((_UNMATCHED, "causal variants: {}"), (_UNBALANCED, "warning: {}")):
        for (line,) in con.execute(query.format(of_run=_OF_RUN.format(run_id=run_id))).fetchall():
            say(told.format(line))
    for name, metric, band in con.execute(_EXPECTED.format(run_id=run_id)).fetchall():
        say(f"expected of {name}: {metric} {band}; far outside, look for a bug first")
    n, first = con.execute("SELECT count(*), min(result_id) FROM result WHERE run_id = ?", [run_id]).fetchall()[0]
    say(f"{n:,} results stored in table result (run {run_id}, from result {first}); agdb explain RESULT tells more")


def labels(
    ctx: typer.Context,
    add: Annotated[str | None, typer.Option("--add", help="Store a label set of this name.")] = None,
    label: Annotated[str, typer.Option(help="slope, conditional_slope or pval_nominal.")] = "slope",
    source: Annotated[
        list[int] | None, typer.Option(help="Only this QTL source, by number (agdb status); may be repeated.")
    ] = None,
    where: Annotated[str | None, typer.Option(help="SQL over the columns of view analysed_qtl.")] = None,
    unit: Annotated[str, typer.Option(help="pair, or variant: its association with the smallest p-value.")] = "pair",
    cluster: Annotated[str, typer.Option(help="Drawn as a whole: block (of linkage, or 1 Mb), gene, chrom.")] = "block",
    pool: Annotated[
        bool, typer.Option("--pool", help="All its sources together, e.g. tissues; else one after the other.")
    ] = False,
    about: Annotated[str, typer.Option(help="What it is for.")] = "",
    remove: Annotated[str | None, typer.Option("--remove", help="Remove a label set that no result refers to.")] = None,
) -> None:
    """List the label sets: which associations are analysed, and what is one observation. Or store one more."""
    from agdb import db, export
    from agdb.analysis import labels

    given = (source, where, about, pool, label != "slope", unit != "pair", cluster != "block")
    if remove is not None and (add is not None or any(given)):
        raise UsageError("--remove takes a name and nothing else", cure=f"agdb labels --remove {remove}")
    if add is None and any(given):
        raise UsageError("these options make a label set", cure="give it a name: agdb labels --add NAME ...")
    if remove is not None:
        with db.writing(ctx.obj, facts=False) as con:
            labels.remove(con, remove)
        say(f"label set {remove} is removed")
        return
    if add is not None:
        new = labels.LabelSet(add, label, tuple(source) if source else None, where, unit, cluster, about, pool)
        with db.writing(ctx.obj, facts=False) as con:
            labels.add(con, new)
        say(f"label set {add} is stored: agdb stats --labels {add}")
        return
    with db.reading(ctx.obj) as con:
        query = (
            "SELECT name, label, source_ids, if(is_pooled, 'pooled', '') AS pooled, condition, unit, cluster, about "
            "FROM label_set ORDER BY created_at, rowid"
        )
        export.to_stream(con, query, "table", sys.stdout.buffer)
    sys.stdout.flush()


def explain(
    ctx: typer.Context, result: Annotated[int, typer.Argument(help="A result_id.", show_default=False)]
) -> None:
    """From a number back to its files: method, SQL of its rows, sources with sha256, versions."""
    from agdb import db
    from agdb.analysis.explain import explain

    with db.reading(ctx.obj) as con:
        for line in explain(con, result):
            typer.echo(line)
