"""The page of agdb report: whole, linked, escaped, cited, the same every time, and not too large."""

import base64
import hashlib
import os
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from reports import Element, add_studied, cells, change, copied, html, markdown, page, stored, tree
from studies import add_fine_mapping, add_study, drawn
from waterfalls import add_whole, whole

from agdb import db
from agdb.analysis import run, waterfall
from agdb.analysis.explain import explain
from agdb.analysis.paired import verdict
from agdb.analysis.profile import Asked as AskedOfSteps
from agdb.report.found import Asked, found


@pytest.fixture(scope="module")
def studied(template_db: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study with its results, that nobody writes to."""
    path = copied(template_db, tmp_path_factory.mktemp("report"))
    add_studied(path)
    return path


@pytest.fixture(scope="module")
def written(studied: Path) -> str:
    """Its page, with figures, as the command writes it."""
    out = studied.parent / "report.html"
    agdb(studied, out, "1")
    return out.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def shown(written: str) -> Element:
    """The same as a tree."""
    return tree(written)


@pytest.fixture
def study(studied: Path, tmp_path: Path) -> Path:
    """A copy of the study, to write to."""
    return copied(studied, tmp_path)


def agdb(path: Path, out: Path, seed: str) -> None:
    """Run agdb report in a process of its own, whose hashes have this seed."""
    command = [sys.executable, "-m", "agdb", "--db", str(path), "report", "-o", str(out)]
    subprocess.run(command, env=os.environ | {"PYTHONHASHSEED": seed}, check=True, capture_output=True)


def newer(path: Path, stratifications: tuple[str, ...], **values: object) -> None:
    """A newer run 2 that stored these stratifications anew, with other values."""
    said = "".join(f", {value} AS {name}" for name, value in values.items())
    change(path, "INSERT INTO run BY NAME SELECT * REPLACE (2 AS run_id) FROM run",
           f"INSERT INTO result BY NAME SELECT * REPLACE (result_id + 10000 AS result_id, 2 AS run_id{said}) "
           f"FROM result WHERE stratification IN {stratifications}")  # fmt: skip


def test_the_same_database_gives_the_same_bytes(studied: Path, written: str, tmp_path: Path) -> None:
    agdb(studied, tmp_path / "again.html", "2")
    assert (tmp_path / "again.html").read_text(encoding="utf-8") == written


def test_it_needs_nothing_from_elsewhere(shown: Element) -> None:
    addresses = [
        e.attributes[a] for e in shown.below() for a in ("src", "href", "srcset", "action") if a in e.attributes
    ]
    assert [a for a in addresses if not a.startswith(("#", "data:"))] == []
    style = shown.one("style").text
    assert "url(" not in style
    assert "@import" not in style


def test_its_policy_lets_no_script_run_but_its_own(shown: Element, written: str) -> None:
    policy = shown.one("meta", **{"http-equiv": "Content-Security-Policy"}).attributes["content"]
    assert "default-src 'none'" in policy
    for name in ("script", "style"):
        (body,) = re.findall(f"<{name}>(.*?)</{name}>", written, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()
        assert f"{name}-src 'sha256-{digest}'" in policy


def test_every_figure_has_a_text_with_numbers(shown: Element) -> None:
    images = shown.all("img")
    assert len(images) >= 9
    for image in images:
        assert re.search(r"\d", image.attributes["alt"])
        assert image.attributes["src"].startswith(("data:image/svg+xml;base64,", "data:image/png;base64,"))


def test_every_link_leads_somewhere_and_every_id_is_there_once(shown: Element) -> None:
    ids = [e.attributes["id"] for e in shown.below() if "id" in e.attributes]
    assert len(ids) == len(set(ids))
    targets = {a.attributes["href"].removeprefix("#") for a in shown.all("a")}
    assert targets <= set(ids)
    assert len([t for t in targets if t.startswith("result-")]) > 50


def test_every_table_has_a_caption_heads_with_a_scope_and_whole_rows(shown: Element) -> None:
    tables = shown.all("table")
    assert len(tables) >= 6
    for table in tables:
        assert table.one("caption").text
        heads = table.one("thead").all("th")
        assert {head.attributes["scope"] for head in heads} == {"col"}
        for row in table.one("tbody").all("tr"):
            own = [c for c in row.children if isinstance(c, Element)]
            assert len(own) == len(heads)
            assert [c.attributes.get("scope") for c in own if c.name == "th"] == ["row"]


def test_headings_leave_out_no_level(shown: Element) -> None:
    levels = [int(e.name[1]) for e in shown.below() if re.fullmatch("h[1-6]", e.name)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(below <= above + 1 for above, below in pairwise(levels))


def test_every_verdict_of_the_markdown_is_on_the_page(shown: Element, studied: Path) -> None:
    cards = [card.text for card in shown.one("ul", class_="verdicts").all("li")]
    assert len(cards) == markdown(studied).count("| all |")
    for card in cards:
        words = card.partition("file1 ")[2].rpartition(" result")[0]
        assert words.replace("<", "&lt;") in markdown(studied)


def test_what_is_wrong_with_the_data_stands_before_the_verdict(shown: Element) -> None:
    box = shown.one("section", class_="alerts")
    assert "failed" in box.text
    assert "check: slope agrees with p value" in box.text
    order = [e for e in shown.below() if e is box or e.attributes.get("id") == "verdict"]
    assert order[0] is box


def test_where_all_checks_pass_it_says_how_many(study: Path) -> None:
    change(study, "UPDATE qtl SET slope_se = NULL, pval_nominal = NULL", "DELETE FROM peak",
           "DELETE FROM source WHERE kind = 'peaks'")  # fmt: skip
    assert page(study).one("section", class_="alerts").text == f"All {len(db.checks())} checks of the data passed."


def test_scorers_are_compared_in_the_words_of_their_intervals(shown: Element, studied: Path) -> None:
    with db.reading(studied) as con:
        asked = con.execute("FROM result WHERE metric = 'spearman_difference' AND stratum = 'all' ORDER BY result_id")
        names = [column[0] for column in asked.description or ()]
        rows = [dict(zip(names, row, strict=True)) for row in asked.fetchall()]
    told = cells(shown.one("table", id="comparisons"))
    assert [row["verdict"].split(", but")[0] for row in told] == [verdict(row).partition(":")[0] for row in rows]
    assert [row["estimate"] for row in told] == [f"{row['estimate']:+.4f}" for row in rows]


def test_strata_are_told_with_their_numbers(shown: Element, studied: Path) -> None:
    told = cells(shown.one("table", id="strata-1"))
    wanted = stored(studied, "SELECT stratum, format('{:,}', n), format('{:+.4f}', estimate) FROM result WHERE "
                             "metric = 'spearman' AND stratification = 'kind' AND scorer = 'noise' "
                             "ORDER BY result_id")  # fmt: skip
    assert [(r["stratum"], r["n"], r["estimate"]) for r in told if r["divided by"] == "kind"] == wanted


def test_strata_of_a_run_that_had_other_rows_are_left_out_and_counted(study: Path) -> None:
    newer(study, ("all", "peak"), n=241)
    shown = page(study, scorer="noise")
    assert {r["divided by"] for r in cells(shown.one("table", id="strata-1"))} == {"peak"}
    assert {r["divided by"] for r in cells(shown.one("table", id="differences-1"))} == {"peak"}
    ((n,),) = stored(study, "SELECT count(*) FROM result WHERE scorer = 'noise' AND estimate IS NOT NULL AND metric IN "
                            "('spearman', 'spearman_difference', 'heterogeneity') AND stratification NOT IN "
                            "('all', 'peak')")  # fmt: skip
    assert f"{n} results of older runs are left out" in shown.text


def test_strata_of_an_older_run_with_the_same_rows_are_told(study: Path) -> None:
    newer(study, ("all", "peak"))
    shown = page(study, scorer="noise")
    assert {"peak", "kind"} <= {r["divided by"] for r in cells(shown.one("table", id="strata-1"))}
    assert "results of older runs" not in shown.text


def test_an_older_run_of_strata_is_among_those_that_are_told(study: Path) -> None:
    newer(study, ("all", "peak"))
    with db.reading(study) as con:
        assert found(con, Asked(scorer="noise")).run_ids == [1, 2]


def test_associations_are_counted_from_the_file_to_the_analysis(shown: Element) -> None:
    for row in cells(shown.one("table", id="counted")):
        assert (row["kept"], row["usable"], row["scored"], row["analysed"]) == ("240",) * 4


def test_what_was_lost_is_told_with_its_reason(study: Path) -> None:
    change(study, "DELETE FROM scored_variant WHERE computation_id = 'u' AND chrom = 'chr1'",
           "DELETE FROM prediction WHERE computation_id = 'u' AND chrom = 'chr1'",
           "UPDATE variant SET ref_status = 'mismatch' WHERE chrom = 'chr2'")  # fmt: skip
    lost = dict(stored(study, "SELECT chrom::VARCHAR, count(*) FROM qtl GROUP BY ALL"))
    (row,) = [row for row in cells(page(study).one("table", id="counted")) if row["window, bp"] == "300"]
    assert row["usable"] == f"{240 - lost['chr2']}"
    assert row["scored"] == f"{240 - lost['chr2'] - lost['chr1']}"
    assert f"scored: {lost['chr1']} not asked for" in row["lost on the way"]


def rows_of(shown: Element, result_id: int) -> tuple[str, str]:
    """SQL to which the way back leads from a result, and the condition that keeps its own rows; "" for none."""
    box = shown.one("details", id=f"result-{result_id}")
    query = shown.one("details", id=box.one("a").attributes["href"].removeprefix("#"))
    kept = box.all("code")
    return "".join(map(str, query.one("pre").children)), kept[0].text if kept else ""


def test_the_sql_of_a_number_gives_its_rows(shown: Element, studied: Path) -> None:
    wanted = stored(studied, "SELECT result_id, n FROM result WHERE metric = 'spearman' AND versus IS NULL AND "
                             "stratification IN ('all', 'kind', 'maf') AND estimate IS NOT NULL")  # fmt: skip
    assert len(wanted) > 12
    for result_id, n in wanted:
        base, kept = rows_of(shown, result_id)
        where = f" WHERE {kept}" if kept else ""
        assert stored(studied, f"SELECT count(*) FROM (FROM ({base}){where})") == [(n,)]


def test_the_sql_of_causal_variants_is_that_of_explain(template_db: Path, tmp_path: Path) -> None:
    path = copied(template_db, tmp_path)
    with db.writing(path) as con:
        study = drawn()
        add_study(con, study)
        add_fine_mapping(con, study, np.where(study.variant % 4 == 0, 0.95, 0.05))
    run.stats(path, run.Asked(label_sets=("all",), resamples=200, stratify=("kind",), shifts=0))
    shown = page(path)
    for metric in ("spearman", "causal_auroc"):
        of_metric = f"SELECT result_id FROM result WHERE metric = '{metric}' AND stratification = 'all'"
        ((result_id,),) = stored(path, of_metric)
        with db.reading(path) as con:
            assert f"{rows_of(shown, result_id)[0]};" in "\n".join(explain(con, result_id))


def test_provenance_has_every_file_with_its_sha256_and_every_scorer_whole(shown: Element, studied: Path) -> None:
    told = {(row["name"], row["sha256"]) for row in cells(shown.one("table", id="sources"))}
    assert told == set(stored(studied, "SELECT name, sha256 FROM source"))
    configs = {p.one("code").text for p in shown.all("p", class_="scorer")}
    assert configs == {config for (config,) in stored(studied, "SELECT config FROM scorer")}


def test_a_file_that_was_fetched_says_from_where_and_on_what_terms(study: Path) -> None:
    change(study, "UPDATE source SET url = 'https://example.org/file1', licence = 'CC0', citation = 'Somebody 2020' "
                  "WHERE source_id = 1")  # fmt: skip
    shown = page(study)
    assert [row["from"] for row in cells(shown.one("table", id="sources"))] == ["https://example.org/file1", ""]
    assert "file1: CC0; cite Somebody 2020" in shown.text


def test_only_methods_that_were_used_are_told_and_cited(study: Path) -> None:
    before = page(study).one("main").text
    assert "Zou GY 2007" in before
    assert "Fieller EC" not in before
    assert stored(study, "SELECT count(estimate) FROM result WHERE metric = 'spearman_fiqt'") == [(0,)]
    assert "Bigdeli TB" not in before
    change(study, "DELETE FROM result WHERE metric = 'spearman_difference'",
           "UPDATE result SET metric = 'kendall' WHERE metric = 'partial_spearman'")  # fmt: skip
    after = page(study).one("main").text
    assert "Zou GY 2007" not in after
    assert "Fieller EC" in after


def test_data_and_models_that_the_results_did_not_use_are_not_cited(study: Path) -> None:
    change(study, "UPDATE source SET format = 'gtex' WHERE kind = 'qtl'",
           "INSERT INTO source BY NAME SELECT * REPLACE (70 AS source_id, 'credible' AS kind, 'susie' AS format, "
           "'70' AS sha256) FROM source WHERE source_id = 1",
           "INSERT INTO source BY NAME SELECT * REPLACE (71 AS source_id, 'Liver' AS tissue, "
           "'eqtl_catalogue' AS format, '71' AS sha256) FROM source WHERE source_id = 1",
           "INSERT INTO scorer BY NAME SELECT * REPLACE ('x' AS scorer_id, 'alphagenome' AS model) FROM scorer "
           "WHERE scorer_id = 's'")  # fmt: skip
    works = page(study).one("main").one("ol").text
    assert "GTEx Consortium" in works
    assert not [name for name in ("Kerimov", "Wang G", "Avsec") if name in works]
    change(study, "UPDATE source SET tissue = 'Lung' WHERE source_id = 71",
           "UPDATE result SET metric = 'causal_auprc' WHERE metric = 'partial_spearman'",
           "UPDATE scorer SET model = 'alphagenome' WHERE scorer_id = 's'")  # fmt: skip
    works = page(study).one("main").one("ol").text
    assert [name for name in ("Kerimov", "Wang G", "Avsec") if name in works] == ["Kerimov", "Wang G", "Avsec"]


def test_citations_are_numbered_as_they_are_listed(shown: Element) -> None:
    (works,) = shown.one("main").all("ol")
    cited = [int(n) for n in re.findall(r"\[(\d+)\]", shown.one("main").text.partition("Methods")[2])]
    assert list(dict.fromkeys(cited)) == list(range(1, len(works.all("li")) + 1))


def test_nothing_of_the_database_becomes_markup(template_db: Path, tmp_path: Path) -> None:
    path = copied(template_db, tmp_path)
    bad = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>&amp;|`"
    add_studied(path, tissue=bad)
    with db.writing(path) as con:
        con.execute("UPDATE source SET name = ?, format = ?, biosample = ?", [bad] * 3)
        con.execute("UPDATE scorer SET config = json_object('x', ?)", [bad])
        con.execute("UPDATE result SET source = ?, method = ?, expected = ?", [bad, bad, f"0 to 1 ({bad})"])
        con.execute("UPDATE run SET arguments = json_object('x', ?), software = ?", [bad] * 2)
    shown = page(path)
    assert len(shown.all("script")) == 1
    assert shown.all("img") == []
    assert [e.name for e in shown.below() if any(a.startswith("on") for a in e.attributes)] == []
    assert bad in shown.one("table", id="sources").text
    told = markdown(path)
    assert "<script" not in told
    assert "<img" not in told


def test_a_study_of_many_scorers_stays_below_5_mb(study: Path) -> None:
    change(study, "INSERT INTO result BY NAME SELECT r.* REPLACE (r.result_id + 10000 * k AS result_id, "
                  "'s' || k AS scorer_id, 'scorer number ' || k AS scorer) "
                  "FROM result AS r, range(1, 60) AS t(k) WHERE r.scorer_id = 's'",
           "INSERT INTO scorer BY NAME SELECT s.* REPLACE ('s' || k AS scorer_id, 'scorer number ' || k AS name) "
           "FROM scorer AS s, range(1, 60) AS t(k) WHERE s.scorer_id = 's'",
           "DELETE FROM qtl WHERE pos > 300000")  # fmt: skip
    text = html(study)
    assert len(text.encode()) < 3_000_000  # which leaves 2 MB for figures
    assert len(cells(tree(text).one("table", id="agreement"))) == 62


def test_the_steps_of_compare_study_are_told(template_db: Path, tmp_path: Path) -> None:
    path = copied(template_db, tmp_path)
    with db.writing(path) as con:
        add_whole(con, whole())
    waterfall.compare(path, AskedOfSteps(resamples=200))
    shown = page(path)
    assert "Only agdb compare-study has stored results" in shown.text
    told = cells(shown.one("table", id="steps"))
    wanted = stored(path, "SELECT step, format('{:+.4f}', spearman) FROM study_step ORDER BY place")
    assert [(row["step"], row["spearman"]) for row in told] == wanted
    assert len(wanted) == 8
    of_steps = "SELECT result_id, n FROM result WHERE metric = 'spearman' AND estimate IS NOT NULL"
    for result_id, n in stored(path, of_steps):
        assert stored(path, f"SELECT count(*) FROM ({rows_of(shown, result_id)[0]})") == [(n,)]
