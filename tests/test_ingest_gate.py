"""The gate: each check of sql/checks speaks up on data made to break exactly it, and is silent on good data."""

import csv
import gzip
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import make
import numpy as np
import numpy.typing as npt
import pytest
import rows as tables
from conftest import Ask
from scipy import stats

from agdb import db, simulate
from agdb.errors import Refused
from agdb.ingest import credible, peaks, qtl, reference, source
from agdb.ingest.preset import from_options
from agdb.ingest.variant_table import Options

Connection = duckdb.DuckDBPyConnection
Values = npt.NDArray[np.float64]

N, DF = 400, 100


def fired(con: Connection, but: str = "ref_is_checked") -> set[str]:
    """The names of the checks that find something in the database; most tests have no genome."""
    return {check.name for check in db.checks() if check.name != but and con.execute(check.sql).fetchall()}


# --- a table of effects ---


class Effects:
    """N tests of one study: t statistics of few real effects among many weak ones, and all that goes with them."""

    def __init__(self, df: int = DF) -> None:
        rng = np.random.default_rng(7)
        self.se: Values = rng.uniform(0.05, 0.2, N)
        self.t: Values = np.where(rng.random(N) < 0.3, rng.normal(0, 5, N), 0) + rng.standard_t(df, N)
        self.slope: Values = self.t * self.se
        self.p: Values = 2 * stats.t.sf(np.abs(self.t), df)


def write(path: Path, slope: Values, se: Values | None = None, p: Values | None = None, **more: Values) -> Path:
    """A table with these columns; each association is of a gene and a position of its own."""
    columns = {"beta": slope, "se": se, "p": p, **more}
    names = ["snp", "gene", *(name for name, values in columns.items() if values is not None)]
    lines = ["\t".join(names)]
    for i in range(len(slope)):
        cells = [repr(float(values[i])) for values in columns.values() if values is not None]
        lines.append("\t".join([f"chr2_{1000 + 10 * i}_A_C", f"ENSG{i:05}", *cells]))
    return make.write(path, ("\n".join(lines) + "\n").encode())


def load(
    con: Connection, path: Path, unit: str = "sd", maps: str = "slope=beta,slope_se=se,pval_nominal=p"
) -> source.Loaded:
    with path.open() as file:
        there = set(file.readline().split())
    fields = [pair for pair in maps.split(",") if pair.partition("=")[2] in there]
    preset = from_options([",".join(["variant_id=snp", "gene_id=gene", *fields])], kind="qtl", assembly="GRCh38",
                          effect_allele="alt", effect_unit=unit, qtl_type="eqtl")  # fmt: skip
    return qtl.ingest(con, path, [preset], Options("LCL"))


def refused(con: Connection, path: Path, unit: str = "sd", **how: str) -> Refused:
    """What the file is refused with; the database has to be as before."""
    before = make.rows_of(con)
    with pytest.raises(Refused) as error:
        load(con, path, unit, **how)
    assert make.rows_of(con) == before
    return error.value


def check_of(error: Refused) -> str:
    return (error.where or "").partition("(check ")[2].rstrip(")")


@pytest.mark.parametrize("df", [3, 5, 8, 20, 48, 600])
@pytest.mark.parametrize("rounded", [False, True])
def test_effects_of_one_test_pass_without_a_word(con: Connection, tmp_path: Path, df: int, rounded: bool) -> None:
    """Printed with 6 digits, as GTEx does, or with all."""
    e = Effects(df)
    columns = (
        [np.array([float(f"{v:.6g}") for v in x]) for x in (e.slope, e.se, e.p)] if rounded else [e.slope, e.se, e.p]
    )
    loaded = load(con, write(tmp_path / "a.tsv", *columns))
    assert (loaded.rows_kept, loaded.notes) == (N, [])
    assert fired(con) == set()


