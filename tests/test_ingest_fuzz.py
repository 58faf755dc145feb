"""Any damage to any file: it is read as a slow, obvious reader reads it, or refused, and nothing is left behind.

CI runs a few cases a reader, always the same. `AGDB_FUZZ=500 python -m pytest tests/test_ingest_fuzz.py -s` runs 500 a
reader, each time other ones, and tells how many were loaded and refused.
"""

import os
import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import duckdb
import fuzz
import make
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fuzz import Bad, Found, Meaning
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agdb.errors import Refused, UsageError
from agdb.ingest import chain, credible, genes, peaks, predictions, preset, qtl, source, text, variant_list
from agdb.ingest.variant_table import Options

Connection = duckdb.DuckDBPyConnection
N = int(os.environ.get("AGDB_FUZZ", "0"))
FUZZ = settings(
    max_examples=N or 6, deadline=None, derandomize=not N, database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)  # fmt: skip
COUNTS: Counter[tuple[str, str]] = Counter()


@pytest.fixture(scope="module", autouse=True)
def told() -> Iterator[None]:
    """Tell what the cases came to, where many were asked for."""
    yield
    if N:
        for name in sorted({name for name, _ in COUNTS}):
            print(f"{name:36} loaded {COUNTS[name, 'loaded']:6} refused {COUNTS[name, 'refused']:6}")
        print(f"{'all':36} {COUNTS.total():6}")


# --- valid files ---


def tsv(names: str, rows: Sequence[Sequence[object]], sep: str = "\t") -> bytes:
    """A table with a header, whose names are separated by spaces here."""
    return "".join(sep.join(map(str, cells)) + "\n" for cells in [names.split(), *rows]).encode()


def picked(rows: list[make.Row], names: str) -> bytes:
    """Some columns of rows, by name; `new=old` is another name for one."""
    pairs = [(name.partition("=")[0], name.partition("=")[2] or name) for name in names.split()]
    return make.table([{new: row[old] for new, old in pairs} for row in rows])


PAIRS, EGENES = make.pairs_rows(12), make.egenes_rows(12)
SPLICED = [{**row, "phenotype_id": f"chr2:{i}:{i + 9}:clu_1:{row['gene_id']}"} for i, row in enumerate(PAIRS)]
PARTED = [{**row, **dict(zip(("chr", "pos", "ref", "alt", "build"), row["variant_id"].split("_"), strict=True)),
           "tissue": ("Liver", "Lung")[i % 2], "af": f"{0.05 * i + 0.1:.2f}", "rs": f"rs{i}" if i % 3 else "NA"}
          for i, row in enumerate(PAIRS)]  # fmt: skip
STATISTICS = "tss_distance ma_samples ma_count maf pval_nominal slope slope_se"
ALLPAIRS = f"gene_id variant_id {STATISTICS}"
OF_EGENES = (
    "gene_id num_var beta_shape1 beta_shape2 true_df pval_true_df variant_id tss_distance minor_allele_samples "
    "minor_allele_count maf ref_factor pval_nominal slope slope_se pval_perm pval_beta"
)
REF, ALT = "ACGT" * 3, "CGTA" * 3
CATALOGUE = tsv(
    "molecular_trait_id chromosome position ref alt variant ma_samples maf pvalue beta se type ac an r2 "
    "molecular_trait_object_id gene_id median_tpm rsid",
    [[f"ENSG{i // 3:011}", "2", 100 + i, REF[i], ALT[i], f"chr2_{100 + i}_x", 10 + i, 0.1, 1e-3 * (i + 1),
      0.5 - 0.1 * i, 0.2, "SNP", 20, 400, "NA", f"ENSG{i // 3:011}", f"ENSG{i // 3:011}", 5.5, f"rs{i}"]
     for i in range(12)],
)  # fmt: skip
CUSTOM_TSV = tsv(
    "CHR BP A1 A2 EA beta SE P freq peak snp",
    [["2", 200 + i, REF[i], ALT[i], REF[i].lower() if i % 2 else ALT[i], 0.25 * (i - 6) + 0.1, 0.5, 0.01 * (i + 1),
      0.05 * i + 0.02, f"peak {i}", f"rs{i},rs{100 + i}"] for i in range(12)],
)  # fmt: skip


