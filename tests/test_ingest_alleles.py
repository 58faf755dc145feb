"""Alleles against the genome: every variant's status, and what is turned with it, whatever comes first."""

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import duckdb
import make
import pytest
import rows as tables
from conftest import Ask
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from agdb.ingest import predictions, qtl, reference, source, variant_list
from agdb.ingest.preset import from_options, shipped
from agdb.ingest.variant_table import Options
from agdb.predictors.contract import Computation, Scorer

Connection = duckdb.DuckDBPyConnection

COMPLEMENT = {"A": "T", "C": "G", "G": "C", "T": "A"}


def other_strand(bases: str) -> str:
    return "".join(COMPLEMENT[base] for base in bases[::-1])


class Row(NamedTuple):
    """An association as a source gives it; the frequency of ALT may be missing."""

    pos: int
    ref: str
    alt: str
    slope: float
    af: float | None


# --- the oracle ---


def is_at(genome: str, pos: int, bases: str) -> bool:
    return genome[pos - 1 : pos - 1 + len(bases)] == bases


def status(genome: str, row: Row) -> str:
    """What the genome says of the alleles, told apart by cases."""

    def is_there(bases: str) -> bool:
        return is_at(genome, row.pos, bases)

    if row.pos - 1 + len(row.ref) > len(genome):
        return "unchecked"
    if is_there(row.ref):
        return "match"
    is_substitution = len(row.ref) == len(row.alt)
    if is_there(row.alt):
        return "palindromic" if is_substitution and is_there(other_strand(row.ref)) else "swapped"
    if is_substitution and is_there(other_strand(row.ref)):
        return "strand"
    if is_substitution and is_there(other_strand(row.alt)):
        return "strand_swapped"
    return "mismatch"


def is_swapped(genome: str, rows: Sequence[Row]) -> bool:
    """Whether a source writes REF first: no more than one in a hundred may be swapped."""
    return sum(status(genome, row) in ("swapped", "strand_swapped") for row in rows) > len(rows) / 100


def status_among(genome: str, row: Row, sources: Sequence[Sequence[Row]]) -> str:
    """The same, but for an indel whose alleles both fit, which no source that writes REF first has in this way."""
    is_there = is_at(genome, row.pos, row.ref) and is_at(genome, row.pos, row.alt)
    if len(row.ref) == len(row.alt) or not is_there or status(genome, row) == "unchecked":
        return status(genome, row)
    vouching = [r for rows in sources if not is_swapped(genome, rows) for r in rows]
    return "match" if (row.pos, row.ref, row.alt) in [(r.pos, r.ref, r.alt) for r in vouching] else "palindromic"


def is_telling(af: float | None) -> bool:
    return af is not None and abs(af - 0.5) > 0.1


def told_by_frequency(genome: str, row: Row, sources: Sequence[Sequence[Row]]) -> str:
    """swapped or strand, where a source that agrees with the genome has these two alleles and both know how often.

    No indel is of the other strand.
    """
    known = [r for rows in sources for r in rows if (r.pos, r.ref, r.alt) == (row.pos, row.alt, row.ref)]
    known = [r for r in known if status_among(genome, r, sources) == "match"]
    telling = [r.af for r in known if r.af is not None and is_telling(r.af)]
    if row.af is None or not is_telling(row.af) or not telling:
        return "palindromic"
    if (row.af < 0.5) != (telling[0] < 0.5):
        return "swapped"
    return "strand" if len(row.ref) == len(row.alt) else "palindromic"


def turned(genome: str, row: Row, sources: Sequence[Sequence[Row]], null: float) -> tuple[object, ...]:
    """(pos, ref, alt, slope, af, reoriented) of the association in the database."""
    how = status_among(genome, row, sources)
    if how == "palindromic":
        how = told_by_frequency(genome, row, sources)
    ref, alt = (other_strand(row.ref), other_strand(row.alt)) if "strand" in how else (row.ref, row.alt)
    if "swapped" in how:
        af = None if row.af is None else pytest.approx(1 - row.af)
        return row.pos, alt, ref, pytest.approx(null - (row.slope - null)), af, how
    return row.pos, ref, alt, row.slope, row.af, how if how == "strand" else None