def test_a_simulated_study_passes_without_a_word(con: Connection, study: simulate.Study) -> None:
    notes = reference.ingest(con, study.genome, "GRCh38").notes
    notes += make.gtex(con, study.pairs, "Simulated_Blood").notes
    notes += peaks.ingest(con, study.peaks, "K562", "GRCh38").notes
    assert [note for note in notes if "warning" in note] == []
    assert fired(con) == set()


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> simulate.Study:
    return simulate.write_study(tmp_path_factory.mktemp("study") / "study", 2500, seed=5)


# --- columns that hold no effects ---


def test_p_values_given_as_effects_are_refused_and_the_column_of_effects_is_named(
    con: Connection, tmp_path: Path
) -> None:
    e = Effects()
    path = write(tmp_path / "a.tsv", e.p, e.se, e.p, effect=e.slope, chi2=e.t**2)
    error = refused(con, path)
    assert check_of(error) == "effect_is_not_a_p_value"
    assert error.what.startswith("the column given as slope holds p-values, not effects: all 400 values lie in ")
    assert error.cure is not None
    assert error.cure.startswith("the effects are probably in column 'effect'; ")
    assert load(con, path, maps="slope=effect,slope_se=se,pval_nominal=p").is_new


def test_without_standard_errors_no_column_is_guessed(con: Connection, tmp_path: Path) -> None:
    e = Effects()
    error = refused(con, write(tmp_path / "a.tsv", e.p, effect=e.slope))
    assert check_of(error) == "effect_is_not_a_p_value"
    assert "probably in column" not in (error.cure or "")


def ratios() -> Values:
    """Shares of ALT among 20 to 200 reads of N heterozygotes, of which a third is imbalanced."""
    rng = np.random.default_rng(8)
    reads = rng.integers(20, 200, N)
    return rng.binomial(reads, np.where(rng.random(N) < 0.3, rng.beta(8, 8, N), 0.5)) / reads


def test_allelic_ratios_given_as_effects_are_refused_and_taken_as_what_they_are(
    con: Connection, ask: Ask, tmp_path: Path
) -> None:
    path = write(tmp_path / "a.tsv", ratios())
    error = refused(con, path)
    assert check_of(error) == "effect_is_not_an_allelic_ratio"
    assert "--effect-unit allelic_ratio" in (error.cure or "")
    assert load(con, path, "allelic_ratio").notes == []
    assert ask("SELECT null_value FROM source") == [(0.5,)]
    assert fired(con) == set()


def test_effects_that_are_no_shares_given_as_allelic_ratios_are_refused(con: Connection, tmp_path: Path) -> None:
    error = refused(con, write(tmp_path / "a.tsv", Effects().slope), "allelic_ratio")
    assert check_of(error) == "allelic_ratio_is_a_share"


def test_allelic_ratios_of_which_all_favour_one_allele_are_refused(con: Connection, tmp_path: Path) -> None:
    error = refused(con, write(tmp_path / "a.tsv", np.maximum(ratios(), 1 - ratios())), "allelic_ratio")
    assert check_of(error) == "effect_has_both_signs"


@pytest.mark.parametrize("base", [2.0, np.e])
def test_fold_changes_and_odds_ratios_are_refused_and_their_logarithms_are_not(
    con: Connection, tmp_path: Path, base: float
) -> None:
    e = Effects()
    path = write(tmp_path / "a.tsv", base**e.slope, e.se, e.p, log=e.slope)
    error = refused(con, path, "log2fc")
    assert check_of(error) == "effect_is_not_a_fold_change"
    assert "holds fold changes or odds ratios, not effects about 0" in error.what
    assert 'slope = "log2(column)" under [derived]' in (error.cure or "")
    assert load(con, path, "log2fc", "slope=log,slope_se=se,pval_nominal=p").is_new
    assert fired(con) == set()


