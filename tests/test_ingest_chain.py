"""Liftover: the blocks of a chain file, and where variants and intervals go, base by base."""

import gzip
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import duckdb
import make
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import Ask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agdb.errors import Refused, UsageError
from agdb.ingest import chain, peaks, qtl, source, text, variant_list
from agdb.ingest.preset import Preset, from_options, shipped
from agdb.ingest.variant_table import Options

Connection = duckdb.DuckDBPyConnection

#: Lengths of chromosomes as UCSC gives them, so that a chain is told to lift hg19 to hg38.
HG19 = {"chr1": 249_250_621, "chr2": 243_199_373, "chrUn_gl000228": 129_120}
HG38 = {"chr1": 248_956_422, "chr2": 242_193_529, "chrUn_KI270742v1": 186_739}

#: Just before a bin of 131,072 bases ends: what reaches over it lies in two bins.
BORDER = 131_072


class Chain(NamedTuple):
    """A made-up chain: blocks are (size, gap in the first assembly, gap in the second one)."""

    chrom: str
    start: int
    to_chrom: str
    to_start: int
    strand: str
    blocks: tuple[tuple[int, int, int], ...]

    def text(self, number: int, names: str = "chr") -> str:
        end = self.start + sum(size + gap for size, gap, _ in self.blocks)
        to_end = self.to_start + sum(size + gap for size, _, gap in self.blocks)
        head = ["chain", 1000 * number, self.chrom.replace("chr", names), HG19[self.chrom], "+", self.start, end,
                self.to_chrom.replace("chr", names), HG38[self.to_chrom], self.strand, self.to_start, to_end,
                number]  # fmt: skip
        body = ["\t".join(map(str, block)) for block in self.blocks[:-1]] + [str(self.blocks[-1][0])]
        return " ".join(map(str, head)) + "\n" + "\n".join(body) + "\n\n"

    def images(self) -> list[dict[int, int]]:
        """For each block, where each of its bases lies on the + strand of the other assembly: one base at a time."""
        found, t, q = [], self.start, self.to_start
        for size, gap, to_gap in self.blocks:
            image = {}
            for _ in range(size):
                image[t] = q if self.strand == "+" else HG38[self.to_chrom] - 1 - q
                t, q = t + 1, q + 1
            found.append(image)
            t, q = t + gap, q + to_gap
        return found


def write(path: Path, chains: Iterable[Chain], names: str = "chr") -> Path:
    return make.write(path, "".join(c.text(i, names) for i, c in enumerate(chains, 1)).encode())


#: chr1:100-109 and, after a gap of 5, 115-124 go to chr2:1000-1009 and 1012-1021.
PLUS = Chain("chr1", 100, "chr2", 1000, "+", ((10, 5, 2), (10, 0, 0)))
#: chr1:200-219 lie turned round: its last base goes to chr1:248,956,422-500-20.
MINUS = Chain("chr1", 200, "chr1", 500, "-", ((20, 0, 0),))
UNPLACED = Chain("chr1", 300, "chrUn_KI270742v1", 40, "+", ((20, 0, 0),))
TWICE = [Chain("chr1", 400, "chr1", 700, "+", ((20, 0, 0),)), Chain("chr1", 410, "chr2", 900, "+", ((20, 0, 0),))]
ALL = [PLUS, MINUS, UNPLACED, *TWICE]

COMPLEMENT = {"A": "T", "C": "G", "G": "C", "T": "A"}


def other_strand(bases: str) -> str:
    return "".join(COMPLEMENT[base] for base in bases[::-1])


# --- variants and intervals against brute force ---