# --- random variants on a random genome ---

FREQUENCIES = [None, 0.0, 0.125, 0.45, 0.5, 0.75, 1.0]


@st.composite
def rows(draw: st.DrawFn, genome: str) -> Row:
    """Most are of the genome, written in any way; some are of no genome."""
    pos = draw(st.integers(1, len(genome)))
    n = draw(st.sampled_from([1, 1, 1, 2, 4]))
    ref = genome[pos - 1 : pos - 1 + n]
    kind = draw(st.sampled_from(["SNV", "SNV", "same length", "any", "palindrome", "elsewhere"]))
    if kind == "palindrome":
        alt = other_strand(ref)
    elif kind == "any":
        alt = draw(st.sampled_from([ref[0], ref + "A", ref + "CG"]))
    else:
        alt = draw(st.text("ACGT", min_size=len(ref), max_size=len(ref)))
    if kind == "elsewhere":
        ref = draw(st.text("ACGT", min_size=1, max_size=3))
    how = draw(st.sampled_from(["as it is", "swapped", "strand", "both"]))
    if how in ("strand", "both"):
        ref, alt = other_strand(ref), other_strand(alt)
    if how in ("swapped", "both"):
        ref, alt = alt, ref
    slope = draw(st.integers(-8, 8)) / 32 + 0.5
    return Row(pos, ref, alt, slope, None)


@st.composite
def worlds(draw: st.DrawFn) -> tuple[str, list[list[Row]]]:
    """A genome and two sources with some variants in common, few of which are off: else it were another assembly.

    A frequency belongs to a variant of a source, whatever the gene; and to no two variants at one place.
    """
    genome = draw(st.text("ACGT", min_size=30, max_size=50))
    pool = draw(st.lists(rows(genome), min_size=4, max_size=24, unique_by=lambda r: (r.pos, *sorted({r.ref, r.alt}))))
    pool = [r for r in pool if r.ref != r.alt]
    odd = [r for r in pool if status(genome, r) not in ("match", "swapped", "unchecked")]
    pool = [r for r in pool if r not in odd[9:]]
    frequencies = [draw(st.sampled_from(FREQUENCIES)) for _ in pool]
    mine = [r._replace(af=af) for r, af in zip(pool, frequencies, strict=True)]
    theirs = []
    for r in mine:  # the same variants, sometimes with REF and ALT exchanged, of a source with frequencies of its own
        other = r._replace(ref=r.alt, alt=r.ref) if draw(st.booleans()) else r
        if len(other.ref) + other.pos - 1 <= len(genome) or len(other.ref) == len(r.ref):
            theirs.append(other._replace(af=draw(st.sampled_from(FREQUENCIES)), slope=draw(st.integers(0, 8)) / 8))
    odd = [r for r in theirs if status(genome, r) not in ("match", "swapped", "unchecked")]
    room = 9 - sum(status(genome, r) not in ("match", "swapped", "unchecked") for r in mine)
    return genome, [mine, [r for r in theirs if r not in odd[room:]]]


PRESETS = {
    null: from_options(["chrom=c,pos=p,ref=r,alt=a,slope=b,af=f,gene_id=g"], kind="qtl", assembly="GRCh38",
                       effect_allele="alt", effect_unit=unit, qtl_type="eqtl")
    for null, unit in ((0.0, "sd"), (0.5, "allelic_ratio"))
}  # fmt: skip


def load(con: Connection, path: Path, given: Sequence[Row], null: float = 0.0) -> source.Loaded:
    """Each row is of a gene of its own, whose name is its place in the file."""
    cells = [{"c": "chr2", "p": str(r.pos), "r": r.ref, "a": r.alt, "b": repr(r.slope),
              "f": "NA" if r.af is None else repr(r.af), "g": f"G{i:03}"} for i, r in enumerate(given)]  # fmt: skip
    return qtl.ingest(con, make.write(path, make.table(cells)), [PRESETS[null]], Options(path.stem))