@pytest.mark.parametrize("sign", [1, -1])
def test_effects_of_one_sign_are_refused_and_one_of_the_other_sign_is_enough(
    con: Connection, tmp_path: Path, sign: int
) -> None:
    e = Effects()
    error = refused(con, write(tmp_path / "a.tsv", sign * np.abs(e.slope), e.se, e.p, beta_signed=e.slope))
    assert check_of(error) == "effect_has_both_signs"
    assert ("absolute values?" in error.what) == (sign > 0)
    assert "probably in column 'beta_signed'" in (error.cure or "")
    one = sign * np.abs(e.slope)
    one[7] *= -1
    assert load(con, write(tmp_path / "b.tsv", one, e.se, e.p)).is_new


@pytest.mark.parametrize(("n_genes", "apart", "is_refused"), [(1, 10, False), (19, 10, False), (20, 10, True),
                                                              (1, 10**6, True)])  # fmt: skip
def test_effects_of_a_few_loci_may_have_one_sign(
    con: Connection, tmp_path: Path, n_genes: int, apart: int, is_refused: bool
) -> None:
    """Those of one gene are of one block of linkage; loci are told by what was measured, or by where."""
    e = Effects()
    rows = [f"chr2_{1000 + apart * i}_A_C\tG{i % n_genes}\t{abs(float(e.slope[i]))!r}\n" for i in range(200)]
    path = make.write(tmp_path / "a.tsv", ("snp\tgene\tbeta\n" + "".join(rows)).encode())
    if is_refused:
        assert check_of(refused(con, path)) == "effect_has_both_signs"
    else:
        assert load(con, path).is_new
        assert fired(con) == set()


def test_nineteen_effects_tell_nothing_and_twenty_do(con: Connection, tmp_path: Path) -> None:
    e = Effects()
    assert load(con, write(tmp_path / "a.tsv", np.abs(e.slope[:19]))).is_new
    assert check_of(refused(con, write(tmp_path / "b.tsv", np.abs(e.slope[:20])))) == "effect_has_both_signs"


def test_absolute_effects_near_a_half_are_told_from_allelic_ratios_by_their_p_values(
    con: Connection, tmp_path: Path
) -> None:
    e = Effects()
    slope = np.clip(np.abs(0.5 + e.slope / 8), 0.01, 0.99)
    t = slope / e.se
    error = refused(con, write(tmp_path / "a.tsv", slope, e.se, 2 * stats.t.sf(t, DF)))
    assert check_of(error) == "effect_has_both_signs"


def test_absolute_effects_on_both_sides_of_1_are_told_from_fold_changes_by_their_p_values(
    con: Connection, tmp_path: Path
) -> None:
    """As those of GTEx's pairs: the logarithm of one would have a direction, a made-up one."""
    e = Effects()
    strong = np.abs(e.slope) > 0.05
    slope, se, p = 6 * np.abs(e.slope[strong]), 6 * e.se[strong], e.p[strong]
    assert 0.2 < (slope < 1).mean() < 0.8
    error = refused(con, write(tmp_path / "a.tsv", slope, se, p))
    assert check_of(error) == "effect_has_both_signs"
    error = refused(con, write(tmp_path / "b.tsv", slope))
    assert "holds fold changes, odds ratios or absolute values" in error.what


# --- columns that do not belong together ---


def test_effects_of_another_test_than_the_p_values_are_refused(con: Connection, tmp_path: Path) -> None:
    e = Effects()
    error = refused(con, write(tmp_path / "a.tsv", e.slope[::-1].copy(), e.se, e.p))
    assert check_of(error) == "slope_agrees_with_p_value"


def test_standard_deviations_given_as_standard_errors_are_said(con: Connection, tmp_path: Path) -> None:
    """They order the rows as standard errors do, so that only the p-values tell."""
    e = Effects()
    loaded = load(con, write(tmp_path / "a.tsv", e.slope, e.se * np.sqrt(DF + 2), e.p))
    assert loaded.notes[0].startswith("warning: pval_nominal is not that of t = slope / slope_se: the nearest, with ")
    assert fired(con) == {"p_value_is_that_of_the_slope"}