SEARCH = settings(
    max_examples=60, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip

BLOCKS = st.lists(st.tuples(st.integers(1, 9), st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=4)


@st.composite
def made_up_chains(draw: st.DrawFn) -> list[Chain]:
    """One to three chains that begin within 30 bases of each other, and so may hold the same bases."""
    found = []
    for _ in range(draw(st.integers(1, 3))):
        blocks = draw(BLOCKS)
        blocks[-1] = (blocks[-1][0], 0, 0)
        start = BORDER - 20 + draw(st.integers(0, 30))
        to_chrom, strand = draw(st.sampled_from(["chr1", "chr2", "chrUn_KI270742v1"])), draw(st.sampled_from("+-"))
        chrom = draw(st.sampled_from(["chr1", "chr1", "chr1", "chr2", "chrUn_gl000228"]))
        start = min(start, 100_000) if chrom == "chrUn_gl000228" else start
        found.append(Chain(chrom, start, to_chrom, draw(st.integers(0, 50)), strand, tuple(blocks)))
    return found


Variant = tuple[str, int, str | None, str | None]


def lifted(chains: list[Chain], variant: Variant) -> tuple[str | None, Variant]:
    """(why it is not lifted, or None; the variant as it is then): from where each of its bases goes."""
    chrom, pos, ref, alt = variant
    bases = range(pos - 1, pos - 1 + len(ref or "N"))
    blocks = [(c, image) for c in chains if c.chrom == chrom for image in c.images() if bases[0] in image]
    whole = [(c, [image[base] for base in bases]) for c, image in blocks if all(base in image for base in bases)]
    if not blocks:
        return "lift_unmapped", variant
    if len(whole) != 1:
        return ("lift_multiple" if whole else "lift_split"), variant
    ((to, there),) = whole
    if to.to_chrom not in ("chr1", "chr2"):
        return "lift_other_contig", variant
    better = chains[chains.index(to) + 1 :]  # scores grow with the number of a chain
    if any(c.to_chrom == to.to_chrom and min(there) in image.values() for c in better for image in c.images()):
        return "lift_collision", variant
    if to.strand == "+":
        return None, (to.to_chrom, there[0] + 1, ref, alt)
    if len(ref or "N") != len(alt or "N"):
        return "lift_indel_on_minus_strand", variant
    return None, (to.to_chrom, there[-1] + 1, ref and other_strand(ref), alt and other_strand(alt))


def variants_over(chains: list[Chain]) -> list[Variant]:
    """Variants of every shape at each position that the chains reach, and at some that they do not."""
    found: list[Variant] = []
    for pos in range(BORDER - 22, BORDER + 60):
        ref = (make.BASES * 2)[pos % 100 : pos % 100 + 3]
        other = make.other_base(ref[0])
        shapes = [(ref[0], other), (ref, other + ref[1:]), (ref[:2], other), (ref[0], ref[0] + other), (None, None)]
        found += [("chr1", pos, r, a) for r, a in shapes]
    return found


def stage(con: Connection, names: str, rows: Iterable[tuple[object, ...]]) -> None:
    columns = dict(zip(names.split(), map(list, zip(*rows, strict=True)), strict=True))
    con.register("given", pa.table(columns))
    con.execute(
        "CREATE OR REPLACE TEMP TABLE staged AS SELECT * REPLACE (chrom::chrom_t AS chrom), NULL::VARCHAR AS unfit "
        "FROM given"
    )
    con.unregister("given")


def forget(con: Connection) -> None:
    for table in ("source", "run", "chain_block"):
        con.execute(f"DELETE FROM {table}")


@SEARCH
@given(chains=made_up_chains())
def test_a_variant_goes_where_each_of_its_bases_goes(
    con: Connection, ask: Ask, tmp_path: Path, chains: list[Chain]
) -> None:
    forget(con)
    loaded = chain.ingest(con, write(tmp_path / "a.chain", [*chains, *FAR]))
    given = variants_over(chains)
    stage(con, "chrom pos ref alt", given)
    chain.lift_variants(con, loaded.source_id)
    found = ask("SELECT unfit, (chrom::VARCHAR, pos, ref, alt) FROM staged ORDER BY rowid")
    assert found == [lifted(chains, variant) for variant in given]


#: Chains that hold no variant of the search, so that the lengths of chr1 tell the assemblies whatever is drawn.
FAR = [Chain("chr1", 5_000_000, "chr1", 5_000_000, "+", ((10, 0, 0),))]

Interval = tuple[str, int, int, int | None]


def lifted_interval(chains: list[Chain], interval: Interval) -> tuple[str | None, Interval | None]:
    """(why it is not lifted, or None; the interval there), from where each of its bases goes in each chain."""
    chrom, start, end, summit = interval
    there = []
    for c in chains:
        image = {base: to for block in c.images() for base, to in block.items()} if c.chrom == chrom else {}
        bases = {base: image[base] for base in range(start, end) if base in image}
        if bases:
            there.append((c, bases))
    if not there:
        return "lift_unmapped", None
    fitting = [(c, bases) for c, bases in there if 100 * len(bases) >= 95 * (end - start)]
    if len(fitting) > 1:
        return "lift_multiple", None
    if not fitting:
        enough = 100 * sum(len(bases) for _, bases in there) >= 95 * (end - start)
        return ("lift_split" if enough else "lift_partial"), None
    ((to, bases),) = fitting
    if to.to_chrom not in ("chr1", "chr2"):
        return "lift_other_contig", None
    new_summit = None if summit is None else bases.get(summit)
    return None, (to.to_chrom, min(bases.values()), max(bases.values()) + 1, new_summit)


@SEARCH
@given(chains=made_up_chains())
def test_an_interval_goes_where_most_of_its_bases_go(
    con: Connection, ask: Ask, tmp_path: Path, chains: list[Chain]
) -> None:
    forget(con)
    loaded = chain.ingest(con, write(tmp_path / "a.chain", [*chains, *FAR]))
    given: list[Interval] = [
        ("chr1", start, start + width, start + width // 3 if start % 2 else None)
        for start in range(BORDER - 24, BORDER + 50)
        for width in (1, 4, 20, 21, 47)
    ]
    stage(con, "chrom chrom_start chrom_end summit", given)
    chain.lift_intervals(con, loaded.source_id)
    there = "CASE WHEN unfit IS NULL THEN (chrom::VARCHAR, chrom_start, chrom_end, summit) END"
    assert ask(f"SELECT unfit, {there} FROM staged ORDER BY rowid") == [lifted_interval(chains, i) for i in given]


def test_a_peak_over_many_bins_is_counted_once(con: Connection, ask: Ask, tmp_path: Path) -> None:
    """Of 1 Mb all but the last tenth of a per cent lies in one block: were a pair found in each bin, it were 8 Mb."""
    long = Chain("chr1", 1_000_000, "chr2", 0, "+", ((999_000, 0, 0),))
    loaded = chain.ingest(con, write(tmp_path / "a.chain", [long]))
    stage(con, "chrom chrom_start chrom_end summit", [("chr1", 1_000_000, 2_000_000, 1_500_000)])
    chain.lift_intervals(con, loaded.source_id)
    assert ask("SELECT unfit, chrom, chrom_start, chrom_end, summit FROM staged") == [
        (None, "chr2", 0, 999_000, 500_000)
    ]


# --- the file ---


def test_a_chain_becomes_one_row_a_block(con: Connection, ask: Ask, tmp_path: Path) -> None:
    loaded = chain.ingest(con, write(tmp_path / "a.chain", [PLUS, MINUS]))
    assert (loaded.rows_read, loaded.rows_kept, loaded.notes) == (3, 3, ["lifts GRCh37 to GRCh38"])
    assert ask("SELECT kind, lifted_from, assembly, rows_read, rows_kept FROM source") == [
        ("chain", "GRCh37", "GRCh38", 3, 3)
    ]
    assert ask("FROM chain_block ORDER BY chrom_start") == [
        (1, 1, 1000, "chr1", 100, 110, "chr2", "+", 1000),
        (1, 1, 1000, "chr1", 115, 125, "chr2", "+", 1012),
        (1, 2, 2000, "chr1", 200, 220, "chr1", "-", HG38["chr1"] - 520),
    ]


def test_blocks_of_contigs_that_are_not_primary_are_counted_and_not_kept(
    con: Connection, ask: Ask, tmp_path: Path
) -> None:
    other = Chain("chrUn_gl000228", 10, "chr1", 10, "+", ((5, 1, 1), (5, 0, 0)))
    loaded = chain.ingest(con, write(tmp_path / "a.chain", [PLUS, other]))
    assert (loaded.rows_read, loaded.rows_kept) == (4, 2)
    assert ask("SELECT DISTINCT chrom FROM chain_block") == [("chr1",)]


def test_chromosomes_without_chr_as_ensembl_names_them_are_known(con: Connection, ask: Ask, tmp_path: Path) -> None:
    chain.ingest(con, write(tmp_path / "GRCh37_to_GRCh38.chain", [PLUS], names=""))
    stage(con, "chrom pos ref alt", [("chr1", 101, "A", "C")])
    chain.lift_variants(con, 1)
    assert ask("SELECT unfit, chrom, pos FROM staged") == [(None, "chr2", 1001)]


@pytest.mark.parametrize("packing", ["gzip", "CRLF", "comments and blank lines", "no id"])
def test_however_it_is_written_the_same_blocks_are_read(
    con: Connection, ask: Ask, tmp_path: Path, packing: str
) -> None:
    data = "".join(c.text(i) for i, c in enumerate([PLUS, MINUS], 1)).encode()
    packed = {
        "gzip": gzip.compress(data[:50]) + gzip.compress(data[50:]),
        "CRLF": data.replace(b"\n", b"\r\n"),
        "comments and blank lines": b"#a comment\n\n" + data.replace(b"\n\n", b"\n\n\n# another\n"),
        "no id": data.replace(b" 1\n", b"\n").replace(b" 2\n", b"\n"),
    }
    (tmp_path / "a.chain").write_bytes(packed[packing])
    chain.ingest(con, tmp_path / "a.chain")
    assert ask("SELECT chrom_start, chrom_end, to_start FROM chain_block ORDER BY 1") == [
        (100, 110, 1000), (115, 125, 1012), (200, 220, HG38["chr1"] - 520)
    ]  # fmt: skip


def test_the_same_chain_again_changes_nothing(con: Connection, tmp_path: Path) -> None:
    chain.ingest(con, write(tmp_path / "a.chain", ALL))
    before = make.rows_of(con)
    assert not chain.ingest(con, write(tmp_path / "b.chain", ALL)).is_new
    assert make.rows_of(con) == before


LINES = PLUS.text(1).splitlines() + MINUS.text(2).splitlines()
#: case: (index of the line, what to put there; what the error says, the line that it names).
DAMAGE = {
    "no chain": (0, "chr1\t100\t200", "a chain should begin here: 'chr1 100 200'", 1),
    "a header of 11 cells": (0, LINES[0].rsplit(" ", 2)[0], "a chain should begin here", 1),
    "a word for a number": (0, LINES[0].replace(" 100 ", " many "), "a number of the chain is none", 1),
    "a minus on the first strand": (0, LINES[0].replace("+", "-", 1), "no chain has the strands '-' and '+'", 1),
    "a strand of ?": (4, LINES[4].replace(" - ", " ? "), "no chain has the strands '+' and '?'", 5),
    "end before start": (0, LINES[0].replace(" 100 ", " 900 "), "the chain is empty or reaches beyond", 1),
    "beyond its chromosome": (4, LINES[4].replace(" 500 520 ", " 500 99999999999 "), "reaches beyond", 5),
    "blocks that do not add up": (2, "11", "the blocks of the chain do not add up to its length", 1),
    "a gap that does not add up": (1, "10\t5\t3", "the blocks of the chain do not add up to its length", 1),
    "a block with one gap": (1, "10\t5", "this is no block of a chain: '10 5'", 2),
    "a block with four numbers": (1, "10\t5\t2\t1", "this is no block of a chain: '10 5 2 1'", 2),
    "a block of words": (2, "ten", "this is no block of a chain: 'ten'", 3),
    "a block of no base": (1, "0\t15\t12", "this is no block of a chain: '0 15 12'", 2),
    "a gap that goes back": (1, "10\t-5\t2", "this is no block of a chain: '10 -5 2'", 2),
    "a fraction": (1, "10.5\t5\t2", "this is no block of a chain: '10.5 5 2'", 2),
    "two chains with one id": (4, LINES[4][:-1] + "1", "the id 1 is that of another chain too", 5),
    "two lengths of a chromosome": (4, LINES[4].replace("249250621", "249250622"), "chr1 has another length", 5),
    "a last block that is missing": (2, "10\t0\t0", "this is no block of a chain: 'chain 2000", 5),
}  # fmt: skip


@pytest.mark.parametrize("case", DAMAGE)
def test_a_damaged_chain_is_refused_by_its_line(con: Connection, tmp_path: Path, case: str) -> None:
    at, text, said, line = DAMAGE[case]
    lines = [text if i == at else given for i, given in enumerate(LINES)]
    path = make.write(tmp_path / "a.chain", "\n".join([*lines, ""]).encode())
    before = make.rows_of(con)
    with pytest.raises(Refused) as refusal:
        chain.ingest(con, path)
    assert said in refusal.value.what
    assert (refusal.value.where, refusal.value.cure) == (f"{path}, line {line}", "download it again; nothing was kept")
    assert make.rows_of(con) == before


@pytest.mark.parametrize("whole_lines", [1, 2, 5])
def test_a_chain_that_is_cut_short_is_refused(con: Connection, tmp_path: Path, whole_lines: int) -> None:
    path = make.write(tmp_path / "a.chain", "\n".join([*LINES[:whole_lines], ""]).encode())
    with pytest.raises(Refused, match=r"no block of a chain: '\(the file ends\)'") as refusal:
        chain.ingest(con, path)
    assert refusal.value.where == f"{path}, line {whole_lines}"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "the file is empty"),
        (b"# only a comment\n", "the chain file holds no blocks"),
        (b"\x1f\x8b\x08\x00broken", "the gzip file is cut short or damaged"),
        (b"\xff\xfe\x00", "text in UTF-16"),
    ],
)
def test_what_is_no_chain_is_refused(con: Connection, tmp_path: Path, data: bytes, said: str) -> None:
    path = tmp_path / "a.chain"
    path.write_bytes(data)
    before = make.rows_of(con)
    with pytest.raises(Refused, match=said) as refusal:
        chain.ingest(con, path)
    assert refusal.value.where == str(path)
    assert make.rows_of(con) == before


