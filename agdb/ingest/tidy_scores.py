"""AlphaGenome's own long form, `tidy_scores(...)` as CSV or Parquet: a row a variant, scorer, gene and track.

What was computed stands in the file: `variant_scorer` names the mask and the formula, `scored_interval` the window. The
scores are kept by track, as those of a run; every scorer that they answer knows them from then on.
"""

import re
from dataclasses import fields, replace
from pathlib import Path

import duckdb

from agdb import db
from agdb.errors import Refused
from agdb.ingest import predictions, rows, scores, source, tracks
from agdb.ingest import variant_table as vt
from agdb.ingest.plan import Rule
from agdb.ingest.preset import named
from agdb.predictors import scorers
from agdb.predictors.contract import Computation, Scorer, Track
from agdb.predictors.tracks import GTEX

#: Scorers whose scores can be told: those of a centre mask, or of the exons of genes. Splice, polyA and contact map
#: scorers have other units; their rows are passed over.
KNOWN = "CenterMaskScorer|GeneMaskLFCScorer|GeneMaskActiveScorer"

#: Columns of `imported` that are not the variant's.
_OF_TRACK = ("output_type", "track_name", "track_strand", "ontology_curie", "biosample_name", "biosample_type",
             "biosample_life_stage", "assay", "data_source", "gtex_tissue")  # fmt: skip
_OF_SCORER = ("variant_scorer", "scored_interval")

_VARIANT = "concat_ws('_', chrom, pos, ref, alt)"
_SHOW = f"concat_ws(' ', {_VARIANT}, scored_interval)"
#: SQL of the ends of `scored_interval`, 0-based half-open.
_START, _END = (f"TRY_CAST(split_part(split_part(scored_interval, ':', 2), '-', {i}) AS INTEGER)" for i in (1, 2))
_RULES = [
    Rule("not_an_interval", "the scored interval is none",
         "scored_interval IS NULL OR NOT regexp_full_match(scored_interval, '[^:]+:[0-9]+-[0-9]+:[-+.]')",
         _SHOW, "tidy_scores writes chr22:35677410-36725986:."),
    Rule("interval_elsewhere", "the scored interval does not hold the variant",
         "NOT coalesce(split_part(scored_interval, ':', 1) = chrom::VARCHAR "
         f"AND pos > {_START} AND pos <= {_END}, false)",
         _SHOW, "a window of what the model read holds the variant: give the original file"),
    Rule("no_track", "a track has no name", "track_name IS NULL OR output_type IS NULL", _VARIANT),
    Rule("strand_unknown", "the strand of a track is not +, - or .",
         "track_strand NOT IN ('+', '-', '.')", f"concat_ws(' ', {_VARIANT}, track_strand)"),
    Rule("score_missing", "a score is missing", "score IS NULL", _VARIANT, is_fatal=False),
]  # fmt: skip


def ingest(
    con: duckdb.DuckDBPyConnection, path: Path, model_version: str, only: str | None, options: vt.Options
) -> source.Loaded:
    """Import the scores of one file.

    Args:
        model_version: Which model computed them; the file does not say. Scores of two versions never mix.
        only: Name of the scorer to make known; None for all presets that the file answers, and scorer `rna` of every
            tissue that has QTLs.

    Raises:
        Refused: the file is not what it has to be, answers no scorer, is of variants that the database does not know,
            or holds other scores than it. The database is as before.
    """
    digest = source.sha256(path)
    with rows.opened(path) as file:
        preset = named("alphagenome_tidy")
        known = f"regexp_matches(variant_scorer, '^({KNOWN})')"
        options = replace(options, where=f"({options.where}) AND {known}" if options.where else known)
        read = vt.VariantTable(file, preset, preset.require(path, file.names), options)
        draft = replace(read.draft(con, "predictions"), format=f"{preset.name} {model_version}".strip())
        if seen := source.already(con, draft, digest):
            return _known_by_now(con, seen, draft, model_version, only)
        there = read.fields
        select = {f: f if f in there else "NULL::VARCHAR" for f in (*_OF_SCORER, *_OF_TRACK)}
        select |= {"track_strand": "coalesce(track_strand, '.')",
                   "gene_id": "gene_key(gene_id)" if "gene_id" in there else "NULL::VARCHAR",
                   "score": "score", "quantile": "quantile" if "quantile" in there else "NULL::DOUBLE"}  # fmt: skip
        with source.loading(con, draft, digest) as loaded:
            counts = predictions.collect(con, read, draft, loaded.source_id, select, _RULES)
            loaded.take(counts, file)
            if counts.passed_over:
                loaded.notes.append(f"{counts.passed_over:,} rows of splice, polyA and other scorers were passed over")
            predictions.known_variants(con, path, draft.assembly)
            computations = _computations(con, path, draft.assembly, model_version)
            n_tracks = _number_tracks(con)
            made = _scorers(con, path, list(computations.values()), only)
            for computation in computations.values():  # also of scores that no scorer asked for reads
                db.add_once(con, "computation", computation.row)
            _fill(con, computations, draft.assembly)
            repeated = scores.store(con, path, made, "all", loaded.run_id)
            loaded.notes.append(f"{n_tracks:,} tracks; {repeated:,} scores were there already; scorers that read them: "
                                f"{_told(made)}")  # fmt: skip
    return loaded