def quoted(data: bytes, *texts: int) -> bytes:
    """A table as R writes it: with commas, and names and texts in quotes."""
    rows = [line.split(b"\t") for line in data.splitlines()]
    return b"".join(
        b",".join(b'"%b"' % cell if row is rows[0] or i in texts else cell for i, cell in enumerate(row)) + b"\n"
        for row in rows
    )


SETS = tsv(
    "molecular_trait_id gene_id cs_id variant rsid cs_size pip pvalue beta se z cs_min_r2 region",
    [[f"ENSG{i // 3:011}", f"ENSG{i // 3:011}", f"ENSG{i // 3:011}_L1", f"chr2_{100 + i}_{REF[i]}_{ALT[i]}", f"rs{i}",
      3, 0.01 * (i + 1), 1e-9, 0.1, 0.2, i - 5.5, 0.9, "chr2:1-9"] for i in range(12)],
)  # fmt: skip
DAPG = picked(PARTED, "tissue_id=tissue gene_id variant_id cluster_pip=maf variant_pip=maf cluster_id=ma_count")
SUSIE = picked(PARTED, "phenotype_id=gene_id variant_id pip=maf af=maf cs_id=ma_count")
VCF = b"##fileformat=VCFv4.2\n##contig=<ID=2,length=242193529>\n" + tsv(
    "#CHROM POS ID REF ALT QUAL FILTER INFO",
    [["2", 100 + i, f"rs{i}" if i % 3 else ".", ["A", "AC", "ACG", "G"][i % 4], ["C", "A,AT", "TCG", "GA"][i % 4], ".",
      "PASS", "AC=1;X=a,b"] for i in range(12)],
)  # fmt: skip
NARROW = make.narrow_rows(12)
DHS = tsv(
    "seqname start end identifier mean_signal numsamples summit core_start core_end component",
    [["chr2", 100 + 90 * i, 180 + 90 * i, f"2.{i}", 1.5 * i, i + 1, 120 + 90 * i, 110 + 90 * i, 130 + 90 * i,
      "Myeloid / erythroid"] for i in range(12)],
)  # fmt: skip
GTF = b"##description: made up\n#!genebuild\n" + b"".join(
    f'chr2\tHAVANA\t{kind}\t{1000 * i + 1}\t{1000 * i + 500}\t.\t{"+-"[i % 2]}\t.\tgene_id "ENSG{i}.1"; gene_type '
    f'"lncRNA"; gene_name "G{i}";\n'.encode()
    for i in range(10)
    for kind in ("gene", "exon")
)
GENES = [[f"ENSG{i}.1", "chr2", 1000 * i + 1, 1000 * i + 500, "+-"[i % 2], f"G{i}", "lncRNA"] for i in range(12)]
GENES_TABLE = tsv("gene_id gene_chr gene_start gene_end strand gene_name biotype", GENES)
GENCODE = make.bed(
    [["chr2", "HAVANA", "gene", str(a), str(b), str(s), str(i), "x", str(n)] for i, _, a, b, s, n, _ in GENES]
)
GENES_BED = make.bed([["chr2", str(1000 * i), str(1000 * i + 500), f"ENSG{i}.1", "0", "+-"[i % 2]] for i in range(12)])
CHAIN = b"".join(
    f"chain {900 - i} chr22 51304566 + {1000 * i} {1000 * i + 330} chr22 50818468 {'+-'[i % 2]} {2000 * i} "
    f"{2000 * i + 325} {i + 1}\n100 10 5\n100 20 20\n100\n\n".encode()
    for i in range(8)
)
ORIGINAL = make.table(make.original_rows(12), sep=",")

# --- what their columns mean ---

_OF_PAIRS = {"variant_id": "variant_id", "gene_id": "gene_id", **{n: n for n in STATISTICS.split()}}
_OF_GENE = {"pval_nominal_threshold": "pval_nominal_threshold", "min_pval_nominal": "min_pval_nominal",
            "pval_beta": "pval_beta"}  # fmt: skip
