"""Verdicts in words, from stored intervals alone: what was found, and what would have been missed."""

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from agdb.analysis.expected import bounds
from agdb.analysis.paired import verdict as difference
from agdb.report.found import Found, Group, Result

#: What a verdict is, and the words that stand beside it.
KINDS = {
    "agreement": "agreement",
    "agreement-by-chance": "agreement, perhaps by chance",
    "opposite": "opposite",
    "opposite-by-chance": "opposite, perhaps by chance",
    "undetected": "none detected",
    "open": "no verdict",
}

#: Clusters below which intervals and tests are rough (docs/statistics.md).
FEW = 30


class Verdict(NamedTuple):
    """What the results of a group say. `kind` is a key of KINDS; `expected` what the field has found, or None."""

    kind: str
    group: Group
    text: str
    expected: str | None


def verdict(group: Group) -> Verdict:
    """The verdict of a group."""
    row = group.main
    return Verdict(_kind(row), group, " ".join(_sentences(group, row)), _expected(row))


def _kind(row: Result) -> str:
    if row["ci_low"] is None:
        return "open"
    if row["ci_low"] <= 0 <= row["ci_high"]:
        return "undetected"
    way = "agreement" if row["ci_low"] > 0 else "opposite"
    return f"{way}-by-chance" if _by_chance(row) else way


def _by_chance(row: Result) -> bool:
    """Whether chance alone may have made it among the tests of its family."""
    return row["q"] is not None and bool(row["q"] > 0.05)


def _has_few(row: Result) -> bool:
    return row["n_clusters"] is not None and bool(row["n_clusters"] < FEW)


def _sentences(group: Group, row: Result) -> list[str]:
    rows = f"{row['n']:,} {row['unit']}{'s' * (row['n'] != 1)}"
    if row["ci_low"] is None:
        if row["estimate"] is None:
            return [f"No verdict: {row['reason']}."]
        return [f"No verdict: {row['reason']}. rho = {row['estimate']:+.3f} of {rows}, without an interval."]
    rho = f"rho = {row['estimate']:+.3f}, 95 % CI {row['ci_low']:+.3f} to {row['ci_high']:+.3f} ({rows})."
    is_p = group.label == "pval_nominal"
    score, effect = ("score", "effect") if group.is_signed else ("|score|", "|effect|")
    effect = "p-value" if is_p else effect
    if _kind(row) == "undetected":
        told = ["No relation with the p-value was detected:" if is_p else "No agreement was detected:", rho]
        if row["detectable"] is not None:
            told.append(f"No correlation larger than {row['detectable']:.3f}, of either sign, would have been missed "
                        "more often than in one such study of five; a smaller one may hide here.")  # fmt: skip
    else:
        way = "larger" if row["ci_low"] > 0 else "smaller"
        told = [f"The larger the {score}, the {way} the {effect}: {rho}"]
        if _by_chance(row):
            told.append(
                f"Among the tests of its family (strata included) chance alone may have made it: q = {row['q']:.2g}."
            )
    if _has_few(row):
        told.append(f"It rests on {row['n_clusters']} clusters only: interval and test are rough.")
    if is_p:
        told.append("A p-value has no direction: this is no test of agreement.")
    return [*told, *_by_strata(group), *_causal(group)]


def _by_strata(group: Group) -> Iterator[str]:
    """In peaks and outside of them, which is what such a study is about; and what else divides the rows."""
    for row in group.differences:
        told = row["ci_low"] is not None and (row["detectable"] or 0) < 1  # of a handful of rows it says nothing
        if row["stratification"] == "peak" and row["metric"] != "heterogeneity" and told:
            here, there = (
                [s for s in group.strata["peak"] if s["stratum"] == row[name]] for name in ("stratum", "versus")
            )
            if here and there:
                yield (f"By peaks: {row['stratum']} rho = {here[0]['estimate']:+.3f}, {row['versus']} "
                       f"{there[0]['estimate']:+.3f}; {difference(row)}.")  # fmt: skip
    apart = [row["stratification"] for row in group.differences
             if row["metric"] == "heterogeneity" and row["q"] is not None and row["q"] < 0.05]  # fmt: skip
    if others := [name for name in apart if name != "peak"]:
        yield f"Its strata by {_and(others)} differ (joint test, q < 0.05)."