def test_p_values_that_are_all_the_same_order_nothing_and_refuse_nothing(con: Connection, tmp_path: Path) -> None:
    e = Effects()
    load(con, write(tmp_path / "a.tsv", e.slope, e.se, np.full(N, 0.5)))
    assert fired(con) == set()


@pytest.mark.parametrize("how", ["one-sided", "chi2 of t"])
def test_p_values_of_another_kind_are_said(con: Connection, tmp_path: Path, how: str) -> None:
    e = Effects()
    p = {"one-sided": e.p / 8, "chi2 of t": stats.chi2.sf(np.abs(e.t), 1)}[how]
    load(con, write(tmp_path / "a.tsv", e.slope, e.se, p))
    assert fired(con) == {"p_value_is_that_of_the_slope"}


def test_p_values_of_the_normal_distribution_are_those_of_many_degrees_of_freedom(
    con: Connection, tmp_path: Path
) -> None:
    e = Effects()
    load(con, write(tmp_path / "a.tsv", e.slope, e.se, 2 * stats.norm.sf(np.abs(e.t))))
    assert fired(con) == set()


def test_an_allelic_ratio_is_compared_with_its_p_value_about_a_half(con: Connection, tmp_path: Path) -> None:
    e = Effects()
    ratio = 0.5 + e.slope / 8
    load(con, write(tmp_path / "a.tsv", ratio, e.se / 8, e.p), "allelic_ratio")
    assert fired(con) == set()


@pytest.mark.parametrize("df", [20, 48, 600, 10_000])
def test_the_tail_of_t_is_that_of_scipy_within_three_per_cent(ask: Ask, df: int) -> None:
    p = np.array([0.1, 0.05, 0.01, 1e-3, 1e-6, 1e-12, 1e-30, 1e-100, 1e-280])
    t = stats.t.isf(p / 2, df).tolist()
    found = ask("SELECT student_t(t, ?::DOUBLE), student_t(-t, ?::DOUBLE) FROM (SELECT unnest(?::DOUBLE[]) AS t)",
                float(df), float(df), t)  # fmt: skip
    assert [row[0] for row in found] == pytest.approx(np.log(p).tolist(), rel=0.03)
    assert [row[1] for row in found] == [row[0] for row in found]


def test_the_tail_of_t_at_zero_is_one(ask: Ask) -> None:
    assert ask("SELECT student_t(0.0::DOUBLE, 50.0::DOUBLE)") == [(pytest.approx(0, abs=1e-12),)]


OF_GENE = "slope=beta,slope_se=se,pval_nominal=p,pval_nominal_threshold=high,min_pval_nominal=low"


@pytest.mark.parametrize(("row", "factor"), [(None, 1.0), (7, 1.001), (8, 0.999)])
def test_a_p_value_outside_of_its_thresholds_is_refused(
    con: Connection, tmp_path: Path, row: int | None, factor: float
) -> None:
    """Both borders belong to the range."""
    e = Effects()
    high, low = e.p.copy(), e.p.copy()
    if row is not None:
        (high if factor > 1 else low)[row] = e.p[row] / factor
    path = write(tmp_path / "a.tsv", e.slope, e.se, e.p, high=high, low=low)
    if row is None:
        assert load(con, path, maps=OF_GENE).is_new
    else:
        error = refused(con, path, maps=OF_GENE)
        assert check_of(error) == "p_value_is_within_its_thresholds"
        assert error.what.startswith("1 rows have pval_nominal above their pval_nominal_threshold or below")


#: Columns of a GTEx pairs file that nothing tells apart: both small shares. No number that agdb computes hangs on them.
ALIKE = {"maf", "pval_beta"}
NUMBERS = ["tss_distance", "ma_samples", "ma_count", "maf", "pval_nominal", "slope", "slope_se",
           "pval_nominal_threshold", "min_pval_nominal", "pval_beta"]  # fmt: skip


