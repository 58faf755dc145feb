"""Feather files: the official evaluations keep what was measured (`target`) and the prediction side by side in one."""

from dataclasses import replace
from pathlib import Path

import duckdb
import make
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from conftest import Ask
from scipy import stats

from agdb.errors import Refused
from agdb.ingest import predictions, preset, qtl, rows, source
from agdb.ingest.variant_table import Options
from agdb.predictors.contract import Computation, Scorer

Connection = duckdb.DuckDBPyConnection
COMPUTED = Computation("import", "alphagenome", "ALL_FOLDS", "", "DNASE", 1_048_576, 501, "DIFF_LOG2_SUM", True)


def evaluation(n: int = 30) -> pd.DataFrame:
    """n caQTLs with their predictions, as one table."""
    chance = np.random.default_rng(3)
    target = chance.normal(size=n)
    return pd.DataFrame(
        {
            "variant_id": [make.variant(i).removesuffix("_b38") for i in range(n)],
            "target": target,
            "prediction": 0.5 * target + chance.normal(size=n),
            "peak": pd.Categorical([f"peak{i % 3}" for i in range(n)]),
        }
    )


def as_preset(kind: str, **columns: str) -> preset.Preset:
    maps = [",".join(f"{field}={column}" for field, column in columns.items())]
    return preset.from_options(maps, kind=kind, assembly="GRCh38", effect_allele="alt", effect_unit="beta",
                               qtl_type="caqtl")  # fmt: skip


def test_what_was_measured_and_what_was_predicted_meet_from_one_file(con: Connection, ask: Ask, tmp_path: Path) -> None:
    table = evaluation()
    table.to_feather(path := tmp_path / "caqtl_predictions.feather")
    measured = as_preset("qtl", variant_id="variant_id", slope="target", molecular_trait_id="peak")
    qtl.ingest(con, path, [measured], Options(tissue="LCL"))
    scored = as_preset("predictions", variant_id="variant_id", score="prediction")
    predictions.ingest(con, path, scored, Scorer("dnase-gm12878", (COMPUTED,)), Options())
    found = ask("SELECT spearman, n FROM correlation")
    assert found == [(pytest.approx(stats.spearmanr(table.target, table.prediction).statistic), len(table))]


def test_text_as_polars_writes_it_is_looked_at_as_text(con: Connection, ask: Ask, tmp_path: Path) -> None:
    """It is of the type string_view; NA stands for a missing value there too, and 1_0 is no number."""
    texts = {"v": [make.variant(i).removesuffix("_b38") for i in range(2)], "b": ["0.5", "-0.25"], "m": ["NA", "0.1"],
             "g": ["ENSG01", "ENSG02"]}  # fmt: skip
    path = tmp_path / "a.feather"
    maps = {"variant_id": "v", "slope": "b", "maf": "m", "gene_id": "g"}

    def load() -> source.Loaded:
        table = pa.table({name: pa.array(values, pa.string_view()) for name, values in texts.items()})
        with pa.ipc.new_file(path, table.schema) as file:
            file.write_table(table)
        return qtl.ingest(con, path, [as_preset("qtl", **maps)], Options(tissue="LCL"))

    assert load().rows_kept == 2
    assert ask("SELECT slope, maf FROM qtl ORDER BY gene_id") == [(0.5, None), (-0.25, 0.1)]
    texts["b"][1] = "1_0"
    with pytest.raises(Refused, match="'1_0' is not a number"):
        load()


@pytest.mark.parametrize("compression", ["uncompressed", "lz4", "zstd"])
def test_rows_come_in_parts_of_any_size(
    con: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, compression: str
) -> None:
    monkeypatch.setattr("agdb.ingest.batches.PART_ROWS", 7)
    table = evaluation()
    table.to_feather(path := tmp_path / "a.feather", compression=compression, chunksize=10)
    with rows.opened(path) as file, file.parts(con, {"target": "DOUBLE", "peak": "VARCHAR"}, tmp_path) as parts:
        read = [row for part in parts for row in con.execute(part.select).fetchall()]
    assert [row[:2] for row in read] == list(zip(table.target, table.peak, strict=True))


@pytest.mark.parametrize("share", [0.2, 0.6, 0.99])
def test_a_feather_file_that_is_cut_short_is_refused(con: Connection, ask: Ask, tmp_path: Path, share: float) -> None:
    evaluation().to_feather(whole := tmp_path / "whole.feather")
    data = whole.read_bytes()
    path = make.write(tmp_path / "cut.feather", data[: int(share * len(data))])
    measured = as_preset("qtl", variant_id="variant_id", slope="target")
    with pytest.raises(Refused, match="this Feather file cannot be read"):
        qtl.ingest(con, path, [measured], Options(tissue="LCL"))
    assert ask("SELECT count(*) FROM source") == [(0,)]


def test_feather_of_version_1_is_refused_with_the_cure(tmp_path: Path) -> None:
    path = make.write(tmp_path / "old.feather", b"FEA1" + bytes(100))
    with pytest.raises(Refused, match="Feather of version 1"), rows.opened(path):
        pass


def test_another_model_version_under_the_same_name_is_refused(con: Connection, ask: Ask, tmp_path: Path) -> None:
    table = evaluation()
    table.to_feather(first := tmp_path / "first.feather")
    table.assign(prediction=-table.prediction).to_feather(second := tmp_path / "second.feather")
    measured = as_preset("qtl", variant_id="variant_id", slope="target", molecular_trait_id="peak")
    qtl.ingest(con, first, [measured], Options(tissue="LCL"))
    scored = as_preset("predictions", variant_id="variant_id", score="prediction")
    predictions.ingest(con, first, scored, Scorer("mine", (COMPUTED,)), Options())
    before = ask("FROM prediction ORDER BY ALL")
    other = replace(COMPUTED, model_version="FOLD_0")
    with pytest.raises(Refused, match="is of model version 'ALL_FOLDS' here"):
        predictions.ingest(con, second, scored, Scorer("mine", (other,)), Options())
    assert ask("FROM prediction ORDER BY ALL") == before