@pytest.mark.parametrize(
    ("was", "length", "told"),
    [("249250621", "248387328", "chr1 has 248,387,328 bases"), ("248956422", "195471971", "chr1 has 195,471,971")],
)
def test_a_chain_of_an_assembly_that_agdb_does_not_know_is_refused(
    con: Connection, tmp_path: Path, was: str, length: str, told: str
) -> None:
    """T2T-CHM13 and mm10 have such chromosomes."""
    path = make.write(tmp_path / "a.chain", MINUS.text(1).replace(was, length).encode())
    before = make.rows_of(con)
    with pytest.raises(Refused, match=f"of an assembly that agdb does not know .{told}") as refusal:
        chain.ingest(con, path)
    assert refusal.value.where == str(path)
    assert "NCBI36 (hg18), GRCh37 (hg19) and GRCh38 (hg38)" in (refusal.value.cure or "")
    assert make.rows_of(con) == before


# --- lifting at ingest ---

MAPPED = "chrom=c,pos=p,ref=r,alt=a,slope=b,gene_id=g"
BY_COLUMNS = from_options([MAPPED], kind="qtl", assembly="hg19", effect_allele="alt", effect_unit="sd", qtl_type="eqtl")

#: What each row is lifted to, or why it is not.
ROWS = {
    ("chr1", 101, "A", "C"): ("chr2", 1001, "A", "C"),
    ("1", 124, "AC", "A"): ("chr2", 1021, "AC", "A"),
    ("chr1", 125, "AC", "A"): "lift_split",
    ("chr1", 111, "A", "C"): "lift_unmapped",
    ("chr1", 201, "A", "C"): ("chr1", HG38["chr1"] - 500, "T", "G"),
    ("chr1", 203, "AC", "TG"): ("chr1", HG38["chr1"] - 503, "GT", "CA"),
    ("chr1", 206, "A", "AC"): "lift_indel_on_minus_strand",
    ("chr1", 301, "A", "C"): "lift_other_contig",
    ("chr1", 415, "A", "C"): "lift_multiple",
    ("chr2", 101, "A", "C"): "lift_unmapped",
}
COLUMNS = ["c", "p", "r", "a", "b", "g"]
TABLE = [dict(zip(COLUMNS, [*map(str, v), f"{(-1) ** i}.{i}", f"G{i}"], strict=True)) for i, v in enumerate(ROWS)]
PLENTY = [{**TABLE[0], "p": str(101 + i % 10), "g": f"H{i}", "b": f"{(-1) ** i}.5"} for i in range(60)]