@pytest.fixture(scope="module")
def pairs(study: simulate.Study) -> list[make.Row]:
    with gzip.open(study.pairs, "rt") as file:
        return list(csv.DictReader(file, delimiter="\t"))


@pytest.mark.parametrize("one", NUMBERS)
def test_two_columns_whose_names_are_exchanged_are_refused(
    con: Connection, tmp_path: Path, pairs: list[make.Row], one: str
) -> None:
    before = make.rows_of(con)
    for other in NUMBERS[NUMBERS.index(one) + 1 :]:
        if {one, other} == ALIKE:
            continue
        exchanged = [{**row, one: row[other], other: row[one]} for row in pairs[:300]]
        path = make.write(tmp_path / "a.txt", make.table(exchanged))
        error = make.refusal(lambda: make.gtex(con, path, "Liver"))  # noqa: B023  # called at once
        assert error, f"{one} and {other}"
        assert make.rows_of(con) == before


def test_a_fifth_of_swapped_alleles_is_turned_back_to_the_effects_that_were_planted(
    con: Connection, ask: Ask, tmp_path: Path, study: simulate.Study, pairs: list[make.Row]
) -> None:
    """Alleles, effect and frequency of every fifth variant are written the other way round."""
    swapped = {v for i, v in enumerate(sorted({row["variant_id"] for row in pairs})) if i % 5 == 0}
    given = []
    for row in pairs:
        chrom, pos, ref, alt, build = row["variant_id"].split("_")
        other = {"variant_id": "_".join([chrom, pos, alt, ref, build]), "slope": repr(-float(row["slope"]))}
        given.append({**row, **other} if row["variant_id"] in swapped else row)
    reference.ingest(con, study.genome, "GRCh38")
    loaded = make.gtex(con, make.write(tmp_path / "a.txt", make.table(given)), "Whole_Blood")
    assert loaded.rows_kept == len(pairs)
    planted = {(row["variant_id"], row["gene_id"]): float(row["slope"]) for row in pairs}
    analysed = "SELECT variant_id || '_b38', gene_id, slope FROM association SEMI JOIN candidate USING (variant_id)"
    found: dict[tuple[str, str], object] = {(str(v), str(g)): slope for v, g, slope in ask(analysed)}
    assert found.keys() <= planted.keys()  # a deletion written the other way round would be an insertion of its own
    assert found == {key: planted[key] for key in found}
    palindromes = {v for v in swapped if set(v.split("_")[2:4]) in ({"A", "T"}, {"C", "G"})}
    cannot_be_told = palindromes | {v for v, _ in planted if is_indel(v)}
    assert {v for v, _ in planted.keys() - found.keys()} <= cannot_be_told
    assert any("indels may be swapped, as others of their sources are: left out" in note for note in loaded.notes)
    (told,) = [note for note in loaded.notes if "have REF and ALT swapped: turned, with what effects they have" in note]
    assert int(told.split()[0].replace(",", "")) >= len(swapped - cannot_be_told)
    assert fired(con) == set()


def is_indel(variant_id: str) -> bool:
    """Where the longer allele is the genome's, so is the shorter one."""
    _, _, ref, alt, _ = variant_id.split("_")
    return len(ref) != len(alt)


# --- fine-mapping ---


@pytest.mark.parametrize(("pips", "is_said"), [((0.5, 0.5), False), ((0.55, 0.54), False), ((0.6, 0.6), True)])
def test_pips_of_a_set_that_add_up_to_more_than_one_are_said(
    con: Connection, tmp_path: Path, pips: tuple[float, float], is_said: bool
) -> None:
    """Two sets of one gene, and sets of the same name of two genes, are not added up."""
    rows = [("G1", "L1", pips[0]), ("G1", "L1", pips[1]), ("G1", "L2", 0.9), ("G2", "L1", 0.9), ("G3", "NA", 0.9),
            ("G3", "NA", 0.9)]  # fmt: skip
    given = [{"snp": make.variant(i)[:-4], "g": g, "set": s, "p": str(p)} for i, (g, s, p) in enumerate(rows)]
    preset = from_options(["variant_id=snp,gene_id=g,cs_id=set,pip=p"], kind="credible", assembly="hg38",
                          effect_allele="alt", effect_unit=None, qtl_type="eqtl")  # fmt: skip
    loaded = credible.ingest(con, make.write(tmp_path / "a.tsv", make.table(given)), [preset], Options("Liver"))
    said = "warning: 1 credible sets have pips that add up to more than 1, at most 1.2"
    assert any(note.startswith(said) for note in loaded.notes) == is_said
    assert fired(con) == ({"pip_sums_to_at_most_its_set"} if is_said else set())