_OF_EGENES = {
    **{n: n for n in [*fuzz.EGENE, *_OF_PAIRS, "pval_beta", "qval", "pval_nominal_threshold"] if n not in (
        "ma_samples", "ma_count", "biotype")},
    "minor_allele_samples": "ma_samples", "minor_allele_count": "ma_count", "log2_aFC": "log2_afc",
    "log2_aFC_lower": "log2_afc_lower", "log2_aFC_upper": "log2_afc_upper",
}  # fmt: skip
_PARTS = {"chr": "chrom", "variant_pos": "pos", "ref": "ref", "alt": "alt"}
MEANINGS = {
    "gtex_v8_pairs": Meaning(_OF_PAIRS | _OF_GENE, is_strict=True),
    "gtex_v8_egenes": Meaning(_OF_EGENES | _PARTS | {"rs_id_dbSNP151_GRCh38p7": "name"}, is_strict=True),
    "gtex_v8_allpairs": Meaning(_OF_PAIRS | {n: n for n in ("pos", "ref", "alt", "build", "tissue")}
                                | {"chr": "chrom"}, says_build=True),
    "gtex_v8_independent": Meaning(
        {c: f for c, f in _OF_EGENES.items() if f in {*OF_EGENES.split(), "ma_samples", "ma_count"}}
        | {"rank": "signal_rank", "biotype": "biotype"}, is_strict=True),
    "gtex_v8_sqtl": Meaning(
        {c: f for c, f in _OF_PAIRS.items() if c != "gene_id"} | _OF_GENE | {"phenotype_id": "molecular_trait_id"},
        is_strict=True, merges=True,
        derived=lambda v: {"gene_id": v["molecular_trait_id"] and str(v["molecular_trait_id"]).split(":")[-1]}),
    "gtex_v10_pairs": Meaning(
        {c: f for c, f in _OF_PAIRS.items() if c != "maf"} | _OF_GENE | {"af": "af", "phenotype_id": "gene_id",
         "start_distance": "tss_distance"}, is_strict=True, effect="alt"),
    "eqtl_catalogue": Meaning(
        {"molecular_trait_id": "molecular_trait_id", "gene_id": "gene_id", "chromosome": "chrom", "position": "pos",
         "ref": "ref", "alt": "alt", "ma_samples": "ma_samples", "maf": "maf", "pvalue": "pval_nominal",
         "beta": "slope", "se": "slope_se", "rsid": "name"}, merges=True),
    "custom": Meaning(
        {"CHR": "chrom", "BP": "pos", "A1": "ref", "A2": "alt", "EA": "effect_allele", "beta": "slope",
         "SE": "slope_se", "P": "pval_nominal", "freq": "eaf", "peak": "molecular_trait_id", "snp": "name"},
        effect="effect_allele"),
    "eqtl_catalogue_credible": Meaning(
        {"molecular_trait_id": "molecular_trait_id", "phenotype_id": "molecular_trait_id", "gene_id": "gene_id",
         "variant": "variant_id", "variant_id": "variant_id", "rsid": "name", "cs_id": "cs_id", "cs_size": "cs_size",
         "pip": "pip", "z": "z", "posterior_mean": "posterior_mean", "posterior_sd": "posterior_sd"}, merges=True),
    "gtex_dapg": Meaning(
        {"tissue_id": "tissue", "tissue": "tissue", "gene_id": "gene_id", "gene": "gene_id", "cluster_id": "cs_id",
         "cluster": "cs_id", "cluster_pip": "cs_pip", "spip": "cs_pip", "variant_id": "variant_id", "chrom": "chrom",
         "pos": "pos", "ref": "ref", "alt": "alt", "variant_pip": "pip", "pip": "pip"}),
    "susie": Meaning({"gene_id": "gene_id", "phenotype_id": "gene_id", "variant_id": "variant_id", "pip": "pip",
                      "cs_id": "cs_id", "cs_size": "cs_size"}),
    "vcf": Meaning({"CHROM": "chrom", "POS": "pos", "ID": "name", "REF": "ref", "ALT": "alt"}, trait="(variants)"),
    "variant_list": Meaning(
        {"variant_id": "variant_id", "variant": "variant_id", "chrom": "chrom", "chr": "chrom", "chromosome": "chrom",
         "CHROM": "chrom", "pos": "pos", "position": "pos", "POS": "pos", "ref": "ref", "REF": "ref", "alt": "alt",
         "ALT": "alt", "rsid": "name", "rs_id": "name", "name": "name", "ID": "name", "id": "name"},
        trait="(variants)"),
    "original": Meaning({"variant_id": "variant_id", "gene_id": "gene_id", "slope": "label", "ref_score": "ref_value",
                         "alt_score": "alt_value", "delta_pred": "score"}, is_strict=True),
}  # fmt: skip

