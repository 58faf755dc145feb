"""`agdb stats` against the same done with pandas and scipy in a loop: every measure in every stratum, with intervals.

The study is `bench.data`'s: GTEx's size, order and numbers, scored by SQL. Answers first: agdb's estimates are compared
with the loop's before any time is shown.
"""

from pathlib import Path
from typing import Any

import duckdb

from agdb import db
from agdb.ingest import peaks, qtl
from agdb.ingest.variant_table import Options
from bench.cases import Inputs

Measured = dict[str, Any]

#: Resamples of the loop's bootstrap that are run; its time is that of 2,000, at the same rate.
LOOPS, RESAMPLES = 20, 2_000
#: Associations of the published data, of which 2,000 resamples are asked.
PUBLISHED = 107_229
#: The columns that divide the rows, as the loop has them: made by SQL, without time.
DIVISIONS = ("kind", "peak", "effect_size", "effect_cut", "pip", "tss_distance", "maf", "peak_signal", "summit_distance",  # noqa: E501
             "mhc", "score_decile", "chrom")  # fmt: skip


def build(inputs: Inputs, stored: Path) -> None:
    """The study: associations, peaks, a fine-mapping of a tenth of them, and a score of every variant."""
    db.create(stored)
    with db.writing(stored) as con:
        qtl.gtex(con, inputs.pairs, Options(tissue="Whole_Blood"))
        peaks.ingest(con, inputs.peaks, "K562", "GRCh38")
        score(con, "bench")
        con.execute(
            "INSERT INTO source BY NAME SELECT 99 AS source_id, 'credible' AS kind, 'bench' AS format, 'bench' AS name, "  # noqa: E501
            "'Whole_Blood' AS tissue, 'GRCh38' AS assembly, '' AS path, '' AS sha256, 0 AS bytes, 1 AS run_id"
        )
        con.execute(
            "INSERT INTO credible BY NAME SELECT 99 AS source_id, assembly, chrom, pos, ref, alt, gene_id, "
            "hash(pos, gene_id, 'pip') % 1000 / 1000 AS pip FROM qtl WHERE hash(pos, gene_id) % 10 = 0"
        )


def score(con: duckdb.DuckDBPyConnection, name: str) -> None:
    """A scorer and its score of every variant: a little of the mean slope, the rest of a hash."""
    con.execute("INSERT INTO computation VALUES (?, 'bench', 'model', '1', 'GRCh38', 'DNASE', 501, NULL, 'DIFF', true, "
                "false)", [name])  # fmt: skip
    con.execute(
        "INSERT INTO scorer BY NAME SELECT $name AS scorer_id, $name AS name, 'model' AS model, '1' AS model_version, "
        "'GRCh38' AS assembly, 'DNASE' AS output_type, 501 AS window_bp, 'DIFF' AS aggregation, '' AS track_set, "
        "true AS is_signed, false AS reads_genome, json_object('name', $name)::VARCHAR AS config, [$name] AS computations",  # noqa: E501
        {"name": name},
    )  # fmt: skip
    con.execute(
        "INSERT INTO prediction BY NAME SELECT $name AS computation_id, assembly, chrom, pos, ref, alt, "
        "0.1 * avg(slope) + round((hash(chrom, pos, ref, alt, $name) % 2000001) / 1e6 - 1, 4) AS score "
        "FROM qtl GROUP BY assembly, chrom, pos, ref, alt", {"name": name},
    )  # fmt: skip
    con.execute(
        "INSERT INTO scored_variant SELECT computation_id, assembly, chrom, pos, ref, alt, '', 1 FROM prediction "
        "WHERE computation_id = ?", [name],
    )  # fmt: skip