def _known_by_now(
    con: duckdb.DuckDBPyConnection, seen: source.Loaded, draft: source.Draft, model_version: str, only: str | None
) -> source.Loaded:
    """A file that is there already: scorers that its scores answer, and that were not asked for then, or are of tissues
    whose QTLs came after it, are made known.
    """
    stored = con.execute(
        f"SELECT {', '.join(column.name for column in fields(Computation))} FROM computation "
        "WHERE provider = 'import' AND model = 'alphagenome' AND model_version = ? AND assembly = ?",
        [model_version, draft.assembly],
    ).fetchall()
    computations = [Computation(*row) for row in stored]
    con.execute(
        "CREATE OR REPLACE TEMP TABLE imported AS SELECT t.* FROM track AS t SEMI JOIN prediction AS p "
        "ON p.track_id = t.track_id AND p.computation_id IN ?",
        [[c.computation_id for c in computations]],
    )
    known = {id_ for (id_,) in con.execute("SELECT scorer_id FROM scorer").fetchall()}
    new = [s for s in _scorers(con, draft.path, computations, only) if s.scorer_id not in known]
    with db.transaction(con):
        for scorer in new:
            db.add_once(con, "scorer", scorer.row)
    if new:
        seen.notes.append(f"scorers that read it from now on: {_told(new)}")
    return seen


def _told(made: list[Scorer]) -> str:
    return ", ".join(f"{scorer.name} at {scorer.of.window_bp:,} bp" for scorer in made)


_What = tuple[str, str, int]


def _computations(
    con: duckdb.DuckDBPyConnection, path: Path, assembly: str, model_version: str
) -> dict[_What, Computation]:
    """What was computed, by (variant_scorer, output_type, window)."""
    con.execute(f"ALTER TABLE imported ADD COLUMN window_bp INTEGER; UPDATE imported SET window_bp = {_END} - {_START}")
    found = con.execute("SELECT DISTINCT variant_scorer, output_type, window_bp FROM imported ORDER BY ALL").fetchall()
    return {what: _computation(path, what, assembly, model_version) for what in found}


def _computation(path: Path, what: _What, assembly: str, model_version: str) -> Computation:
    scorer, output, window_bp = what
    told = dict(re.findall(r"(\w+)=(\w+)", scorer))
    genes = {"GeneMaskLFCScorer": "GENE_LFC", "GeneMaskActiveScorer": "GENE_ACTIVE"}
    aggregation = genes.get(scorer.partition("(")[0]) or told.get("aggregation_type", "")
    width = told.get("width", "None")
    if aggregation not in scorers.SIGNED or told.get("requested_output", output) != output or not (
        width == "None" or width.isdecimal()
    ):  # fmt: skip
        raise Refused(f"scorer {scorer} of {output} is none that agdb can read", where=str(path),
                      cure=f"--where \"variant_scorer <> '{scorer}'\" leaves its rows out")  # fmt: skip
    return Computation(
        provider="import", model="alphagenome", model_version=model_version, assembly=assembly, output_type=output,
        window_bp=window_bp, mask_bp=int(width) if width.isdecimal() else None, aggregation=aggregation,
        is_signed=scorers.SIGNED[aggregation],
    )  # fmt: skip