Told = Callable[[bytes, str, fuzz.Lengths], Found]
Tell = Callable[[fuzz.Table, Meaning, fuzz.Lengths], Found]


def in_liver(meaning: Meaning) -> Meaning:
    """The same for a table that does not name its tissue."""
    if "tissue" in meaning.fields.values() and meaning is not MEANINGS["gtex_v8_allpairs"]:
        return meaning
    return replace(meaning, derived=lambda v: {"tissue": v.get("tissue", "Liver"), **meaning.derived(v)})


def tabled(tell: Tell, read: Callable[[bytes], fuzz.Table] = fuzz.with_header) -> Told:
    """The slow reader of a table with a header."""
    return lambda data, format_, lengths: tell(
        read(data), in_liver(MEANINGS["custom" if format_.startswith("custom") else format_]), lengths
    )


# --- readers ---

Ingest = Callable[[Connection, Path], source.Loaded]


@dataclass(frozen=True)
class Reader:
    """A valid file, how agdb reads it, and what it says, told the slow way."""

    file: str
    data: bytes
    ingest: Ingest
    told: Told
    packed: Callable[[bytes, Path], bytes] | None = None

    @property
    def sep(self) -> bytes:
        """What separates its cells."""
        return b"," if b"," in self.data.split(b"\n")[0] else b"\t"


def shipped(kind: str) -> list[preset.Preset]:
    return [p for p in preset.shipped() if p.kind == kind]


LIVER = Options(tissue="Liver")
MAP = "chrom=CHR,pos=BP,ref=A1,alt=A2,slope=beta,slope_se=SE,pval_nominal=P,eaf=freq,molecular_trait_id=peak,name=snp"


def custom(con: Connection, path: Path) -> source.Loaded:
    how = preset.from_options(
        [MAP], kind="qtl", assembly="GRCh38", effect_allele="EA", effect_unit="log2fc", qtl_type="caqtl"
    )
    return qtl.ingest(con, path, [how], LIVER)


def any_qtl(con: Connection, path: Path) -> source.Loaded:
    names_tissue = path.name.startswith("tissues")
    return qtl.ingest(con, path, shipped("qtl"), Options() if names_tissue else LIVER)


def any_credible(con: Connection, path: Path) -> source.Loaded:
    names_tissue = path.name.startswith("dapg")
    return credible.ingest(con, path, shipped("credible"), Options() if names_tissue else LIVER)


def any_variants(con: Connection, path: Path) -> source.Loaded:
    return variant_list.ingest(con, path, shipped("variants"), Options(assembly="GRCh38"))


def any_peaks(con: Connection, path: Path, *, is_blacklist: bool = False) -> source.Loaded:
    return peaks.ingest(con, path, "K562", "GRCh38", is_blacklist=is_blacklist)


def as_arrow(data: bytes) -> pa.Table:
    """A table of text as columns: numbers where all cells are, else text."""
    rows = [line.split("\t") for line in data.decode("utf-8", "replace").rstrip("\n").split("\n")]
    columns = []
    for i in range(len(rows[0])):
        cells = [row[i] if i < len(row) else "" for row in rows[1:]]
        try:
            columns.append(pa.array([float(cell) if cell else None for cell in cells], pa.float64()))
        except ValueError:
            columns.append(pa.array(cells, pa.string()))
    return pa.table(columns, names=rows[0])


def to_parquet(data: bytes, path: Path) -> bytes:
    pq.write_table(as_arrow(data), path)
    return path.read_bytes()