# --- peaks under variants ---


def moved(study: simulate.Study, path: Path, by: int) -> Path:
    """The peaks of the study, each moved along its chromosome: as those of another assembly are."""
    with gzip.open(study.peaks, "rt") as file:
        rows = [line.rstrip("\n").split("\t") for line in file]
    for row in rows:
        row[1:3] = [str(int(row[1]) + by), str(int(row[2]) + by)]
    return make.write(path, make.bed(rows))


ENRICHMENT = "peaks_hold_more_variants_than_shifted_peaks"


@pytest.mark.parametrize("peaks_first", [True, False])
@pytest.mark.parametrize(("by", "is_said"), [(0, False), (5_000, True), (20_000, True)])
def test_peaks_of_another_assembly_are_said_and_true_ones_are_not(
    con: Connection, tmp_path: Path, study: simulate.Study, by: int, is_said: bool, peaks_first: bool
) -> None:
    steps: list[Callable[[], source.Loaded]] = [
        lambda: peaks.ingest(con, moved(study, tmp_path / "a.narrowPeak", by), "K562", "GRCh38"),
        lambda: make.gtex(con, study.pairs, "Simulated_Blood"),
    ]
    notes = [step().notes for step in (steps if peaks_first else steps[::-1])]
    assert any("no enrichment" in note for note in notes[-1]) == is_said
    assert fired(con) == ({ENRICHMENT} if is_said else set())


@pytest.mark.parametrize("peaks_first", [True, False])
@pytest.mark.parametrize("assembly", ["GRCh37", "GRCh38"])
def test_peaks_that_can_never_meet_the_variants_are_said_whichever_comes_last(
    con: Connection, tmp_path: Path, assembly: str, peaks_first: bool
) -> None:
    e, bed = Effects(), make.write(tmp_path / "a.bed", b"chr2\t1000\t1200\n")
    steps: list[Callable[[], source.Loaded]] = [
        lambda: peaks.ingest(con, bed, "K562", assembly),
        lambda: load(con, write(tmp_path / "a.tsv", e.slope, e.se, e.p)),
    ]
    notes = [step().notes for step in (steps if peaks_first else steps[::-1])]
    said = "warning: peaks of a.bed are on GRCh37, the variants on GRCh38: they never meet"
    assert any(note.startswith(said) for note in notes[-1]) == (assembly == "GRCh37")


def placed(con: Connection, positions: Iterator[int], peak_at: list[int]) -> None:
    tables.add_source(con, 1)
    tables.add_qtls(con, 1, [f"chr1_{pos}_A_C" for pos in positions], [0.5, -0.5] * 50)
    tables.add_peaks(con, 2, [("chr1", start, start + 1000) for start in peak_at])


def test_a_source_that_is_added_is_told_of_alone_and_check_tells_of_all(
    con: Connection, ask: Ask, tmp_path: Path, study: simulate.Study
) -> None:
    with gzip.open(study.pairs, "rt") as file:
        other = make.write(tmp_path / "other.txt", "".join(list(file)[:-1]).encode())
    peaks.ingest(con, moved(study, tmp_path / "a.narrowPeak", 20_000), "K562", "GRCh38")
    make.gtex(con, study.pairs, "Simulated_Blood")
    said = [note for note in make.gtex(con, other, "Liver").notes if "no enrichment" in note]
    assert [name in said[0] for name in ("other.txt", study.pairs.name)] == [True, False]
    assert len(said) == 1
    (check,) = (c for c in db.checks() if c.name == ENRICHMENT)
    assert ask(f"SELECT source_id FROM ({check.sql}) ORDER BY ALL") == [(1,), (1,), (2,), (3,)]


