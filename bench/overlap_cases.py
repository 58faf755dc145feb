"""What is measured of the overlap: agdb's views on a stored database, and the tools that people use, on the same rows.

As in `cases`, each runs in a fresh process, its data in memory (or on the disk, where a tool reads text) before the
clock starts. The questions are asked of associations, since people ask them so:

- any: which associations lie in a peak: found = [rows, sum of their starts];
- pairs: each association with each of its peaks: found = [rows, sum of starts, sum of the peaks' starts];
- best: each association with the strongest of its peaks: found = [rows, sum of starts, sum of the peaks' starts].

The sums make a pair that is lost here and found twice there a difference. A case of a peer imports nothing of agdb: it
runs in the peers' own environment, where their versions of pandas and pyarrow are.
"""

import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from bench.cases import Case, Place
from bench.overlap_shapes import SHAPES

#: What a size's folder holds besides study.duckdb.
ASSOCIATIONS, PEAKS, ASSOCIATIONS_BED, SORTED_BED, PEAKS_BED = (
    "associations.parquet", "peaks.parquet", "associations.bed", "sorted.bed", "peaks.bed",
)  # fmt: skip
SPAN = ("chrom", "start", "end")

Run = Callable[[Place], list[int] | None]
Prepare = Callable[[Place], None] | None

#: What `prepare` loaded for `run`: a process measures one case.
_held: dict[str, Any] = {}

# --- agdb ---

KEY = "assembly, chrom, pos, ref, alt"
ANY = f"SELECT q.source_id, {KEY}, q.gene_id FROM qtl AS q SEMI JOIN variant_in_peak USING ({KEY})"
PAIRS = f"SELECT q.source_id, {KEY}, q.gene_id, p.peak_id FROM qtl AS q JOIN variant_in_peak AS p USING ({KEY})"
BEST = f"""
    SELECT q.source_id, {KEY}, q.gene_id, p.peak_id FROM qtl AS q JOIN (
        SELECT v.assembly, v.chrom, v.pos, v.ref, v.alt, arg_max(peak_id, (signal_value, -peak_id)) AS peak_id
        FROM variant_in_peak AS v JOIN peak USING (peak_id) GROUP BY ALL) AS p USING ({KEY})"""
#: The least that DuckDB can do for `any`: read what it reads, and look one key up in a hash table. No interval test.
PROBE = """
    SELECT count(*) AS n, max(length(q.ref)) AS reach, max(q.alt) AS alt, max(q.gene_id) AS gene
    FROM qtl AS q SEMI JOIN (SELECT chrom_start >> 11 AS bin FROM peak) AS p ON p.bin = q.pos >> 11"""


def load_agdb(place: Place) -> None:
    """The database, open for reading, none of it read yet: the tables of the others are in memory."""
    from agdb import db

    _held["open"] = db.reading(place.stored)  # kept, or it would be closed
    _held["con"] = _held["open"].__enter__()


def _agdb(query: str, peaks: str | None = None) -> Callable[[Place], list[int]]:
    sums = "count(*), sum(pos - 1)::BIGINT" + (", sum(peak.chrom_start)::BIGINT" if peaks else "")

    def run(_: Place) -> list[int]:
        """The question into a temp table."""
        _held["con"].execute(f"CREATE TEMP TABLE found AS {query}")
        return list(_held["con"].execute(f"SELECT {sums} FROM found {peaks or ''}").fetchall()[0])

    return run


def probe(_: Place) -> None:
    """DuckDB's floor."""
    _held["con"].execute(f"CREATE TEMP TABLE found AS {PROBE}")


# --- bedtools: text in, text out ---


def _bedtools(a: str, *options: str) -> Callable[[Place], list[int]]:
    n_fields = 3

    def run(place: Place) -> list[int]:
        """`bedtools intersect` into a file; its sums are made by awk, after it, and take a tenth of its time."""
        home, out = place.stored.parent, place.work / "found.bed"
        with out.open("wb") as file:
            command = ["bedtools", "intersect", "-a", str(home / a), "-b", str(home / PEAKS_BED), *options]
            subprocess.run(command, stdout=file, check=True)
        is_pairs = "-wb" in options
        sums = f"n += 1; s += $2{'; p += $' + str(n_fields + 2) if is_pairs else ''}"
        printed = 'printf "%.0f %.0f", n, s' if not is_pairs else 'printf "%.0f %.0f %.0f", n, s, p'
        program = f"{{ {sums} }} END {{ {printed} }}"
        done = subprocess.run(["awk", "-F", "\t", program, out], capture_output=True, text=True, check=True)
        return [int(value) for value in done.stdout.split()]

    return run


# --- dataframes in memory ---