def associations(ask: Ask) -> list[tuple[object, ...]]:
    found = "SELECT gene_id, chrom::VARCHAR, pos, ref, alt, slope, assembly FROM association WHERE gene_id[1] = 'G'"
    return ask(f"{found} ORDER BY gene_id")


LIFTED = [
    (f"G{i}", *place, float(f"{(-1) ** i}.{i}"), "GRCh38")
    for i, place in enumerate(ROWS.values())
    if not isinstance(place, str)
]
REASONS = {f"G{i}": why for i, why in enumerate(ROWS.values()) if isinstance(why, str)}


def test_associations_are_lifted_with_their_alleles_and_rejected_by_reason(
    con: Connection, ask: Ask, tmp_path: Path
) -> None:
    path = make.write(tmp_path / "a.tsv", make.table([*TABLE, *PLENTY]))
    loaded = qtl.ingest(con, path, [BY_COLUMNS], Options("LCL", lift=write(tmp_path / "hg19.chain", ALL)))
    assert associations(ask) == LIFTED
    assert (loaded.rows_read, loaded.rows_kept) == (70, 70 - len(REASONS))
    assert ask("SELECT split_part(text, chr(9), 6), reason FROM rejected ORDER BY line") == list(REASONS.items())
    assert ask("SELECT text FROM rejected ORDER BY line LIMIT 1") == [("\t".join(TABLE[2].values()),)]
    lifted_by = "SELECT q.assembly, q.lifted_from, c.kind, c.name FROM source AS q JOIN source AS c ON q.lifted_by = c"
    assert ask(f"{lifted_by}.source_id") == [("GRCh38", "GRCh37", "chain", "hg19.chain")]