def test_of_many_sources_fewer_variants_each_are_shifted(con: Connection, ask: Ask) -> None:
    """20 sources that have 200,000 rows by their own account: a million of the four million are a quarter."""
    tables.add_peaks(con, 99, [("chr1", 500_000 + 1_000_000 * i, 501_000 + 1_000_000 * i) for i in range(13)])
    for i in range(1, 21):
        tables.add_source(con, i)
        tables.add_qtls(con, i, [f"chr1_{1_600_000 + 10_000 * k}_A_C" for k in range(1_000)], [0.5, -0.5] * 500)
    con.execute("UPDATE source SET rows_kept = 200_000 WHERE kind = 'qtl'")
    (check,) = (c for c in db.checks() if c.name == ENRICHMENT)
    told = "regexp_extract(problem, '^0 of ([0-9,]+) variants', 1).replace(',', '')::INTEGER"
    found = ask(f"SELECT count(*) // 2, max({told}) BETWEEN 100 AND 350 FROM ({check.sql})")
    assert found == [(20, True)]


@pytest.mark.parametrize(("n_megabases", "is_said"), [(1, False), (9, False), (10, True)])
def test_variants_of_a_few_loci_tell_nothing_about_peaks(con: Connection, n_megabases: int, is_said: bool) -> None:
    """100 variants, of which none lies in a peak, in so many megabases."""
    at = (1_600_000 + 1_000_000 * (i % n_megabases) + 50 * i for i in range(100))
    placed(con, at, [500_000 + 1_000_000 * i for i in range(13)])
    assert fired(con) == ({ENRICHMENT} if is_said else set())


def test_an_artefact_over_a_whole_arm_does_not_hide_that_peaks_hold_nothing(con: Connection) -> None:
    at = (1_600_000 + 1_000_000 * (i % 10) + 50 * i for i in range(100))
    placed(con, at, [500_000 + 1_000_000 * i for i in range(13)])
    tables.add_peaks(con, 2, [("chr1", 0, 20_000_000)])
    assert fired(con) == {ENRICHMENT, "peak_is_not_a_chromosome_arm"}


# --- the rest: data that ingest would not let in, put straight into the tables ---


def a_variant_twice(con: Connection) -> None:
    tables.add_variants(con, [("chr1", 10, "A", "C")] * 2)


def an_association_twice(con: Connection) -> None:
    tables.add_source(con, 1)
    tables.add_qtls(con, 1, [f"chr1_{pos}_A_C" for pos in (10, 10, 20)], [0.1, 0.2, -0.3], gene=["G", "G", "G"])


def a_score_twice(con: Connection) -> None:
    variants = tables.add_snvs(con, 2)
    tables.add_scorer(con, "s")
    tables.add_scores(con, "s", [variants[0], *variants], [0.1, 0.2, 0.3])


def a_scorer_of_two_tracks(con: Connection) -> None:
    variants = tables.add_snvs(con, 2)
    tables.add_tracks(con, "EFO:1", "EFO:2", "EFO:3")
    tables.add_scorer(con, "mean", track_set="all", track_aggregation="mean")
    tables.add_scorer(con, "s", track_set="EFO:1,EFO:2", computations=["mean"])
    for track in (1, 2, 3):
        tables.add_scores(con, "mean", variants, [0.1, 0.2], track=track, tracks="all")


def a_score_of_no_variant(con: Connection) -> None:
    tables.add_scorer(con, "s")
    tables.add_scores(con, "s", [*tables.add_snvs(con, 2), "chr1_7_A_C"], [0.1, 0.2, 0.3])