def _number_tracks(con: duckdb.DuckDBPyConnection) -> int:
    """Number the tracks of `imported` in temp table `numbered`; returns how many there are."""
    found = con.execute(f"SELECT DISTINCT ON (output_type, track_name, track_strand) {', '.join(_OF_TRACK)} "
                        "FROM imported ORDER BY ALL").fetchall()  # fmt: skip
    ids = tracks.track_ids(con, "alphagenome", (Track(*row) for row in found))
    con.execute("CREATE OR REPLACE TEMP TABLE numbered (track_id INTEGER, output_type VARCHAR, track_name VARCHAR, "
                "track_strand VARCHAR)")  # fmt: skip
    con.executemany("INSERT INTO numbered VALUES (?, ?, ?, ?)",
                    [(number, *row[:3]) for number, row in zip(ids, found, strict=True)])  # fmt: skip
    return len(found)


def _scorers(
    con: duckdb.DuckDBPyConnection, path: Path, computations: list[Computation], only: str | None
) -> list[Scorer]:
    """The scorers that these computations, and the tracks of `imported`, answer.

    Raises:
        Refused: none.
    """
    tissues = con.execute("SELECT DISTINCT tissue FROM source WHERE kind = 'qtl' AND tissue IS NOT NULL ORDER BY 1")
    presets = {**scorers.presets(), **{p.name: p for p in map(scorers.rna, (t for (t,) in tissues.fetchall()))}}
    curies, gtex, outputs = (
        {value for (value,) in con.execute(f"SELECT DISTINCT {c} FROM imported").fetchall()}
        for c in ("output_type || ' ' || ontology_curie", "output_type || ' ' || gtex_tissue", "output_type")
    )

    def has(preset: scorers.Preset) -> bool:
        if preset.tracks == "all":
            return preset.output in outputs
        if preset.tracks.startswith(GTEX):
            return f"{preset.output} {preset.tracks.removeprefix(GTEX)}" in gtex
        return bool(preset.tracks) and all(f"{preset.output} {term}" in curies for term in preset.tracks.split(","))

    made = [
        Scorer(preset.name, (computed,), preset.tracks, preset.of_tracks)
        for preset in presets.values()
        for computed in computations
        if only in (None, preset.name) and has(preset)
        and (preset.output, preset.aggregation, preset.mask_bp)
        == (computed.output_type, computed.aggregation, computed.mask_bp)
    ]  # fmt: skip
    if not made:
        raise Refused(
            f"the file does not answer {only}" if only else "no scorer that agdb knows reads these scores",
            where=str(path), cure="agdb scorers lists what each is computed from; --scorer names one",
        )  # fmt: skip
    return made


def _fill(con: duckdb.DuckDBPyConnection, computations: dict[_What, Computation], assembly: str) -> None:
    """Make temp table `scores` of `imported`."""
    con.execute(
        "CREATE OR REPLACE TEMP TABLE computed "
        "(variant_scorer VARCHAR, output_type VARCHAR, window_bp INTEGER, computation_id VARCHAR)"
    )
    con.executemany("INSERT INTO computed VALUES (?, ?, ?, ?)",
                    [(*what, c.computation_id) for what, c in computations.items()])  # fmt: skip
    con.execute(
        "CREATE OR REPLACE TEMP TABLE scores AS SELECT DISTINCT c.computation_id, ?::assembly_t AS assembly, i.chrom, "
        "i.pos, i.ref, i.alt, i.gene_id, t.track_id, i.score, i.quantile, NULL::DOUBLE AS ref_value, "
        "NULL::DOUBLE AS alt_value FROM imported AS i "
        "JOIN computed AS c USING (variant_scorer, output_type, window_bp) "
        "JOIN numbered AS t USING (output_type, track_name, track_strand)",
        [assembly],
    )