ASSOCIATIONS = """
    SELECT q.pos, q.ref, q.alt, q.slope, q.af, q.reoriented
    FROM qtl AS q
    JOIN source AS s USING (source_id)
    WHERE s.tissue = ?
    ORDER BY q.gene_id"""
TABLES = (
    "source", "run", "variant", "qtl", "listed_variant", "genome_contig", "rejected", "egene",
)  # fmt: skip


def forget(con: Connection) -> None:
    for table in TABLES:
        con.execute(f"DELETE FROM {table}")


ORDERS = list(itertools.permutations(["genome", "mine", "theirs"]))


@settings(
    max_examples=15, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.filter_too_much],
)  # fmt: skip
@given(world=worlds(), order=st.sampled_from(ORDERS), null=st.sampled_from([0.0, 0.5]))
def test_alleles_effects_and_frequencies_are_turned_to_those_of_the_genome(
    con: Connection, ask: Ask, tmp_path: Path, world: tuple[str, list[list[Row]]], order: tuple[str, ...], null: float
) -> None:
    genome, sources = world
    given = dict(zip(("mine", "theirs"), sources, strict=True))
    forget(con)
    for name in order:
        if name == "genome":
            reference.ingest(con, make.fasta(tmp_path / "g.fa", {"chr2": genome}), "GRCh38")
        elif given[name]:
            load(con, tmp_path / name, given[name], null)
    for name, rows_of in given.items():
        assert ask(ASSOCIATIONS, name) == [turned(genome, row, sources, null) for row in rows_of]
    as_given = {(r.pos, r.ref, r.alt): status_among(genome, r, sources) for rows_of in sources for r in rows_of}
    found = {(p, r, a): s for p, r, a, s in ask("SELECT pos, ref, alt, ref_status FROM variant")}
    assert {key: found[key] for key in as_given} == as_given
    assert {s for key, s in found.items() if key not in as_given} <= {"match"}
    for how in {*as_given.values()}:
        event(how)


# --- one thing at a time ---

#: Of chr2: position 10 is A, 12 is C.
GENOME = "GGGGGGGGGAGC" + "G" * 28
SWAPPED, AS_IT_IS = Row(10, "C", "A", 0.25, 0.75), Row(12, "C", "T", 0.5, 0.5)


def genome_of(con: Connection, tmp_path: Path) -> source.Loaded:
    return reference.ingest(con, make.fasta(tmp_path / "g.fa", {"chr2": GENOME}), "GRCh38")


def test_a_second_source_with_alleles_that_are_known_to_be_swapped_is_turned_too(
    con: Connection, ask: Ask, tmp_path: Path
) -> None:
    genome_of(con, tmp_path)
    load(con, tmp_path / "one", [SWAPPED])
    loaded = load(con, tmp_path / "two", [SWAPPED._replace(slope=-0.75), AS_IT_IS])
    assert ask(ASSOCIATIONS, "two") == [(10, "A", "C", 0.75, 0.25, "swapped"), (12, "C", "T", 0.5, 0.5, None)]
    assert loaded.notes[1:] == ["  1 associations were turned: their variants are known, or frequencies tell"]


def test_a_few_variants_of_another_assembly_are_turned_with_a_warning(con: Connection, tmp_path: Path) -> None:
    """Fewer than ten tell nothing for certain: any two alleles fit some strand somewhere."""
    genome_of(con, tmp_path)
    said = "warning: another assembly would look like this, and so few variants cannot tell"
    elsewhere = [Row(p, r, a, 0.5, None) for p, r, a in ((1, "A", "G"), (2, "T", "C"), (3, "G", "A"), (4, "C", "T"))]
    assert any(note.startswith(said) for note in load(con, tmp_path / "elsewhere", elsewhere).notes)
    swapped = [Row(p, a, "G", 0.5, None) for p in (5, 6, 7) for a in "AT"]
    assert not any(note.startswith(said) for note in load(con, tmp_path / "swapped", swapped).notes)


