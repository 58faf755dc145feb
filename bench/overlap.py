"""The overlap at three sizes: inputs made once, answers compared, every case in fresh processes, interleaved.

- 2.4 M x 200 k: one tissue's significant pairs against a DNase experiment;
- 2.4 M x 3.6 M: the same against an index of all DHS;
- 70 M x 200 k: 49 tissues against a DNase experiment;

and the first of them in the shapes of `overlap_shapes`.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path

from bench.cases import Inputs
from bench.overlap_cases import (
    ASSOCIATIONS,
    ASSOCIATIONS_BED,
    CASES,
    PEAKS,
    PEAKS_BED,
    SIZES,
    SORTED_BED,
    folder,
)
from bench.overlap_shapes import SHAPES
from bench.rounds import Measure, Measured, interleaved

#: Tissues of the largest size, and the genes of the first (in 1,000) that each other one has: 70 M rows of 2.4 M.
TISSUES, GENES_IN_1000 = 49, 587
SPAN = 'chrom, "start", "end"'


def make(home: Path, inputs: Inputs, sizes: Sequence[str]) -> None:
    """The folder of each size: study.duckdb, and the same rows as Parquet and BED; made if they are not there."""
    for size in sizes:
        there = folder(home, size)
        if not there.exists():
            partial = there.with_name(there.name + ".partial")  # renamed when whole
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir(parents=True)
            _build(size, home, inputs, partial / "study.duckdb")
            _export(partial)
            partial.rename(there)


def _build(size: str, home: Path, inputs: Inputs, stored: Path) -> None:
    from agdb import db
    from agdb.ingest import peaks, qtl
    from agdb.ingest.variant_table import Options

    if size not in SIZES[:2]:
        shutil.copyfile(folder(home, SIZES[0]) / "study.duckdb", stored)
        if size == SIZES[2]:
            _more_tissues(stored)
        else:
            with db.writing(stored) as con:
                for statement in SHAPES[size]:
                    con.execute(statement)
        return
    db.create(stored)
    with db.writing(stored) as con:
        qtl.gtex(con, inputs.pairs, Options(tissue="Whole_Blood"))
        peaks.ingest(con, inputs.peaks if size == SIZES[0] else inputs.many_peaks, "K562", "GRCh38")


def _more_tissues(stored: Path) -> None:
    """Tissues with part of the genes of the first. A third of them have its variants, the others theirs, 1 or 2 bp on.

    By SQL: to ingest 49 files is another benchmark, and takes minutes.
    """
    from agdb import db

    with db.writing(stored) as con:
        for shift in (1, 2):
            con.execute(  # where one of the first tissue lies there already, it is that one
                f"INSERT INTO variant BY NAME SELECT DISTINCT assembly, chrom, pos + {shift} AS pos, ref, alt FROM qtl "
                "WHERE source_id = 1 EXCEPT SELECT assembly, chrom, pos, ref, alt FROM variant"
            )
        for i in range(1, TISSUES):
            con.execute(
                f"INSERT INTO source SELECT * REPLACE ({1000 + i} AS source_id, 'Tissue_{i}' AS tissue, "
                f"name || '_{i}' AS name, sha256 || '_{i}' AS sha256) FROM source WHERE source_id = 1"
            )
            con.execute(
                f"INSERT INTO qtl SELECT * REPLACE ({1000 + i} AS source_id, pos + {i % 3} AS pos) FROM qtl "
                f"WHERE source_id = 1 AND hash(gene_id, {i}) % 1000 < {GENES_IN_1000}"
            )


def _export(there: Path) -> None:
    """The rows that agdb holds, as others read them, under the names that bioframe and polars-bio take by default."""
    from agdb import db

    def write(select: str, name: str, how: str = "(FORMAT csv, DELIMITER '\t', HEADER false)") -> None:
        con.execute(f"COPY ({select}) TO '{there / name}' {how}")

    with db.reading(there / "study.duckdb") as con:
        of_variant = 'chrom::VARCHAR AS chrom, (pos - 1)::INTEGER AS "start", (pos - 1 + length(ref))::INTEGER AS "end"'
        write(f"SELECT row_number() OVER () AS rid, {of_variant} FROM qtl", ASSOCIATIONS, "(FORMAT parquet)")
        of_peak = 'chrom::VARCHAR AS chrom, chrom_start AS "start", chrom_end AS "end"'
        write(f"SELECT peak_id AS pid, {of_peak}, signal_value AS signal FROM peak", PEAKS, "(FORMAT parquet)")
        write(f"SELECT {SPAN} FROM '{there / ASSOCIATIONS}'", ASSOCIATIONS_BED)
        write(f"SELECT {SPAN} FROM '{there / ASSOCIATIONS}' ORDER BY ALL", SORTED_BED)
        write(f"SELECT {SPAN} FROM '{there / PEAKS}' ORDER BY ALL", PEAKS_BED)


def measured(n: int, home: Path, sizes: Sequence[str], measure: Measure) -> dict[str, list[Measured]]:
    """n measurements of each case of these sizes."""
    of_size = {name: size for size in sizes for name in CASES if CASES[name].group.startswith(f"{size}: ")}
    return interleaved(
        n, CASES, of_size, lambda name: ["--stored", str(folder(home, of_size[name]) / "study.duckdb")], measure
    )