def to_sqlite(data: bytes, path: Path) -> bytes:
    path.unlink(missing_ok=True)
    table = as_arrow(data)
    with closing(sqlite3.connect(path)) as con:
        names = ", ".join('"' + name.replace('"', '""') + '"' for name in table.column_names)
        con.execute(f"CREATE TABLE dapg ({names})")
        rows = list(zip(*table.to_pydict().values(), strict=True))
        con.executemany(f"INSERT INTO dapg VALUES ({', '.join('?' * table.num_columns)})", rows)
        con.commit()
    return path.read_bytes()


def by_columns(names: list[str], columns: list[list[fuzz.Cell]]) -> fuzz.Table:
    if len(set(names)) < len(names) or not columns:
        raise Bad("a name stands twice")
    cells = [[None if c in fuzz.MISSING else c for c in column] for column in columns]
    return fuzz.Table(names, [(n, list(row)) for n, row in enumerate(zip(*cells, strict=True), 1)], [])


def of_parquet(data: bytes) -> fuzz.Table:
    try:
        table = pq.read_table(pa.BufferReader(data))
        return by_columns(table.column_names, [column.to_pylist() for column in table.columns])
    except (pa.ArrowException, OSError, ValueError) as error:
        raise Bad("no Parquet") from error


def of_sqlite(data: bytes) -> fuzz.Table:
    try:
        with closing(sqlite3.connect(":memory:")) as con:
            con.deserialize(data)
            found = con.execute("SELECT * FROM dapg ORDER BY rowid")
            rows = found.fetchall()
            return by_columns([d[0] for d in found.description], [list(c) for c in zip(*rows, strict=True)])
    except sqlite3.Error as error:
        raise Bad("no SQLite") from error


_QTL, _PIP = tabled(fuzz.associations), tabled(fuzz.fine_mapping)
READERS: dict[str, Reader] = {
    "GTEx v8 pairs": Reader("a.v8.txt", make.table(PAIRS), partial(make.gtex, tissue="Liver"), _QTL),
    "GTEx v8 egenes": Reader("a.v8.txt", make.table(EGENES), partial(make.gtex, tissue="Liver"), _QTL),
    "GTEx v8 all pairs": Reader("a.v8.txt", picked(PAIRS, ALLPAIRS), partial(make.gtex, tissue="Liver"), _QTL),
    "GTEx v8 all pairs, by tissue": Reader(
        "tissues.txt", picked(PARTED, f"{ALLPAIRS} chr pos ref alt build tissue"), any_qtl, _QTL),
    "GTEx v8 independent": Reader(
        "a.v8.txt", picked([{**r, "rank": str(i % 2 + 1)} for i, r in enumerate(EGENES)], f"{OF_EGENES} rank"),
        partial(make.gtex, tissue="Liver"), _QTL),
    "GTEx v8 sQTL": Reader(
        "a.txt", picked(SPLICED, f"variant_id phenotype_id {STATISTICS} {' '.join(_OF_GENE)}"), any_qtl, _QTL),
    "GTEx v10 Parquet": Reader(
        "a.v10.parquet", picked(PARTED, f"gene_id variant_id {STATISTICS.replace('maf', 'af')} {' '.join(_OF_GENE)}"),
        partial(make.gtex, tissue="Liver"), tabled(fuzz.associations, of_parquet), to_parquet),
    "eQTL Catalogue": Reader("a.tsv", CATALOGUE, any_qtl, _QTL),
    "a table of one's own, tabs": Reader("a.tsv", CUSTOM_TSV, custom, _QTL),
    "a table of one's own, commas and quotes": Reader("a.csv", quoted(CUSTOM_TSV, 0, 2, 3, 9, 10), custom, _QTL),
    "credible sets of the eQTL Catalogue": Reader("a.tsv", SETS, any_credible, _PIP),
    "DAP-G, text": Reader("dapg.txt", DAPG, any_credible, _PIP),
    "DAP-G, SQLite": Reader("dapg.db", DAPG, any_credible, tabled(fuzz.fine_mapping, of_sqlite), to_sqlite),
    "SuSiE, text": Reader("a.txt", SUSIE, any_credible, _PIP),
    "SuSiE, Parquet": Reader("a.parquet", SUSIE, any_credible, tabled(fuzz.fine_mapping, of_parquet), to_parquet),
    "VCF": Reader("a.vcf", VCF, any_variants, tabled(fuzz.variant_list)),
    "a list of variants": Reader("a.tsv", picked(PARTED, "chrom=chr pos ref alt rsid=rs"), any_variants,
                                 tabled(fuzz.variant_list)),
    **{
        f"BED{n}": Reader("a.bed", make.bed([[*r[:6], "7", "9", "1,2,3", "2", "9,9,", "0,99,"][:n] for r in NARROW]),
                          any_peaks, fuzz.intervals)
        for n in (3, 4, 6, 9, 12)
    },
    "narrowPeak": Reader("a.narrowPeak", make.bed(NARROW), any_peaks, fuzz.intervals),
    "broadPeak": Reader("a.broadPeak", make.bed([r[:9] for r in NARROW]), any_peaks, fuzz.intervals),
    "narrowPeak of UCSC": Reader("a.txt", make.bed([["585", *r] for r in NARROW]), any_peaks, fuzz.intervals),
    "DHS index": Reader("a.txt", DHS, any_peaks, fuzz.intervals),
    "a blacklist": Reader("a.bed", make.bed([r[:3] for r in NARROW]), partial(any_peaks, is_blacklist=True),
                          fuzz.intervals),
    "GTF": Reader("a.gtf", GTF, partial(genes.ingest, assembly="GRCh38"), fuzz.genes),
    "genes in a table": Reader("a.tsv", GENES_TABLE, partial(genes.ingest, assembly="GRCh38"), fuzz.genes),
    "genes of GENCODE": Reader("a.bed", GENCODE, partial(genes.ingest, assembly="GRCh38"), fuzz.genes),
    "genes in BED6": Reader("a.bed", GENES_BED, partial(genes.ingest, assembly="GRCh38"), fuzz.genes),
    "a chain": Reader("a.chain", CHAIN, chain.ingest, fuzz.chains),
    "the original study's predictions": Reader(
        "a.csv", ORIGINAL, partial(predictions.ingest_original, window_bp=2048, tissue="Liver"), tabled(fuzz.scores)),
}  # fmt: skip