@pytest.mark.parametrize("genome_first", [True, False])
def test_a_source_that_has_an_association_both_ways_keeps_the_one_that_is_written_as_the_genome_is(
    con: Connection, ask: Ask, tmp_path: Path, genome_first: bool
) -> None:
    """Turned, the other one would count the association twice."""
    header, cells = "c\tp\tr\ta\tb\tf\tg\n", "chr2\t10\tC\tA\t0.25\tNA\tG\nchr2\t10\tA\tC\t0.5\tNA\tG\n"
    path = make.write(tmp_path / "a", (header + cells).encode())
    if genome_first:
        genome_of(con, tmp_path)
    qtl.ingest(con, path, [PRESETS[0.0]], Options("LCL"))
    if not genome_first:
        genome_of(con, tmp_path)
    analysed = "SELECT ref, alt, slope FROM association SEMI JOIN candidate USING (assembly, chrom, pos, ref, alt)"
    assert ask(analysed) == [("A", "C", 0.5)]
    assert ask("SELECT count(*) FROM qtl") == [(2,)]


def test_a_palindrome_is_told_for_the_source_that_has_frequencies_and_for_no_other(
    con: Connection, ask: Ask, tmp_path: Path
) -> None:
    """Whether a source is swapped or of the other strand is a fact of that source."""
    palindrome = Row(10, "T", "A", 0.25, None)
    genome_of(con, tmp_path)
    load(con, tmp_path / "known", [Row(10, "A", "T", 1.0, 0.125)])
    load(con, tmp_path / "swapped", [palindrome._replace(af=0.875)])
    load(con, tmp_path / "strand", [palindrome._replace(af=0.25)])
    load(con, tmp_path / "silent", [palindrome])
    assert ask(ASSOCIATIONS, "swapped") == [(10, "A", "T", -0.25, 0.125, "swapped")]
    assert ask(ASSOCIATIONS, "strand") == [(10, "A", "T", 0.25, 0.25, "strand")]
    assert ask(ASSOCIATIONS, "silent") == [(10, "T", "A", 0.25, None, None)]
    assert ask("SELECT tissue FROM association SEMI JOIN candidate USING (variant_id) ORDER BY 1") == [
        ("known",), ("strand",), ("swapped",)
    ]  # fmt: skip


#: A deletion of the genome's G, written right and the other way round.
DELETION, TURNED_ROUND = Row(12, "CG", "C", 0.5, 0.125), Row(12, "C", "CG", -0.5, 0.875)


@pytest.mark.parametrize("order", list(itertools.permutations(["genome", "careless", "clean"])))
def test_an_indel_of_a_swapped_source_counts_only_as_a_clean_source_has_it(
    con: Connection, ask: Ask, tmp_path: Path, order: tuple[str, ...]
) -> None:
    """Both alleles of a deletion are always the genome's; how often they are tells which way round they are given."""
    other = Row(14, "GG", "G", 0.75, None)
    given = {"careless": [SWAPPED, TURNED_ROUND, other], "clean": [AS_IT_IS, DELETION]}
    loaded = [genome_of(con, tmp_path) if n == "genome" else load(con, tmp_path / n, given[n]) for n in order]
    assert ask(ASSOCIATIONS, "careless")[1:] == [
        (12, "CG", "C", 0.5, 0.125, "swapped"),
        (14, "GG", "G", 0.75, None, None),
    ]
    analysed = ask("SELECT tissue, variant_id FROM association SEMI JOIN candidate USING (variant_id) ORDER BY ALL")
    assert [v for t, v in analysed if t == "careless"] == ["chr2_10_A_C", "chr2_12_CG_C"]
    assert [v for t, v in analysed if t == "clean"] == ["chr2_12_CG_C", "chr2_12_C_T"]
    told = [
        note for one in loaded for note in one.notes if "indels may be swapped, as others of their sources are" in note
    ]
    assert told