def load_polars(place: Place) -> None:
    """Both tables as polars frames, 0-based as polars-bio wants it said."""
    import polars
    import polars_bio  # noqa: F401

    for name in (ASSOCIATIONS, PEAKS):
        frame = polars.read_parquet(place.stored.parent / name)
        frame.config_meta.set(  # type: ignore[attr-defined]  # added by polars-bio
            coordinate_system_zero_based=True
        )
        _held[name] = frame


def _polars_bio(how: str) -> Callable[[Place], list[int]]:
    def run(place: Place) -> list[int]:
        import polars_bio

        a, b, cols = _held[ASSOCIATIONS], _held[PEAKS], list(SPAN)
        shared = {"cols1": cols, "cols2": cols, "output_type": "polars.DataFrame"}
        if how == "any":
            found = polars_bio.overlap(a, b, overlap_output="left", distinct_output=True, **shared)
            return [len(found), found["start"].cast(int).sum()]
        found = polars_bio.overlap(a, b, **shared)
        if how == "best":
            found = found.sort("signal_2", "pid_2", descending=[True, False]).unique("rid_1", keep="first")
        return [len(found), found["start_1"].cast(int).sum(), found["start_2"].cast(int).sum()]

    return run


def load_pandas(place: Place) -> None:
    """Both tables as pandas frames."""
    import bioframe  # noqa: F401
    import pandas

    for name in (ASSOCIATIONS, PEAKS):
        _held[name] = pandas.read_parquet(place.stored.parent / name)


def bioframe_pairs(place: Place) -> list[int]:
    """bioframe.overlap."""
    import bioframe

    found = bioframe.overlap(_held[ASSOCIATIONS], _held[PEAKS], how="inner", cols1=SPAN, cols2=SPAN)
    return [len(found), int(found["start"].astype("int64").sum()), int(found["start_"].astype("int64").sum())]


def bioframe_any(place: Place) -> list[int]:
    """bioframe.count_overlaps, and the rows with one."""
    import bioframe

    found = bioframe.count_overlaps(_held[ASSOCIATIONS], _held[PEAKS], cols1=SPAN, cols2=SPAN)
    found = found[found["count"] > 0]
    return [len(found), int(found["start"].astype("int64").sum())]


def load_pyranges(place: Place) -> None:
    """Both tables as PyRanges, whose making is not counted."""
    import pandas
    import pyranges

    names = dict(zip(SPAN, ("Chromosome", "Start", "End"), strict=True))
    for name in (ASSOCIATIONS, PEAKS):
        _held[name] = pyranges.PyRanges(pandas.read_parquet(place.stored.parent / name).rename(columns=names))


def pyranges_any(place: Place) -> list[int]:
    """PyRanges.overlap."""
    found = _held[ASSOCIATIONS].overlap(_held[PEAKS]).df
    return [len(found), int(found["Start"].astype("int64").sum())]


def pyranges_pairs(place: Place) -> list[int]:
    """PyRanges.join."""
    found = _held[ASSOCIATIONS].join(_held[PEAKS]).df
    return [len(found), int(found["Start"].astype("int64").sum()), int(found["Start_b"].astype("int64").sum())]


# --- SQL of giql, on DuckDB ---


def load_giql(place: Place) -> None:
    """Both tables in an in-memory DuckDB, and the SQL that giql makes of the question."""
    import duckdb
    from giql import transpile

    con = duckdb.connect()
    con.execute(f"CREATE TABLE a AS FROM '{place.stored.parent / ASSOCIATIONS}'")
    con.execute(f"CREATE TABLE b AS FROM '{place.stored.parent / PEAKS}'")
    query = 'SELECT a."start" AS s, b."start" AS p FROM a JOIN b ON a.interval INTERSECTS b.interval'
    _held["con"], _held["sql"] = con, transpile(query, tables=["a", "b"], dialect="duckdb")


def giql_pairs(place: Place) -> list[int]:
    """A range join per chromosome, as giql plans it for DuckDB."""
    con = _held["con"]
    plan, _, query = _held["sql"].rpartition(";\n")
    con.execute(plan)
    con.execute(f"CREATE TEMP TABLE found AS {query}")
    return list(con.execute("SELECT count(*), sum(s)::BIGINT, sum(p)::BIGINT FROM found").fetchall()[0])


# --- numpy: the least that a sorted search can do ---


