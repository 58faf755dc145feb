"""`study.ingest`: files into the database, each whole or not at all, as `agdb ingest` takes them.

Every method takes one file, and returns what was done with it (`Loaded`): its source, rows read, kept and rejected by
reason, notes. A file that is there already is left as it is, and `is_new` is False.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from agdb.errors import UsageError

if TYPE_CHECKING:
    import duckdb

    from agdb.ingest.preset import Preset
    from agdb.ingest.source import Loaded
    from agdb.ingest.variant_table import Options

File = str | Path


class Ingest:
    """Files in. All methods raise Refused, with the place in the file, where a file is not what it has to be."""

    def __init__(self, writing: "Callable[[], AbstractContextManager[duckdb.DuckDBPyConnection]]") -> None:
        self._writing = writing

    def gtex(
        self, path: File, *, tissue: str | None = None, lift: File | None = None, where: str | None = None
    ) -> "Loaded":
        """A GTEx eQTL table, v8 or v10; the name of the file says the tissue, or `tissue` does."""
        from agdb.ingest import qtl

        with self._writing() as con:
            return qtl.gtex(con, Path(path), _options(tissue, None, lift, where))

    def qtl(
        self, path: File, *, columns: Mapping[str, str] | None = None, preset: str | None = None,
        tissue: str | None = None, assembly: str | None = None, effect_allele: str | None = None,
        effect_unit: str | None = None, kind: str | None = None, lift: File | None = None, where: str | None = None,
    ) -> "Loaded":  # fmt: skip
        """Associations of any kind: a table that is known by its columns, or whose columns are named, field: column."""
        from agdb.ingest import qtl

        presets = _presets("qtl", columns, preset, assembly, effect_allele, effect_unit, kind)
        with self._writing() as con:
            return qtl.ingest(con, Path(path), presets, _options(tissue, assembly, lift, where))

    def credible(
        self, path: File, *, columns: Mapping[str, str] | None = None, preset: str | None = None,
        tissue: str | None = None, assembly: str | None = None, kind: str | None = None, lift: File | None = None,
        where: str | None = None,
    ) -> "Loaded":  # fmt: skip
        """Fine-mapping: SuSiE, DAP-G, credible sets of the eQTL Catalogue, or a table whose columns are named."""
        from agdb.ingest import credible

        presets = _presets("credible", columns, preset, assembly, qtl_type=kind)
        with self._writing() as con:
            return credible.ingest(con, Path(path), presets, _options(tissue, assembly, lift, where))

    def variants(
        self, path: File, *, columns: Mapping[str, str] | None = None, preset: str | None = None,
        assembly: str | None = None, lift: File | None = None, where: str | None = None,
    ) -> "Loaded":  # fmt: skip
        """Variants alone, from a VCF or a table."""
        from agdb.ingest import variant_list

        presets = _presets("variants", columns, preset, assembly)
        with self._writing() as con:
            return variant_list.ingest(con, Path(path), presets, _options(None, assembly, lift, where))

    def peaks(
        self, path: File, *, assembly: str, biosample: str | None = None, blacklist: bool = False,
        format: str = "auto", lift: File | None = None,
    ) -> "Loaded":  # fmt: skip
        """Peaks of a biosample, or the regions of a blacklist: BED, narrowPeak, broadPeak, the DHS index, ..."""
        from agdb.ingest import peaks

        if biosample is None and not blacklist:
            raise UsageError("the biosample is not said", cure="biosample='K562', say")
        with self._writing() as con:
            return peaks.ingest(con, Path(path), biosample, assembly, format,
                                is_blacklist=blacklist, lift=_path(lift))  # fmt: skip

    def genes(self, path: File, *, assembly: str) -> "Loaded":
        """Genes, for the distance to the TSS: GTF, GFF3, BED6, or a table."""
        from agdb.ingest import genes

        with self._writing() as con:
            return genes.ingest(con, Path(path), assembly)

    def tracks(self, path: File, *, model: str = "alphagenome", output_type: str | None = None) -> "Loaded":
        """The tracks of a model; `output_type` of all of them, where the table does not say it."""
        from agdb.ingest import tracks

        with self._writing() as con:
            return tracks.ingest(con, Path(path), model, output_type=output_type)

    def chain(self, path: File) -> "Loaded":
        """A UCSC liftover chain; `lift=` of the other methods does this too."""
        from agdb.ingest import chain

        with self._writing() as con:
            return chain.ingest(con, Path(path))

    def genome(self, path: File, *, assembly: str, allow_mismatch: bool = False) -> "Loaded":
        """A FASTA: registered, not copied; the whole REF of every variant is compared with it."""
        from agdb.ingest import reference

        with self._writing() as con:
            return reference.ingest(con, Path(path), assembly, allow_mismatch)

    def predictions(
        self, path: File, *, scorer: str, window: int, columns: Mapping[str, str] | None = None,
        preset: str | None = None, assembly: str | None = None, effect_allele: str | None = None,
        model_version: str = "", output_type: str = "", is_signed: bool = True, lift: File | None = None,
        where: str | None = None,
    ) -> "Loaded":  # fmt: skip
        """Scores that somebody else computed, in a table whose columns are named: columns={"score": ..., ...}."""
        from agdb.ingest import predictions
        from agdb.predictors.contract import Computation, Scorer

        (chosen,) = _presets("predictions", columns or {}, preset, assembly, effect_allele)
        computation = Computation(
            provider="import", model=scorer, model_version=model_version, assembly="", output_type=output_type,
            window_bp=window, mask_bp=None, aggregation="", is_signed=is_signed,
        )  # fmt: skip
        options = _options(None, assembly, lift, where)
        with self._writing() as con:
            return predictions.ingest(con, Path(path), chosen, Scorer(scorer, (computation,)), options)

    def original(
        self, path: File, *, window: int, tissue: str = "Whole_Blood", effect: str = "pval_nominal"
    ) -> "Loaded":
        """A predictions.csv of the study that agdb re-does: its scores, and its labels under their right name."""
        from agdb.ingest import predictions

        with self._writing() as con:
            return predictions.ingest_original(con, Path(path), window, tissue, effect)


def _options(tissue: str | None, assembly: str | None, lift: File | None, where: str | None) -> "Options":
    from agdb.ingest.variant_table import Options

    return Options(tissue, assembly, _path(lift), where)


def _path(file: File | None) -> Path | None:
    return None if file is None else Path(file)


def _presets(
    kind: str, columns: Mapping[str, str] | None, name: str | None, assembly: str | None,
    effect_allele: str | None = None, effect_unit: str | None = None, qtl_type: str | None = None,
) -> "list[Preset]":  # fmt: skip
    """The presets to choose from: the one that is named or spelled out, or all of this kind."""
    from agdb.ingest import preset

    if columns and name:
        raise UsageError("columns and preset both say what the columns mean", cure="give one of them")
    with_columns = {"effect_allele": effect_allele, "effect_unit": effect_unit, "kind": qtl_type}
    for said in (said for said, value in with_columns.items() if value is not None and (name or columns is None)):
        raise UsageError(f"{said} goes with columns: a preset says that itself", cure="leave it out, or give columns")
    if name:
        return [preset.named(name)]
    if columns is None:
        return [p for p in preset.shipped() if p.kind == kind]
    maps = [f"{field}={column}" for field, column in columns.items()]
    return [preset.from_options(maps, kind=kind, assembly=assembly, effect_allele=effect_allele,
                                effect_unit=effect_unit, qtl_type=qtl_type)]  # fmt: skip
