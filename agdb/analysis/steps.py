"""The steps from the original study to the right one, as SQL: the rows of each, their label and their score."""

import json
from dataclasses import replace
from typing import Any, NamedTuple

import duckdb

from agdb.analysis import profile
from agdb.analysis.profile import Asked, Chosen, Scorer
from agdb.analysis.results import Result

#: The steps in their order; view study_step says what each of them changes.
STEPS = ("published", "slope", "peaks", "tracks", "mask", "variants", "fine-mapped", "RNA_SEQ")


#: Method of the result of a step that was not made.
LEFT_OUT = "left out"


class State(NamedTuple):
    """What a step is computed on."""

    label: str
    scorer: Scorer
    conditions: tuple[str, ...]
    unit: str

    def is_paired(self, other: "State") -> bool:
        """Whether they differ in label or scorer, so that they are compared on the rows that both have."""
        return self.label != other.label or self.scorer != other.scorer

    @property
    def sql(self) -> str:
        """The rows, of `study`, in genome order."""
        effect, score = ("p_value" if self.label == "pval_nominal" else "slope"), f'"{self.scorer.scorer_id}"'
        where = " AND ".join([f"{effect} IS NOT NULL", f"{score} IS NOT NULL", *self.conditions])
        lead = ("" if self.unit == "pair" else "\nQUALIFY row_number() OVER (PARTITION BY variant ORDER BY p_value, "
                "abs(slope) DESC, phenotype_id) = 1")  # fmt: skip
        return (f"SELECT place, {effect} AS effect, {score} AS score, slope_se, variant, phenotype, cluster\nFROM study"
                f"\nWHERE {where}{lead}\nORDER BY place")  # fmt: skip


def study_sql(what: Chosen) -> str:
    """SQL of all rows of the study: table `study` of the states."""
    ids = list(dict.fromkeys(of.scorer_id for of in what.scorers.values()))
    scores = "".join(f",\n         max(score) FILTER (scorer_id = '{i}') AS \"{i}\"" for i in ids)
    condition = f"\n    AND ({what.labels.condition})" if what.labels.condition else ""
    cluster = {"block": "(chrom, cluster_start)", "gene": "phenotype_id", "chrom": "chrom"}[what.labels.cluster]
    key = "chrom, pos, ref, alt"
    held = "".join(
        f",\n       ({key}) IN (\n         SELECT ({key}) FROM {view} WHERE source_id IN ({', '.join(map(str, of))})"
        f"\n       ) AS {name}"
        for name, view, of in (("in_peaks_as_given", _as_given(what), what.peaks_as_given),
                               ("in_peaks", "variant_in_peak", what.peaks)) if of
    )  # fmt: skip
    return f"""
WITH pair AS (
  SELECT assembly, chrom, pos, ref, alt, phenotype_id, max(cluster_start) AS cluster_start, max(pip) AS pip,
         max(effect - null_value) FILTER (label = 'slope') AS slope, max(slope_se) AS slope_se,
         coalesce(max(effect) FILTER (label = 'pval_nominal'), max(pval_nominal)) AS p_value{scores}
  FROM analysed_qtl
  WHERE source_id = {what.source.source_id} AND label IN ('slope', 'pval_nominal')
    AND scorer_id IN ({", ".join(f"'{i}'" for i in ids)}){condition}
  GROUP BY assembly, chrom, pos, ref, alt, phenotype_id
)
SELECT *, row_number() OVER (ORDER BY {key}, phenotype_id) AS place,
       dense_rank() OVER (ORDER BY {key}) AS variant,
       dense_rank() OVER (ORDER BY phenotype_id) AS phenotype,
       dense_rank() OVER (ORDER BY {cluster}) AS cluster{held}
FROM pair""".strip()


def _as_given(what: Chosen) -> str:
    """SQL of the variants in peaks of another assembly, as if it were theirs; their first base, as the study had it."""
    return f"""(
           SELECT v.chrom, v.pos, v.ref, v.alt, p.source_id
           FROM variant AS v
           JOIN peak_bin AS p
             ON p.chrom = v.chrom AND p.bin = v.chrom_start >> 11
            AND v.chrom_start < p.chrom_end AND v.chrom_start >= p.chrom_start
           WHERE v.assembly = '{what.source.assembly}'
         )"""