def test_a_rejected_row_of_a_parquet_file_keeps_the_position_that_it_had(
    con: Connection, ask: Ask, tmp_path: Path
) -> None:
    rows = [{**row, "p": int(row["p"]), "b": float(row["b"])} for row in [*TABLE, *PLENTY]]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet")
    qtl.ingest(con, tmp_path / "a.parquet", [BY_COLUMNS],
               Options("LCL", lift=write(tmp_path / "hg19.chain", ALL)))  # fmt: skip
    assert associations(ask) == LIFTED
    was = ask("SELECT text->>'gene_id', (text->>'pos')::INTEGER, text->>'ref' FROM rejected ORDER BY line")
    assert was == [(f"G{i}", pos, ref) for i, (_, pos, ref, _) in enumerate(ROWS) if f"G{i}" in REASONS]


@pytest.mark.parametrize("rows_a_part", [1, 200])
def test_of_two_variants_that_lift_to_one_place_that_of_the_better_chain_stays(
    con: Connection, ask: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows_a_part: int
) -> None:
    """Refused as an association that stands twice, the original file could not be ingested at all."""
    monkeypatch.setattr(text, "CHUNK_BYTES", 30 * rows_a_part)
    again = Chain("chr2", 601, "chr2", 1005, "+", ((1, 0, 0),))  # where PLUS has chr1:105
    twice = [{**TABLE[0], "c": c, "p": p, "b": b} for c, p, b in (("chr1", "106", "1.5"), ("chr2", "602", "2.5"))]
    path = make.write(tmp_path / "a.tsv", make.table([*twice, *(row for row in PLENTY if row["p"] != "106")]))
    better = write(tmp_path / "hg19.chain", [*ALL, again])
    loaded = qtl.ingest(con, path, [BY_COLUMNS], Options("LCL", lift=better))
    assert loaded.rejected == {"lift_collision": 1}
    assert ask("SELECT text FROM rejected") == [("\t".join(twice[0].values()),)]
    assert associations(ask) == [("G0", "chr2", 1006, "A", "C", 2.5, "GRCh38")]


