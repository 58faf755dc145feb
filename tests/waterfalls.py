"""A made-up study in which every step of agdb compare-study has its data, and what each step has to find there."""

from dataclasses import dataclass

import duckdb
import numpy as np
from numpy.typing import NDArray
from rows import add_peaks, add_scorer, add_scores, add_source
from studies import Floats, Study, add_fine_mapping, add_study, drawn

Bools = NDArray[np.bool_]

#: Scorers by role: their window, and how much of the truth is in their scores.
SCORERS = {"original": (2_048, 0.05), "tracks": (2_048, 0.3), "mask": (16_384, 0.7), "rna": (16_384, 1.5)}


@dataclass(frozen=True)
class Whole:
    """The study, and per association: scores by role, whether peaks of either assembly hold its variant, its PIP."""

    study: Study
    scores: dict[str, Floats]
    as_given: Bools
    in_peaks: Bools
    pip: Floats

    @property
    def lead(self) -> Bools:
        """Whether the association has the smallest p-value of its variant."""
        p = self.study.pval_nominal
        return np.array([p[i] == p[self.study.variant == v].min() for i, v in enumerate(self.study.variant)])


def whole(seed: int = 5) -> Whole:
    """240 variants, the first 120 with two genes."""
    study = drawn(240, two_genes=120, seed=seed)
    rng = np.random.default_rng(seed)
    noise = {role: rng.standard_normal(240)[study.variant] for role in SCORERS}
    scores = {role: share * study.effect + noise[role] for role, (_, share) in SCORERS.items()}
    for role in ("original", "tracks", "mask"):  # of a variant, whatever its gene
        first = np.unique(study.variant, return_index=True)[1]
        scores[role] = scores[role][first][study.variant]
    return Whole(study, scores, study.variant % 5 < 4, study.variant % 4 > 0, rng.uniform(0.8, 1, len(study.variant)))


def add_whole(con: duckdb.DuckDBPyConnection, made: Whole) -> None:
    """All of it in the database: source 1 the associations, 2 and 3 the peaks, 80 the fine-mapping."""
    add_study(con, made.study, scorer=None)
    con.execute("UPDATE source SET qtl_type = 'eqtl'")
    for role, (window, _) in SCORERS.items():
        add_role(con, role, window)
        if role == "rna":
            for gene in sorted(set(made.study.gene)):
                own = np.flatnonzero(np.array(made.study.gene) == gene)
                add_scores(con, role, [made.study.ids()[i] for i in own], [float(made.scores[role][i]) for i in own],
                           gene=gene.split(".")[0])  # fmt: skip
        else:
            first = np.unique(made.study.variant, return_index=True)[1]
            ids = made.study.ids()
            add_scores(con, role, [ids[i] for i in first], [float(made.scores[role][i]) for i in first])
    for source, assembly, held in ((2, "GRCh37", made.as_given), (3, "GRCh38", made.in_peaks)):
        add_source(con, source, "peaks", effect=None, tissue=None, assembly=assembly, biosample="K562")
        places = sorted({(made.study.chrom[i], int(made.study.pos[i])) for i in np.flatnonzero(held)})
        add_peaks(con, source, [(chrom, pos - 1, pos + 20) for chrom, pos in places], assembly=assembly)
    con.execute("UPDATE source SET lifted_from = 'GRCh37' WHERE source_id = 3")
    add_fine_mapping(con, made.study, made.pip)


def add_role(con: duckdb.DuckDBPyConnection, role: str, window: int) -> None:
    """A scorer that is what its role says."""
    add_scorer(con, role, window, name=f"dnase-{role}" if role != "rna" else "rna-lung")
    config = {
        "original": ("DNASE", "SEQUENCE_DIFF_MEAN", None, "all"),
        "tracks": ("DNASE", "SEQUENCE_DIFF_MEAN", None, "EFO:0002067"),
        "mask": ("DNASE", "DIFF_LOG2_SUM", 501, "EFO:0002067"),
        "rna": ("RNA_SEQ", "GENE_LFC", None, "gtex_tissue=Lung"),
    }[role]
    con.execute(
        "UPDATE scorer SET output_type = ?, aggregation = ?, mask_bp = ?, track_set = ? WHERE scorer_id = ?",
        [*config, role],
    )