def begin(what: Chosen) -> State:
    """The study as it was: p-values as the label, peaks as given, its scorer, pairs as rows."""
    conditions = ("in_peaks_as_given",) if what.peaks_as_given else ()
    return State("pval_nominal" if what.source.p_values else "slope", what.start, conditions, "pair")


def changed(step: str, state: State, what: Chosen) -> State | str:
    """The state that a step makes of the one before; or why it cannot be made."""
    scorers, source = what.scorers, what.source
    if step == "slope":
        if state.label == "slope":
            return "the source has no p-values: it begins with the slope"
        return state._replace(label="slope") if source.slopes else (
            f"no slope is known of these pairs: agdb ingest gtex a file of {source.tissue} that has it")  # fmt: skip
    if step == "peaks":
        return state._replace(conditions=("in_peaks",)) if what.peaks else (
            f"no peaks of {source.assembly} are there: agdb ingest peaks FILE --biosample K562 --assembly ..., with "
            "--lift CHAIN where they are of another")  # fmt: skip
    if step == "variants":
        return state._replace(unit="variant")
    if step == "fine-mapped":
        if not source.is_fine_mapped:
            return f"no fine-mapping of {source.tissue} is there: agdb ingest credible FILE --tissue {source.tissue}"
        return state._replace(conditions=(*state.conditions, f"pip > {what.pip:g}"))
    role = {"tracks": "tracks", "mask": "mask", "RNA_SEQ": "rna"}[step]
    if role not in scorers:
        return {
            "tracks": f"no scorer differs from {state.scorer.told} in its tracks alone: agdb predict original --tracks "
                      f"{profile.K562} --name original-k562",
            "mask": "no scorer has a centre mask of 501 bp: agdb predict dnase-k562",
            "rna": "no scorer of expression has scored these rows: agdb predict rna --gtex-tissue " + source.tissue,
        }[role]  # fmt: skip
    if scorers[role].scorer_id == state.scorer.scorer_id:
        return f"it begins with {state.scorer.told}"
    return state._replace(scorer=scorers[role])


class Walked(NamedTuple):
    """What a stored run was of, and the state of each of its steps; that of a step that was left out is the last."""

    what: Chosen
    states: dict[str, State]


def walked(con: duckdb.DuckDBPyConnection, run_id: int) -> Walked:
    """The steps of a stored run. To look for its scorers again takes most of the time of `agdb explain`."""
    stored = con.execute("SELECT arguments FROM run WHERE run_id = ?", [run_id]).fetchall()
    asked: dict[str, Any] = json.loads(stored[0][0])
    for name in ("peaks", "peaks_as_given"):
        asked[name] = tuple(asked[name])
    what = profile.chosen(con, Asked(**asked))
    # a scorer of a role that nobody had then may have come since, and the study would begin with it
    what = replace(what, scorers={role: of for role, of in what.scorers.items() if role in asked})
    found = con.execute(
        "SELECT stratum FROM result WHERE run_id = ? AND metric = 'spearman' AND method <> ?", [run_id, LEFT_OUT]
    ).fetchall()
    kept = {name for (name,) in found}
    state = begin(what)
    states = {STEPS[0]: state}
    for step in STEPS[1:]:
        new = changed(step, state, what) if step in kept else ""
        state = states[step] = state if isinstance(new, str) else new
    return Walked(what, states)


def sql_of(row: Result, of: Walked) -> str:
    """SQL of the rows of a stored step. Of a difference, the rows of both steps that entered it."""
    both = [name for name in (row["versus"], row["stratum"]) if name is not None]
    of_each = "\nUNION ALL\n".join(f"SELECT '{name}' AS step, * FROM (\n{of.states[name].sql}\n)" for name in both)
    is_shared = len(both) == 2 and of.states[both[0]].is_paired(of.states[both[1]])
    only = "\nQUALIFY count(*) OVER (PARTITION BY place) = 2" if is_shared else ""
    return (
        f"WITH study AS (\n{study_sql(of.what)}\n)\nFROM (\n{of_each}\n)\n"
        f"JOIN (SELECT place, chrom, pos, ref, alt, phenotype_id FROM study) USING (place){only}"
    )