def test_a_vcf_of_hg19_becomes_variants_of_hg38(con: Connection, ask: Ask, tmp_path: Path) -> None:
    text = "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\n1\t201\trs1\ta\tC,AC\n1\t111\trs2\tA\tC\n"
    options = Options(assembly="hg19", lift=write(tmp_path / "hg19.chain", ALL))
    loaded = variant_list.ingest(con, make.write(tmp_path / "a.vcf", text.encode()), vcf(), options)
    assert loaded.rejected == {"lift_indel_on_minus_strand": 1, "lift_unmapped": 1}
    assert ask("SELECT assembly, chrom, pos, ref, alt FROM variant") == [
        ("GRCh38", "chr1", HG38["chr1"] - 500, "T", "G")
    ]


def vcf() -> list[Preset]:
    return [p for p in shipped() if p.kind == "variants"]


def test_peaks_are_lifted_with_their_summits(con: Connection, ask: Ask, tmp_path: Path) -> None:
    rows = [["chr1", 100, 110, "a", 5, ".", 1, 1, 1, 4], ["chr1", 200, 204, "b", 5, ".", 1, 1, 1, 1],
            ["chr1", 201, 221, "c", 5, ".", 1, 1, 1, 19]]  # fmt: skip
    more = [["chr1", 200, 201 + i, f"more{i}", 5, ".", 1, 1, 1, -1] for i in range(19)]
    missed = ["chr1", 105, 120, "split", 5, ".", 1, 1, 1, -1]
    path = make.write(tmp_path / "a.narrowPeak", make.bed([list(map(str, row)) for row in [*rows, *more, missed]]))
    loaded = peaks.ingest(con, path, "K562", "hg19", lift=write(tmp_path / "hg19.chain", ALL))
    length = HG38["chr1"]
    assert loaded.rejected == {"lift_partial": 1}
    assert ask("SELECT name, chrom, chrom_start, chrom_end, summit, assembly FROM peak WHERE length(name) = 1") == [
        ("a", "chr2", 1000, 1010, 1004, "GRCh38"),
        ("b", "chr1", length - 504, length - 500, length - 502, "GRCh38"),
        ("c", "chr1", length - 520, length - 501, None, "GRCh38"),
    ]