_VARIANT = "chrom::VARCHAR, pos, ref, alt"
STORED = {
    "qtl": f"SELECT s.tissue, {_VARIANT}, gene_id, molecular_trait_id, {', '.join(fuzz.QTL)} "
           "FROM qtl JOIN source AS s USING (source_id)",
    "egene": f"SELECT gene_id, signal_rank, {', '.join(fuzz.EGENE)} FROM egene",
    "credible": f"SELECT s.tissue, {_VARIANT}, gene_id, molecular_trait_id, {', '.join(fuzz.CREDIBLE)} "
                "FROM credible JOIN source AS s USING (source_id)",
    "listed_variant": f"SELECT {_VARIANT}, name FROM listed_variant",
    "label": f"SELECT {_VARIANT}, gene_id, pval_nominal FROM qtl",
    "prediction": f"SELECT {_VARIANT}, score, ref_value, alt_value FROM prediction",
    "peak": "SELECT chrom::VARCHAR, chrom_start, chrom_end, name, score, signal_value, neglog10_p, neglog10_q, summit, "
            "n_samples, component FROM peak",
    "gene": "SELECT gene_id, gene_name, chrom::VARCHAR, chrom_start, chrom_end, strand, biotype FROM gene",
    "chain_block": "SELECT score, chrom::VARCHAR, chrom_start, chrom_end, to_chrom, to_strand, to_start "
                   "FROM chain_block",
}  # fmt: skip
FACTS = ("qtl", "egene", "credible", "listed_variant", "variant", "prediction", "scorer", "peak", "gene", "chain_block",
         "rejected", "source", "run")  # fmt: skip


def lengths_of(con: Connection) -> Mapping[str, int]:
    return dict(con.execute("SELECT chrom::VARCHAR, length FROM contig WHERE assembly = 'GRCh38'").fetchall())


def forget(con: Connection) -> None:
    for name in FACTS:
        con.execute(f"DELETE FROM {name}")


