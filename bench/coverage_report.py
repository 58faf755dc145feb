"""Tables of what `bench.coverage` finds, in Markdown."""

import numpy as np
from scipy import stats

from bench.coverage import Held, Setting, truth

Found = dict[Setting, dict[str, Held]]

#: Statistics that have intervals, and tests that have none; as the columns of the tables are named.
INTERVALS = {
    "spearman": "Spearman", "pearson": "Pearson", "abs_spearman": "abs. Spearman",
    "sign_concordance": "sign concordance", "sign_auroc": "sign AUROC", "partial_spearman": "partial",
    "spearman of a stratum": "stratum",
    "spearman of half of the clusters": "stratum of half of the clusters", "difference of strata": "two strata",
    "difference of halves": "two strata, clusters apart", "difference of like scorers": "two scorers",
    "difference of unlike scorers": "two scorers, unlike",
}  # fmt: skip
ANALYTIC = ("spearman", "pearson", "abs_spearman", "sign_concordance", "sign_auroc", "difference of like scorers")
TESTS = {
    **{name: INTERVALS[name] for name in (
        "spearman", "pearson", "sign_concordance", "sign_auroc", "partial_spearman", "difference of strata",
        "difference of halves", "difference of like scorers")},
    "heterogeneity of thirds": "three strata at once", "heterogeneity of sixths": "six strata at once",
    "heterogeneity of fifths": "five strata at once, clusters apart",
    "max-T of three scorers": "max-T, three scorers",
    "permutation_spearman": "permutation",
}  # fmt: skip
#: What a nominal 95 % interval, and a test at 5 %, may be off by.
COVERAGE_BAND, REJECTED_BAND = (93.0, 97.0), (4.0, 6.0)


def planted(found: Found) -> dict[Setting, float]:
    """Settings whose Spearman is what studies without an effect say is detectable, by that value."""
    least = {s: of["spearman"].detectable for s, of in found.items() if s.rho == 0 and s.shape == "normal"}
    return {s._replace(rho=float(2 * np.sin(np.pi / 6 * rho))): rho for s, rho in least.items() if rho < 0.9}


def tables(found: Found, again: Found) -> str:
    """Coverage, coverage of the intervals of independent rows, type I error, power."""
    n = next(iter(found.values()))["spearman"].studies
    null = {s: of for s, of in found.items() if s.rho == 0}
    return "\n".join([
        f"Share of {2 * n:,} studies a row ({n:,} of other shapes than normal; half without an effect, half with rho = "
        "0.3) whose nominal 95 % interval of clusters holds the truth, in %:", "",
        *_grid(_pairs(found), INTERVALS, lambda of, name: _mean([h[name].coverage for h in of]), COVERAGE_BAND), "",
        "The same of the intervals that take rows as independent (`analytic_low`, `analytic_high`):", "",
        *_grid(_pairs(found), {name: INTERVALS[name] for name in ANALYTIC},
               lambda of, name: _mean([h[name].analytic_coverage for h in of]), COVERAGE_BAND), "",
        f"Share of {n:,} studies without an effect ({n // 2:,} of other shapes) in which a test at 5 % finds one:",
        "",
        *_grid({s: [of] for s, of in null.items()}, TESTS, lambda of, name: _mean([h[name].rejected for h in of
                                                                                   if name in h]), REJECTED_BAND), "",
        f"Power at rho = 0.3, found in {n:,} studies, and of a t test of as many clusters of equal weight with the SD "
        "that the estimates have (theory), in %:", "", *_power(found), "",
        f"Share of {n // 2:,} studies with a Spearman as large as `detectable` says would be found in 80 %, in %:", "",
        *_detected(found, again), "",
    ])  # fmt: skip


def _pairs(found: Found) -> dict[Setting, list[dict[str, Held]]]:
    """By setting without its rho: what was found without an effect, and with."""
    return {s: [found[s], found[s._replace(rho=0.3)]] for s in found if s.rho == 0 and s._replace(rho=0.3) in found}


def _grid(found, columns, value, band) -> list[str]:  # type: ignore[no-untyped-def]
    """A row a setting; numbers outside of the band are bold."""
    lines = ["| clusters | ICC | shape | " + " | ".join(columns.values()) + " |",
             "|---:|---:|---|" + "---:|" * len(columns)]  # fmt: skip
    for setting, of in found.items():
        cells = [_cell(100 * value(of, name), band) for name in columns]
        lines.append(f"| {setting.clusters} | {setting.icc:g} | {setting.shape} | {' | '.join(cells)} |")
    return lines


def _cell(value: float, band: tuple[float, float]) -> str:
    if np.isnan(value):
        return ""
    return f"{value:.1f}" if band[0] <= round(value, 1) <= band[1] else f"**{value:.1f}**"


def _mean(values: list[float]) -> float:
    return float(np.mean(values)) if values else np.nan


def theory(true_on_line: float, sd: float, clusters: int) -> float:
    """Power of a t test with clusters - 1 degrees of freedom whose standard error is the SD of the estimates."""
    df = clusters - 1
    critical = stats.t.isf(0.025, df)
    away = true_on_line / sd
    if away > critical + 10:  # where scipy's non-central t gives up
        return 1.0
    return float(stats.nct.sf(critical, df, away) + stats.nct.cdf(-critical, df, away))


def _power(found: Found) -> list[str]:
    names = ("spearman", "sign_concordance", "sign_auroc", "difference of unlike scorers")
    heads = [f"{INTERVALS[name]} | theory" for name in names]
    lines = ["| clusters | ICC | " + " | ".join(heads) + " |", "|---:|---:|" + "---:|" * 2 * len(names)]
    for setting, of in found.items():
        if setting.rho == 0 or setting.shape != "normal":
            continue
        cells = []
        for name in names:
            true = truth(setting)[name]
            line = np.log(true / (1 - true)) if name.startswith("sign") else np.arctanh(true)
            expected = theory(line, of[name].line_sd, setting.clusters)  # NaN where scipy's non-central t gives up
            cells += [f"{100 * of[name].rejected:.0f}", f"{100 * expected:.0f}" if np.isfinite(expected) else ""]
        lines.append(f"| {setting.clusters} | {setting.icc:g} | {' | '.join(cells)} |")
    return lines


def _detected(found: Found, again: Found) -> list[str]:
    lines = ["| clusters | ICC | detectable | found |", "|---:|---:|---:|---:|"]
    for setting, least in planted(found).items():
        lines.append(
            f"| {setting.clusters} | {setting.icc:g} | {least:.3f} | {100 * again[setting]['spearman'].rejected:.0f} |"
        )
    return lines