def test_a_chain_that_lifts_from_another_assembly_is_refused_and_not_kept(con: Connection, tmp_path: Path) -> None:
    path = make.write(tmp_path / "a.tsv", make.table([*TABLE, *PLENTY]))
    preset = from_options([MAPPED], kind="qtl", assembly="hg38", effect_allele="alt", effect_unit="sd", qtl_type="eqtl")
    before = make.rows_of(con)
    with pytest.raises(Refused, match="the chain lifts from GRCh37, the file is on GRCh38"):
        qtl.ingest(con, path, [preset], Options("LCL", lift=write(tmp_path / "hg19.chain", ALL)))
    assert make.rows_of(con) == before


def test_a_chain_that_is_not_there_is_refused(con: Connection, tmp_path: Path) -> None:
    path = make.write(tmp_path / "a.tsv", make.table([*TABLE, *PLENTY]))
    with pytest.raises(Refused, match="there is no such file"):
        qtl.ingest(con, path, [BY_COLUMNS], Options("LCL", lift=tmp_path / "none.chain"))


def test_a_lifted_file_and_the_same_file_as_it_is_are_two_things(con: Connection, tmp_path: Path) -> None:
    path = make.write(tmp_path / "a.tsv", make.table([*TABLE, *PLENTY]))
    options = Options("LCL", lift=write(tmp_path / "hg19.chain", ALL))
    assert qtl.ingest(con, path, [BY_COLUMNS], options).is_new
    assert not qtl.ingest(con, path, [BY_COLUMNS], options).is_new
    with pytest.raises(Refused, match="in the database already"):
        qtl.ingest(con, path, [BY_COLUMNS], Options("LCL"))


def test_peaks_may_be_there_lifted_and_as_they_are(con: Connection, tmp_path: Path) -> None:
    path = make.write(tmp_path / "a.bed", b"chr1\t200\t204\n")
    chain = write(tmp_path / "hg19.chain", ALL)

    def ingest(assembly: str, lift: Path | None) -> source.Loaded:
        return peaks.ingest(con, path, "K562", assembly, lift=lift)

    assert [ingest("hg19", lift).is_new for lift in (chain, None, chain, None)] == [True, True, False, False]
    with pytest.raises(Refused, match="in the database already"):
        ingest("hg38", None)


def test_a_file_on_two_assemblies_is_not_guessed_at(con: Connection, tmp_path: Path) -> None:
    path = make.write(tmp_path / "a.txt", make.table(make.pairs_rows()))
    pairs = [p for p in shipped() if p.name == "gtex_v8_pairs"]
    with pytest.raises(UsageError, match="gtex_v8_pairs is on GRCh38, not on GRCh37"):
        qtl.ingest(con, path, pairs, Options("Liver", assembly="hg19"))