def load_numpy(place: Place) -> None:
    """Starts and ends by chromosome; the peaks sorted, with the furthest end so far."""
    import numpy as np
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    tables = [pq.read_table(place.stored.parent / name, columns=list(SPAN)) for name in (ASSOCIATIONS, PEAKS)]
    by_chrom = []
    for chrom in pc.unique(tables[0]["chrom"]).to_pylist():
        a, b = (table.filter(pc.equal(table["chrom"], chrom)) for table in tables)
        order = np.argsort(b["start"].to_numpy(), kind="stable")
        starts, ends = b["start"].to_numpy()[order], np.maximum.accumulate(b["end"].to_numpy()[order])
        by_chrom.append((a["start"].to_numpy(), a["end"].to_numpy(), starts, ends))
    _held["by_chrom"] = by_chrom


def numpy_any(place: Place) -> list[int]:
    """The last peak that starts before an association ends; does any so far reach beyond its start?"""
    import numpy as np

    n = total = 0
    for start, end, peak_start, furthest in _held["by_chrom"]:
        if len(peak_start):
            last = np.searchsorted(peak_start, end) - 1
            found = (last >= 0) & (furthest[np.maximum(last, 0)] > start)
            n, total = n + int(found.sum()), total + int(start[found].sum(dtype=np.int64))
    return [n, total]


def cases(
    size: str, *, frames: Iterable[str] = ("polars", "pandas", "pyranges", "giql"),
    questions: Iterable[str] = ("any", "pairs", "best"),
) -> dict[str, Case]:  # fmt: skip
    """The cases of one size, in the order of the report; `frames` are the peers that hold such a size in memory."""
    pairs = "JOIN peak USING (peak_id)"
    text, polars, pandas, pyranges = "bedtools", "polars_bio", "bioframe", "pyranges"
    listed: list[tuple[str, str, str, Run, Prepare, str | None]] = [
        ("any", "agdb", "agdb: qtl in variant_in_peak", _agdb(ANY), load_agdb, None),
        ("any", "bedtools", "bedtools intersect -u", _bedtools(ASSOCIATIONS_BED, "-u"), None, text),
        ("any", "bedtools-sorted", "bedtools intersect -u -sorted (sorting not counted)",
         _bedtools(SORTED_BED, "-u", "-sorted"), None, text),
        ("any", "polars", "polars-bio overlap", _polars_bio("any"), load_polars, polars),
        ("any", "pyranges", "pyranges overlap", pyranges_any, load_pyranges, pyranges),
        ("any", "pandas", "bioframe count_overlaps", bioframe_any, load_pandas, pandas),
        ("any", "numpy", "floor: numpy searchsorted, sorted before the clock", numpy_any, load_numpy, "pyarrow"),
        ("any", "probe", "floor: DuckDB scan + one-key hash probe", probe, load_agdb, None),
        ("pairs", "agdb", "agdb: qtl with variant_in_peak", _agdb(PAIRS, pairs), load_agdb, None),
        ("pairs", "bedtools", "bedtools intersect -wa -wb", _bedtools(ASSOCIATIONS_BED, "-wa", "-wb"), None, text),
        ("pairs", "polars", "polars-bio overlap", _polars_bio("pairs"), load_polars, polars),
        ("pairs", "pyranges", "pyranges join", pyranges_pairs, load_pyranges, pyranges),
        ("pairs", "pandas", "bioframe overlap", bioframe_pairs, load_pandas, pandas),
        ("pairs", "giql", "giql on DuckDB", giql_pairs, load_giql, "giql"),
        ("best", "agdb", "agdb: strongest peak of each", _agdb(BEST, pairs), load_agdb, None),
        ("best", "polars", "polars-bio overlap, sort, unique", _polars_bio("best"), load_polars, polars),
    ]  # fmt: skip
    left_out = {"polars", "pandas", "pyranges", "giql"} - set(frames)
    return {
        f"{size}-{question}-{name}": Case(
            f"{size}: {question}", label, run, prepare, None if name == "probe" else question, needs,
            is_peer=needs not in (None, text),
        )
        for question, name, label, run, prepare, needs in listed
        if question in questions and name not in left_out
    }  # fmt: skip


#: 2.4 M associations of one tissue against a DNase experiment and against the DHS index; 70 M of 49 tissues.
SIZES = ("2.4 M x 200 k", "2.4 M x 3.6 M", "70 M x 200 k")
#: polars-bio does not end in 7 minutes where all peaks lie on one base.
_FRAMES = {shape: () if shape == "10 M peaks on one base" else ("polars",) for shape in SHAPES}
CASES = {
    **cases(SIZES[0]), **cases(SIZES[1]),
    **cases(SIZES[2], frames=("polars",)),  # pandas' frames of 70 M rows and pyranges' do not fit beside each other
    **{name: case for shape in SHAPES for name, case in cases(shape, frames=_FRAMES[shape], questions=["any"]).items()},
}  # fmt: skip


def folder(home: Path, size: str) -> Path:
    """Where the inputs of a size lie."""
    return home / size.replace(" ", "_")
