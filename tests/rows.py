"""Rows straight into the tables: for the tests of what stands above ingest. Names are short, defaults are plain."""

from collections.abc import Iterable, Sequence

import duckdb
import pyarrow as pa

ASSEMBLY = "GRCh38"


def add_source(
    con: duckdb.DuckDBPyConnection,
    source_id: int,
    kind: str = "qtl",
    *,
    effect: str | None = "slope",
    tissue: str | None = "Lung",
    assembly: str = ASSEMBLY,
    biosample: str | None = None,
) -> None:
    """One row of `source`."""
    con.execute(
        "INSERT INTO source (source_id, kind, format, name, tissue, biosample, assembly, effect, effect_unit, "
        "null_value, "
        "path, sha256, bytes, run_id) VALUES (?, ?, 'test', 'file' || ?, ?, ?, ?, ?, 'unit', 0, 'file', 'sha', 1, 1)",
        [source_id, kind, source_id, tissue, biosample, assembly, effect],
    )


def variant_id(chrom: str, pos: int, ref: str = "A", alt: str = "C") -> str:
    """As the views write it."""
    return f"{chrom}_{pos}_{ref}_{alt}"


def parts(variant: str) -> list[object]:
    """chrom, pos, ref, alt of a `variant_id`."""
    chrom, pos, ref, alt = variant.split("_")
    return [chrom, int(pos), ref, alt]


def add_variants(
    con: duckdb.DuckDBPyConnection,
    variants: Iterable[tuple[str, int, str, str]],
    *,
    assembly: str = ASSEMBLY,
    ref_status: str = "match",
) -> list[str]:
    """Rows of `variant` from (chrom, pos, ref, alt); returns their ids."""
    rows = list(variants)
    insert(con, "variant (assembly, chrom, pos, ref, alt, ref_status)", [[assembly, *v, ref_status] for v in rows])
    return [variant_id(*v) for v in rows]


def add_snvs(con: duckdb.DuckDBPyConnection, n: int, *, ref_status: str = "match", first: int = 1) -> list[str]:
    """n SNVs of chr1, one every 10 bases; returns their ids."""
    return add_variants(con, [("chr1", 10 * (first + i), "A", "C") for i in range(n)], ref_status=ref_status)


def add_qtls(
    con: duckdb.DuckDBPyConnection,
    source_id: int,
    variants: Sequence[str],
    effects: Sequence[float | None],
    *,
    column: str = "slope",
    gene: str | Sequence[str] = "ENSG1",
    assembly: str = ASSEMBLY,
    qval: float | None = None,
) -> None:
    """Rows of `qtl`: one gene, or one each."""
    genes = [gene] * len(variants) if isinstance(gene, str) else gene
    rows = [[source_id, assembly, *parts(v), g, e, qval] for v, g, e in zip(variants, genes, effects, strict=True)]
    insert(con, f"qtl (source_id, assembly, chrom, pos, ref, alt, gene_id, {column}, qval)", rows)


def add_scorer(
    con: duckdb.DuckDBPyConnection,
    scorer_id: str,
    window_bp: int = 100,
    *,
    name: str = "scorer",
    assembly: str = ASSEMBLY,
    reads_genome: bool = False,
    provider: str = "test",
    track_set: str = "",
    track_aggregation: str | None = None,
    computations: Sequence[str] | None = None,
) -> None:
    """One row of `scorer`; those of one name are of one family. Its computation has its id, unless others are named."""
    if computations is None:
        con.execute(
            "INSERT INTO computation VALUES (?, ?, 'model', '1', ?, 'DNASE', ?, NULL, 'DIFF', true, ?)",
            [scorer_id, provider, assembly, window_bp, reads_genome],
        )
    con.execute(
        "INSERT INTO scorer BY NAME SELECT ? AS scorer_id, ? AS name, 'model' AS model, '1' AS model_version, "
        "? AS assembly, 'DNASE' AS output_type, ? AS window_bp, 'DIFF' AS aggregation, ? AS track_set, "
        "true AS is_signed, ? AS reads_genome, json_object('name', ?, 'window_bp', ?)::VARCHAR AS config, "
        "? AS track_aggregation, ? AS computations",
        [scorer_id, name, assembly, window_bp, track_set, reads_genome, name, window_bp, track_aggregation,
         list(computations or [scorer_id])],
    )  # fmt: skip


