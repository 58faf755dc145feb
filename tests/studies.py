"""Made-up studies in the database, known column by column: for the tests of what is computed of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray
from rows import ASSEMBLY, add_scorer, add_scores, add_source, add_variants, insert, variant_id
from scipy import stats as scipy_stats

from agdb.analysis import run
from agdb.analysis.results import Result

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Study:
    """n associations: what stands in table qtl, and the score of each one's variant. Shapes (n,).

    `variant` numbers the variants from 0: associations of one share its place and its scores.
    """

    variant: Ints
    chrom: list[str]
    pos: Ints
    alt: list[str]
    gene: list[str]
    effect: Floats
    slope_se: Floats
    pval_nominal: Floats
    maf: Floats
    tss_distance: Ints
    qval: Floats
    score: Floats

    def ids(self) -> list[str]:
        """The variant of each association. REF is A; an insertion adds bases."""
        return [variant_id(c, int(p), "A", a) for c, p, a in zip(self.chrom, self.pos, self.alt, strict=True)]


def drawn(n_variants: int = 200, *, rho: float = 0.4, seed: int = 0, two_genes: int = 40) -> Study:
    """Variants on three chromosomes; the first `two_genes` have two associations, with effects of their own."""
    rng = np.random.default_rng(seed)
    variant = np.sort(np.r_[np.arange(n_variants), np.arange(two_genes)])
    n, second = len(variant), np.r_[False, variant[1:] == variant[:-1]]
    score = rng.standard_normal(n_variants).round(2)[variant]
    effect = (rho * score + np.sqrt(1 - rho**2) * rng.standard_normal(n)).round(2)
    p = 10 ** -rng.uniform(3, 9, n)
    return Study(
        variant, [f"chr{1 + v * 3 // n_variants}" for v in variant], 100_000 + 40_000 * variant,
        ["CAA" if v % 5 == 0 else "C" for v in variant],
        [f"ENSG{v // 4 + 1000 * s}.3" for v, s in zip(variant, second, strict=True)], effect,
        rng.uniform(0.1, 0.3, n), p, rng.uniform(0.001, 0.5, n), rng.integers(-80_000, 80_000, n),
        rng.uniform(0, 0.1, n), score,
    )  # fmt: skip


def add_study(
    con: duckdb.DuckDBPyConnection, study: Study, source_id: int = 1, *, label: str = "slope", null_value: float = 0,
    tissue: str = "Lung", scorer: str | None = "s", is_signed: bool = True,
) -> None:  # fmt: skip
    """The associations as a source; their variants, and a scorer that scored them, unless there is one already."""
    add_source(con, source_id, effect=label, tissue=tissue)
    con.execute("UPDATE source SET null_value = ? WHERE source_id = ?", [null_value, source_id])
    ids = study.ids()
    first = np.unique(study.variant, return_index=True)[1]
    if not con.execute("SELECT count(*) FROM variant").fetchall()[0][0]:
        add_variants(con, [(study.chrom[i], int(study.pos[i]), "A", study.alt[i]) for i in first])
    is_slope = label == "slope"
    columns = ("source_id, assembly, chrom, pos, ref, alt, gene_id, slope, pval_nominal, slope_se, maf, tss_distance, "
               "qval")  # fmt: skip
    insert(
        con, f"qtl ({columns})",
        [[source_id, ASSEMBLY, study.chrom[i], int(study.pos[i]), "A", study.alt[i], study.gene[i],
          float(study.effect[i]) if is_slope else None,
          float(study.pval_nominal[i] if is_slope else study.effect[i]),
          float(study.slope_se[i]) if is_slope else None, float(study.maf[i]), int(study.tss_distance[i]),
          float(study.qval[i])] for i in range(len(ids))],
    )  # fmt: skip
    if scorer:
        score(con, study, scorer, study.score, is_signed=is_signed)


def score(
    con: duckdb.DuckDBPyConnection, study: Study, scorer_id: str, scores: Floats, *, name: str = "scorer",
    window_bp: int = 100, is_signed: bool = True, only: Sequence[int] | None = None,
) -> None:  # fmt: skip
    """One more scorer; with `only`, of these variants alone."""
    add_scorer(con, scorer_id, window_bp, name=name)
    if not is_signed:
        con.execute("UPDATE scorer SET is_signed = false WHERE scorer_id = ?", [scorer_id])
    first = [i for i in np.unique(study.variant, return_index=True)[1] if only is None or study.variant[i] in only]
    ids = study.ids()
    add_scores(con, scorer_id, [ids[i] for i in first], [float(scores[i]) for i in first])


def add_blocks(con: duckdb.DuckDBPyConnection, blocks: Iterable[tuple[str, int, int]], source_id: int = 90) -> None:
    """Blocks of linkage from (chrom, chrom_start, chrom_end)."""
    add_source(con, source_id, "blocks", effect=None, tissue=None)
    insert(con, "ld_block", [[source_id, ASSEMBLY, *block] for block in blocks])


def add_fine_mapping(con: duckdb.DuckDBPyConnection, study: Study, pip: Floats, source_id: int = 80) -> None:
    """The probability that each association's variant is causal; NaN for those that were not fine-mapped."""
    add_source(con, source_id, "credible", effect=None)
    insert(
        con, "credible (source_id, assembly, chrom, pos, ref, alt, gene_id, pip)",
        [[source_id, ASSEMBLY, study.chrom[i], int(study.pos[i]), "A", study.alt[i], study.gene[i], float(pip[i])]
         for i in range(len(pip)) if np.isfinite(pip[i])],
    )  # fmt: skip


def results(con: duckdb.DuckDBPyConnection, **asked: Any) -> list[Result]:
    """What `agdb stats` would store, by column; 200 resamples, and no strata, unless they are asked for."""
    plain: dict[str, Any] = {"resamples": 200, "stratify": (), "label_sets": ("all",)}
    names = con.execute("SELECT column_name FROM duckdb_columns() WHERE table_name = 'result'").fetchall()
    columns = dict.fromkeys(name for (name,) in names)
    return [columns | row for row in run.computed(con, run.Asked(**(plain | asked)))]


def one(rows: list[Result], metric: str = "spearman", stratum: str = "all", **wanted: object) -> Result:
    """The only result of this metric and stratum, and of what else is wanted."""
    asked = {"metric": metric, "stratum": stratum, "versus": None} | wanted
    (found,) = [row for row in rows if all(row[name] == value for name, value in asked.items())]
    return found


def rho(study: Study, own: NDArray[np.bool_] | None = None, score: Floats | None = None) -> float:
    """scipy's Spearman of the associations' effects and scores."""
    own = np.ones(len(study.effect), bool) if own is None else own
    scores = study.score if score is None else score
    return float(scipy_stats.spearmanr(study.effect[own], scores[own]).statistic)


def with_effect(study: Study, effect: Floats) -> Study:
    """The study with other effects."""
    return replace(study, effect=np.asarray(effect, float))


def of_rows(study: Study, own: NDArray[np.bool_]) -> Study:
    """The study with these associations alone."""
    kept = np.flatnonzero(own)
    columns = {name: getattr(study, name) for name in study.__dataclass_fields__}
    chosen: dict[str, Any] = {
        name: [v[i] for i in kept] if isinstance(v, list) else v[kept] for name, v in columns.items()
    }
    return replace(study, **chosen)