def a_ref_of_another_genome(con: Connection) -> None:
    tables.add_snvs(con, 1, ref_status="mismatch")
    tables.add_snvs(con, 2, first=5)


def a_variant_that_was_never_checked(con: Connection) -> None:
    tables.add_source(con, 9, "genome", effect=None, tissue=None)
    tables.add_snvs(con, 1, ref_status="unchecked")


def a_wide_peak(con: Connection) -> None:
    tables.add_peaks(con, 1, [("chr1", 0, 100_001), ("chr1", 0, 100_000)])


def a_high_score(con: Connection) -> None:
    tables.add_peaks(con, 1, [("chr1", 0, 10), ("chr1", 20, 30)])
    con.execute("UPDATE peak SET score = if(chrom_start = 0, 1001, 1000)")


def peaks_of_another_assembly(con: Connection) -> None:
    tables.add_snvs(con, 1)
    tables.add_peaks(con, 1, [("chr1", 0, 10)], assembly="GRCh37")


#: Check: what breaks it and no other one; None where a test above does.
BREAKS: dict[str, Callable[[Connection], None] | None] = {
    "allelic_ratio_is_a_share": None,
    "effect_has_both_signs": None,
    "effect_is_not_a_fold_change": None,
    "effect_is_not_a_p_value": None,
    "effect_is_not_an_allelic_ratio": None,
    "gene_starts_at_one_place": None,  # tests of genes
    "one_number_per_scorer": a_scorer_of_two_tracks,
    "one_row_per_association": an_association_twice,
    "one_row_per_variant": a_variant_twice,
    "one_score_per_variant": a_score_twice,
    "p_value_is_that_of_the_slope": None,
    "p_value_is_within_its_thresholds": None,
    "peak_is_not_a_chromosome_arm": a_wide_peak,
    "peak_score_is_in_range": a_high_score,
    "peaks_and_variants_share_an_assembly": peaks_of_another_assembly,
    ENRICHMENT: None,
    "pip_sums_to_at_most_its_set": None,
    "prediction_has_its_variant": a_score_of_no_variant,
    "ref_is_checked": a_variant_that_was_never_checked,
    "ref_matches_genome": a_ref_of_another_genome,
    "slope_agrees_with_p_value": None,
    "tss_distance_is_that_of_the_genes": None,  # tests of genes
}


def test_every_check_has_data_that_break_it() -> None:
    assert {check.name for check in db.checks()} == BREAKS.keys()


@pytest.mark.parametrize("name", [name for name, broken in BREAKS.items() if broken])
def test_a_check_speaks_up_on_what_breaks_it_and_no_other_does(con: Connection, name: str) -> None:
    broken = BREAKS[name]
    assert broken is not None
    but = "" if name == "ref_is_checked" else "ref_is_checked"
    assert fired(con, but) == set()
    broken(con)
    assert fired(con, but) == {name}


def test_one_row_per_association_tells_genes_traits_and_sources_apart(con: Connection) -> None:
    for source_id in (1, 2):
        tables.add_source(con, source_id)
        tables.add_qtls(
            con, source_id, ["chr1_10_A_C", "chr1_10_A_C", "chr1_10_A_G"], [0.1, 0.2, -0.3], gene=["G", "H", "G"]
        )
    con.execute("INSERT INTO qtl BY NAME SELECT * REPLACE ('peak' AS molecular_trait_id) FROM qtl")
    assert fired(con) == set()


def test_of_a_shuffled_table_the_effects_are_refused(con: Connection, tmp_path: Path) -> None:
    """A merge on the wrong key: every column is what it says, row by row nothing belongs together."""
    e = Effects()
    order = list(range(N))
    random.Random(1).shuffle(order)
    assert check_of(refused(con, write(tmp_path / "a.tsv", e.slope, e.se, e.p[order]))) == "slope_agrees_with_p_value"