@pytest.mark.parametrize("order", list(itertools.permutations(["genome", "careless", "clean"])))
def test_an_indel_of_a_swapped_list_is_no_candidate_unless_a_clean_list_has_it(
    con: Connection, ask: Ask, tmp_path: Path, order: tuple[str, ...]
) -> None:
    """A VCF with REF and ALT swapped has deletions as insertions that nobody has, and predictions of them cost."""
    vcf = [p for p in shipped() if p.name == "vcf"]
    given = {"careless": [SWAPPED, TURNED_ROUND, Row(14, "GG", "G", 0, None)], "clean": [AS_IT_IS, DELETION]}
    for name in order:
        if name == "genome":
            genome_of(con, tmp_path)
            continue
        lines = [f"chr2\t{r.pos}\t{name}{i}\t{r.ref}\t{r.alt}\n" for i, r in enumerate(given[name])]
        path = make.write(tmp_path / f"{name}.vcf", ("#CHROM\tPOS\tID\tREF\tALT\n" + "".join(lines)).encode())
        variant_list.ingest(con, path, vcf, Options(assembly="GRCh38"))
    assert ask("SELECT name, reoriented FROM listed_variant WHERE reoriented IS NOT NULL") == [("careless0", "swapped")]
    assert ask("SELECT variant_id FROM candidate ORDER BY pos, alt") == [
        ("chr2_10_A_C",), ("chr2_12_CG_C",), ("chr2_12_C_T",)
    ]  # fmt: skip


def test_sources_that_disagree_on_which_allele_is_rare_tell_nothing(con: Connection, ask: Ask, tmp_path: Path) -> None:
    genome_of(con, tmp_path)
    for name, af in {"one": 0.125, "two": 0.875}.items():
        load(con, tmp_path / name, [Row(10, "A", "T", 1.0, af)])
    load(con, tmp_path / "new", [Row(10, "T", "A", 0.25, 0.125)])
    assert ask(ASSOCIATIONS, "new") == [(10, "T", "A", 0.25, 0.125, None)]


@pytest.mark.parametrize("genome_first", [True, False])
def test_facts_of_egenes_that_have_a_direction_are_turned(
    con: Connection, ask: Ask, tmp_path: Path, genome_first: bool
) -> None:
    given = make.egenes_rows(3)
    written = [("chr2_10_C_A", 1), ("chr2_12_C_T", 1), ("chr2_11_G_T", -1)]
    for row, (variant, factor) in zip(given, written, strict=True):
        chrom, pos, ref, alt = variant.split("_")
        row.update(variant_id=f"{variant}_b38", chr=chrom, variant_pos=pos, ref=ref, alt=alt, ref_factor=str(factor),
                   log2_aFC="0.5", log2_aFC_lower="0.25", log2_aFC_upper="1")  # fmt: skip
    path = make.write(tmp_path / "a.txt", make.table(given))
    if genome_first:
        genome_of(con, tmp_path)
    make.gtex(con, path, "Liver")
    if not genome_first:
        genome_of(con, tmp_path)
    facts = "SELECT ref_factor, log2_afc, log2_afc_lower, log2_afc_upper FROM egene ORDER BY gene_id"
    assert ask(facts) == [(-1, -0.5, -1, -0.25), (1, 0.5, 0.25, 1), (-1, 0.5, 0.25, 1)]
    assert ask("SELECT reoriented FROM qtl ORDER BY gene_id") == [("swapped",), (None,), (None,)]


@pytest.mark.parametrize("genome_first", [True, False])
def test_names_follow_their_variant(con: Connection, ask: Ask, tmp_path: Path, genome_first: bool) -> None:
    path = make.write(tmp_path / "a.tsv", b"chrom\tpos\tref\talt\trsid\n2\t10\tC\tA\trs7\n")
    if genome_first:
        genome_of(con, tmp_path)
    sites = [p for p in shipped() if p.kind == "variants"]
    variant_list.ingest(con, path, sites, Options(assembly="hg38"))
    if not genome_first:
        genome_of(con, tmp_path)
    assert ask("SELECT ref, alt, name FROM listed_variant") == [("A", "C", "rs7")]


