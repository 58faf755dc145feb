"""The whole path on a study whose truth is known, as a marimo notebook: `marimo edit notebooks/demo.py`.

Run as a script (`python notebooks/demo.py`) it does the same and prints the answer. It works in ./notebook-study, and
where that is there already it goes on with it.
"""

import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium", app_title="agdb: a study in a notebook")


@app.cell
def _():
    from pathlib import Path

    import marimo as mo

    import agdb
    from agdb.demo import known_answer
    from agdb.simulate import write_study

    return Path, agdb, known_answer, mo, write_study


@app.cell
def _(mo):
    mo.md("""
    # Does a score agree with what was measured?

    A simulated study: a genome with planted motifs, peaks, and eQTLs whose slopes follow the planted effects inside
    peaks. The truth is known, so that what is found can be held against it.
    """)
    return


@app.cell
def _(Path, agdb, write_study):
    folder = Path("notebook-study")
    is_new = not folder.exists()
    files = write_study(folder / "study", 3000, 1) if is_new else None
    study = agdb.create(folder / "study.duckdb")
    return files, is_new, study


@app.cell
def _(files, is_new, study):
    if is_new:
        study.ingest.gtex(files.pairs, tissue="Simulated_Blood")
        study.ingest.peaks(files.peaks, biosample="Simulated", assembly="GRCh38")
        study.ingest.genome(files.genome, assembly="GRCh38")
    scored = study.predict("motif")  # what was scored is not scored again
    ready = True
    return ready, scored


@app.cell
def _(mo):
    mo.md("""
    ## In peaks and outside

    Variants lie in peaks by a range join in SQL; `stats` correlates score and slope, with intervals that resample
    blocks of linked variants, and stores every number in table `result`.
    """)
    return


@app.cell
def _(ready, study):
    assert ready
    results = study.stats("all", stratify=("peak",), resamples=500)
    by_stratum = {
        row["stratum"]: row
        for row in results.to_pylist()
        if row["metric"] == "spearman" and row["stratification"] == "peak"
    }
    results.select(["stratum", "metric", "n", "estimate", "ci_low", "ci_high", "q"]).to_pandas()
    return (by_stratum,)


@app.cell
def _(by_stratum, files, known_answer, mo):
    truth = known_answer(files) if files else {}
    lines = [
        f"| {name} | {row['n']:,} | {row['estimate']:+.4f} | {row['ci_low']:+.3f} to {row['ci_high']:+.3f} | "
        f"{f'{truth[name][1]:+.4f}' if name in truth else 'see the first run'} |"
        for name, row in sorted(by_stratum.items())
    ]
    told = "\n".join(["| variants | n | found | 95 % interval | known |", "|---|---:|---:|---|---:|", *lines])
    print(told)
    mo.md(told)
    return (truth,)


@app.cell
def _(mo):
    mo.md("""
    ## A figure

    It comes with the numbers that it draws, and with what it shows in a sentence.
    """)
    return


@app.cell
def _(ready, study):
    assert ready
    drawn = study.plot("scatter", scorer="motif", stratum="peak: in peak")
    print(drawn.told)
    drawn.figure
    return


@app.cell
def _(mo):
    mo.md("""
    ## A question of your own

    SQL answers, with macros for intervals; change it and run the cell.
    """)
    return


@app.cell
def _(ready, study):
    assert ready
    by_kind = study.sql(
        """
        SELECT kind, count(*) AS n, sign_concordance(slope, score) AS same_sign,
               wilson(count(*) FILTER (slope * score > 0), count(*) FILTER (slope * score <> 0)) AS interval
        FROM scored_qtl WHERE in_peak AND abs(slope) > $cut GROUP BY kind ORDER BY kind
        """,
        cut=0.2,
    )
    by_kind.to_pandas()
    return (by_kind,)


if __name__ == "__main__":
    app.run()