def hold(con: Connection, loaded: source.Loaded, reader: Reader, data: bytes) -> None:
    """What was stored and set aside is what the file says."""
    (format_,) = con.execute("SELECT DISTINCT format FROM source").fetchall()[0]
    wanted = reader.told(data, format_.partition(" ")[0], lengths_of(con))
    for name, rows in wanted.rows.items():
        assert sorted(con.execute(STORED[name]).fetchall(), key=repr) == sorted(rows, key=repr), name
    aside = con.execute("SELECT line, reason, text FROM rejected ORDER BY line").fetchall()
    assert [line for line, *_ in aside] == [a.line for a in wanted.aside]
    for line, reason, written in aside:
        among = [a for a in wanted.aside if a.line == line]
        assert reason in frozenset().union(*(a.reasons for a in among))
        assert written == among[0].text or reader.packed
    assert sum(loaded.rejected.values()) == len(aside)
    told = con.execute("SELECT sum(rows_read) - sum(rows_rejected), sum(rows_rejected) FROM source").fetchall()
    assert told[0][1] in (len(aside), None)


def try_it(con: Connection, reader: Reader, path: Path, data: bytes) -> str:
    """Ingest the file and hold agdb to its word; returns what came of it."""
    forget(con)
    before, found = make.rows_of(con), []
    error = make.refusal(lambda: found.append(reader.ingest(con, path)))
    if error:
        assert isinstance(error, Refused | UsageError)
        assert error.what
        assert "\n" not in error.what
        assert len(str(error)) < 5000
        assert make.rows_of(con) == before
    else:
        hold(con, found[0], reader, data)
    assert [t.name for t in threading.enumerate() if t.name == "unpack"] == []
    return "refused" if error else "loaded"


@pytest.mark.parametrize("name", READERS)
@FUZZ
@given(draw=st.data())
def test_a_damaged_file_is_read_as_it_stands_or_refused(
    con: Connection, tmp_path: Path, fresh_db: Path, name: str, draw: st.DataObject
) -> None:
    reader = READERS[name]
    data = fuzz.damaged(reader.data, draw.draw(fuzz.mutations(reader.sep)))
    pack, spoil = draw.draw(fuzz.packings)
    path = tmp_path / draw.draw(st.sampled_from([reader.file, reader.file, reader.file + ".gz"]))
    try:
        data = spoil(reader.packed(data, path) if reader.packed else pack(data))
    except (sqlite3.Error, pa.ArrowException):  # there can be no such file
        return
    path.write_bytes(data)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text, "CHUNK_BYTES", draw.draw(st.sampled_from([64 << 20, 64 << 20, 1, 60, 200, 1000])))
        COUNTS[name, try_it(con, reader, path, data)] += 1
    assert sorted(p.name for p in fresh_db.parent.iterdir() if not p.name.endswith(".wal")) == [fresh_db.name]


def outcome(con: Connection, reader: Reader, path: Path, chunk: int) -> object:
    """All that an ingest leaves behind and says, with chunks of so many bytes."""
    forget(con)
    found: list[source.Loaded] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text, "CHUNK_BYTES", chunk)
        error = make.refusal(lambda: found.append(reader.ingest(con, path)))
    if error:
        return error.what, error.where, error.cure
    rows = {name: rows for name, rows in make.rows_of(con).items() if name not in ("run", "peak")}
    return rows, con.execute(f"{STORED['peak']} ORDER BY ALL").fetchall(), found[0].rejected, found[0].notes


@pytest.mark.parametrize("name", [name for name, reader in READERS.items() if not reader.packed])
@settings(FUZZ, max_examples=N or 2)
@given(draw=st.data())
def test_the_size_of_the_chunks_changes_nothing(
    con: Connection, tmp_path: Path, name: str, draw: st.DataObject
) -> None:
    reader = READERS[name]
    path = tmp_path / reader.file
    path.write_bytes(fuzz.damaged(reader.data, draw.draw(fuzz.mutations(reader.sep))))
    wanted = outcome(con, reader, path, 64 << 20)
    assert outcome(con, reader, path, draw.draw(st.integers(1, 5000))) == wanted
    COUNTS[f"{name}, in chunks", "refused" if len(wanted) == 3 else "loaded"] += 1  # type: ignore[arg-type]