def _causal(group: Group) -> Iterator[str]:
    """Whether it tells fine-mapped variants from matched controls, and better than nearness to the TSS does."""
    area, gain = (group.measures.get(metric) for metric in ("causal_auroc", "causal_auroc_gain"))
    if area is None or area["estimate"] is None or area["ci_low"] is None:
        return
    yield (f"Fine-mapped variants against matched controls: AUROC = {area['estimate']:.3f}, 95 % CI "
           f"{area['ci_low']:.3f} to {area['ci_high']:.3f}, chance 0.5.")  # fmt: skip
    if gain is not None and gain["ci_low"] is not None:
        yield f"Beyond nearness to the TSS: {difference(gain)}."


def _expected(row: Result) -> str | None:
    """Where the interval lies beside what the field has found."""
    if row["expected"] is None:
        return None
    if row["ci_low"] is None:
        return f"The field has found {row['expected']}."
    low, high = bounds(row["expected"])
    if row["ci_low"] > high or row["ci_high"] < low:
        return f"The field has found {row['expected']}; this interval lies outside: look for a bug first."
    within = low <= row["estimate"] <= high
    return f"The field has found {row['expected']}; " + ("this lies within." if within else "this interval reaches it.")


def question(found: Found) -> str:
    """What the study asks, in one sentence."""
    if not found.groups:
        return "What does each correction of the original study do to the correlation of score and effect?"
    windows: dict[str, list[int]] = {}
    for group in found.groups:
        seen = windows.setdefault(group.scorer, [])
        seen += [group.window_bp] if group.window_bp not in seen else []
    scorers = [f"{name} ({_and([f'{w:,}' for w in sorted(widths)])} bp)" for name, widths in windows.items()]
    labels = list(dict.fromkeys(f"{_LABELS.get(g.label, g.label)} of {g.tissue}" for g in found.groups))
    return f"Do the scores of {_and(scorers)} agree with what was measured: {_and(labels)}?"


_LABELS = {"slope": "the slopes", "conditional_slope": "the conditional slopes", "pval_nominal": "the p-values"}


def _and(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def headline(verdicts: list[Verdict]) -> str:
    """The verdicts of all groups whose label has a direction, counted; and how fine the finest of them is."""
    directed = [v for v in verdicts if v.group.label != "pval_nominal" and v.kind != "open"]
    if not verdicts:
        return (
            "Only agdb compare-study has stored results, which stand below step by step; agdb stats has not been run."
        )
    if not directed:
        return "No score has an interval against effects that have a direction: there is no verdict."
    if len(directed) == 1:
        return directed[0].text
    told = _counted(Counter(v.kind for v in directed), len(directed))
    if few := sum(_has_few(v.group.main) for v in directed):
        who = "All of them rest" if few == len(directed) else f"{few} of them rest{'s' * (few == 1)}"
        told += f" {who} on fewer than {FEW} clusters: intervals and tests are rough."
    finest = min(
        (v for v in directed if v.group.main["detectable"]), key=lambda v: v.group.main["detectable"], default=None
    )
    if finest is None:
        return told
    g = finest.group
    return (f"{told} The finest of them, {g.named}, would have found a correlation of "
            f"{g.main['detectable']:.3f} in four such studies of five.")  # fmt: skip


def _counted(kinds: Counter[str], n: int) -> str:
    compared = f"{n} comparisons of a scorer with a label that have an interval"
    if kinds["undetected"] == n:
        return f"In none of {compared} was agreement detected."
    if kinds["agreement"] == n:
        return f"In all {compared} the score agrees with the effect."
    words = {
        "agreement": "agreement",
        "agreement-by-chance": "agreement that chance alone may have made (q > 0.05)",
        "opposite": "the opposite",
        "opposite-by-chance": "the opposite, which chance alone may have made (q > 0.05)",
        "undetected": "none that could be detected",
    }
    shown = [f"{k} show{'s' * (k == 1)} {said}" for kind, said in words.items() if (k := kinds[kind])]
    return f"Of {compared}, {_and(shown)}."