def add_tracks(con: duckdb.DuckDBPyConnection, *curies: str) -> None:
    """Rows of `track`, numbered from 1."""
    for number, curie in enumerate(curies, 1):
        con.execute(
            "INSERT INTO track (track_id, model, output_type, name, strand, ontology_curie) "
            "VALUES (?, 'model', 'DNASE', ?, '.', ?)",
            [number, f"{curie} DNase-seq", curie],
        )


def add_scores(
    con: duckdb.DuckDBPyConnection,
    computation_id: str,
    variants: Sequence[str],
    scores: Sequence[float],
    *,
    gene: str | None = None,
    assembly: str = ASSEMBLY,
    track: int | None = None,
    tracks: str = "",
) -> None:
    """Rows of `prediction`, of a computation that has the id of its scorer; and of `scored_variant`, once."""
    keys = [[computation_id, assembly, *parts(v)] for v in variants]
    rows = [[*key, gene, track, score] for key, score in zip(keys, scores, strict=True)]
    insert(con, "prediction (computation_id, assembly, chrom, pos, ref, alt, gene_id, track_id, score)", rows)
    con.execute(
        "INSERT INTO scored_variant SELECT DISTINCT computation_id, assembly, chrom, pos, ref, alt, ?, 1 "
        "FROM prediction EXCEPT SELECT * FROM scored_variant",
        [tracks],
    )


def add_peaks(
    con: duckdb.DuckDBPyConnection,
    source_id: int,
    peaks: Iterable[tuple[str, int, int]],
    *,
    assembly: str = ASSEMBLY,
    biosample: str = "K562",
) -> None:
    """Rows of `peak` from (chrom, chrom_start, chrom_end), and their source where it is not there."""
    if not con.execute("SELECT count(*) FROM source WHERE source_id = ?", [source_id]).fetchall()[0][0]:
        add_source(con, source_id, "peaks", effect=None, tissue=None, assembly=assembly, biosample=biosample)
    last = con.execute("SELECT coalesce(max(peak_id), 0) FROM peak").fetchall()[0][0]
    rows = [[last + i, source_id, biosample, assembly, *p] for i, p in enumerate(peaks, 1)]
    insert(con, "peak (peak_id, source_id, biosample, assembly, chrom, chrom_start, chrom_end)", rows)


def add_result(con: duckdb.DuckDBPyConnection, run_id: int, **columns: object) -> None:
    """One row of `result`: the correlation of all pairs, where `columns` say nothing else."""
    ((result_id,),) = con.execute("SELECT count(*) + 1 FROM result").fetchall()
    row = {"result_id": result_id, "run_id": run_id, "label_set": "all", "label": "slope", "source_id": 1,
           "source": "file1", "tissue": "Lung", "scorer_id": "s", "scorer": "scorer", "window_bp": 100, "versus": None,
           "stratification": "all", "stratum": "all", "metric": "spearman", "unit": "pair", "n": 3, "cluster": "mb",
           "method": "test", **columns}  # fmt: skip
    insert(con, f"result ({', '.join(row)})", [list(row.values())])


def insert(con: duckdb.DuckDBPyConnection, into: str, rows: Sequence[Sequence[object]]) -> None:
    """All rows in one statement: row by row is slow."""
    if not rows:
        return
    columns = {f"c{i}": list(values) for i, values in enumerate(zip(*rows, strict=True))}
    con.register("new_rows", pa.table(columns))
    con.execute(f"INSERT INTO {into} SELECT * FROM new_rows")
    con.unregister("new_rows")


def forget(con: duckdb.DuckDBPyConnection) -> None:
    """Empty every table of facts: for properties, which share one database."""
    for table in ("source", "variant", "qtl", "peak", "scorer", "computation", "scored_variant", "prediction",
                  "failure", "track"):  # fmt: skip
        con.execute(f"DELETE FROM {table}")