# --- scores ---

SCORED = from_options(["chrom=c,pos=p,ref=r,alt=a,score=s,ref_value=rv,alt_value=av,quantile=q"], kind="predictions",
                      assembly="GRCh38", effect_allele="alt", effect_unit=None, qtl_type=None)  # fmt: skip


def scorer(is_signed: bool = True) -> Scorer:
    computed = Computation(provider="import", model="gkm", model_version="", assembly="GRCh38", output_type="",
                           window_bp=100, mask_bp=None, aggregation="", is_signed=is_signed)  # fmt: skip
    return Scorer("gkm", (computed,))


SCORES = "SELECT pos, ref, alt, score, ref_value, alt_value, quantile FROM prediction ORDER BY pos"


@pytest.mark.parametrize("is_signed", [True, False])
@pytest.mark.parametrize("order", list(itertools.permutations(["genome", "rows", "scores"])))
def test_a_score_of_swapped_alleles_is_turned_with_its_variant(
    con: Connection, ask: Ask, tmp_path: Path, order: tuple[str, ...], is_signed: bool
) -> None:
    """Scores need their variants: where they would come before them, the table of associations comes first."""
    text = "c\tp\tr\ta\ts\trv\tav\tq\nchr2\t10\tC\tA\t0.5\t2\t3\t0.75\nchr2\t12\tC\tT\t0.25\t1\t4\t0.5\n"
    path = make.write(tmp_path / "scores.tsv", text.encode())
    if order.index("scores") < order.index("rows"):
        order = tuple({"scores": "rows", "rows": "scores"}.get(step, step) for step in order)
    for step in order:
        if step == "genome":
            genome_of(con, tmp_path)
        elif step == "rows":
            load(con, tmp_path / "a", [SWAPPED, AS_IT_IS])
        else:
            predictions.ingest(con, path, SCORED, scorer(is_signed), Options())
    sign = -1 if is_signed else 1
    assert ask("SELECT pos, ref, alt FROM scored_variant ORDER BY pos") == [(10, "A", "C"), (12, "C", "T")]
    assert ask(SCORES) == [(10, "A", "C", sign * 0.5, 3, 2, sign * 0.75), (12, "C", "T", 0.25, 1, 4, 0.5)]


def test_what_a_provider_computed_for_alleles_that_the_genome_does_not_have_stays_theirs(
    con: Connection, ask: Ask, tmp_path: Path
) -> None:
    """Asked for C to A where the genome has A, a model scores A against A."""
    load(con, tmp_path / "a", [SWAPPED])
    tables.add_scorer(con, "x", provider="alphagenome")
    tables.add_scores(con, "x", ["chr2_10_C_A"], [0.0])
    genome_of(con, tmp_path)
    assert ask("SELECT ref, alt FROM prediction") == [("C", "A")]
    assert ask("SELECT ref, alt FROM candidate") == [("A", "C")]


@pytest.mark.parametrize(("is_signed", "score"), [(True, -0.5), (False, 0.5)])
def test_a_score_of_ref_becomes_one_of_alt_where_it_has_a_direction(
    con: Connection, ask: Ask, tmp_path: Path, is_signed: bool, score: float
) -> None:
    load(con, tmp_path / "a", [AS_IT_IS])
    path = make.write(tmp_path / "s.tsv", b"c\tp\tr\ta\ts\nchr2\t12\tC\tT\t0.5\n")
    preset = from_options(["chrom=c,pos=p,ref=r,alt=a,score=s"], kind="predictions", assembly="hg38",
                          effect_allele="ref", effect_unit=None, qtl_type=None)  # fmt: skip
    predictions.ingest(con, path, preset, scorer(is_signed), Options())
    assert ask("SELECT ref, alt, score FROM prediction") == [("C", "T", score)]
