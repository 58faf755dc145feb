"""agdb ingest: files in."""

from typing import Annotated

import typer

from agdb.cli import ingest_options as o
from agdb.cli.ingest_files import MEMORY, each, only_what_is_read, presets, report
from agdb.errors import UsageError

app = typer.Typer(no_args_is_help=True, help="Read files into the database: each of them whole, or not at all and why.")


@app.command(epilog="Example: agdb ingest gtex GTEx_Analysis_v8_eQTL/*.v8.signif_variant_gene_pairs.txt.gz")
def gtex(ctx: typer.Context, files: o.Files, tissue: o.Tissue = None, lift: o.Lift = None, where: o.Where = None,
         quiet: o.Quiet = False) -> None:  # fmt: skip
    """GTEx eQTLs, v8 or v10: significant pairs, egenes, all pairs, independent eQTLs."""
    from agdb.ingest import qtl
    from agdb.ingest.variant_table import Options

    each(ctx, files, Options(tissue, None, lift, where), quiet, qtl.gtex)


@app.command(
    epilog="Example: agdb ingest qtl caqtl.tsv.gz --map variant_id=snp,slope=beta,slope_se=se,pval_nominal=p,"
    "molecular_trait_id=peak --effect-allele alt --effect-unit log2fc --assembly GRCh38 --tissue LCL --kind caqtl"
)
def qtl(
    ctx: typer.Context,
    files: o.Files,
    preset: o.PresetName = None,
    maps: o.Map = None,
    tissue: o.Tissue = None,
    assembly: o.OfFile = None,
    effect_allele: o.EffectAllele = None,
    effect_unit: o.EffectUnit = None,
    kind: o.Kind = None,
    lift: o.Lift = None,
    where: o.Where = None,
    save_preset: o.SavePreset = None,
    quiet: o.Quiet = False,
) -> None:
    """Associations of any kind: GTEx, eQTL Catalogue, dsQTLs, caQTLs, or any table whose columns you name."""
    from agdb.ingest import qtl
    from agdb.ingest.variant_table import Options

    known = presets("qtl", preset, maps, save_preset, assembly=assembly, effect_allele=effect_allele,
                       effect_unit=effect_unit, qtl_type=kind)  # fmt: skip
    each(ctx, files, Options(tissue, assembly, lift, where), quiet,
          lambda con, path, options: qtl.ingest(con, path, known, options))  # fmt: skip


@app.command(epilog="Example: agdb ingest credible GTEx_v8_finemapping_DAPG.CS95.txt.gz")
def credible(
    ctx: typer.Context,
    files: o.Files,
    preset: o.PresetName = None,
    maps: o.Map = None,
    tissue: o.Tissue = None,
    assembly: o.OfFile = None,
    kind: o.Kind = None,
    lift: o.Lift = None,
    where: o.Where = None,
    save_preset: o.SavePreset = None,
    quiet: o.Quiet = False,
) -> None:
    """Fine-mapping: SuSiE, DAP-G, eQTL Catalogue credible sets, or any table with a pip."""
    from agdb.ingest import credible
    from agdb.ingest.variant_table import Options

    known = presets("credible", preset, maps, save_preset, assembly=assembly, qtl_type=kind)
    each(ctx, files, Options(tissue, assembly, lift, where), quiet,
          lambda con, path, options: credible.ingest(con, path, known, options))  # fmt: skip


@app.command(epilog="Example: agdb ingest variants sites.vcf.gz --assembly GRCh38")
def variants(
    ctx: typer.Context,
    files: o.Files,
    preset: o.PresetName = None,
    maps: o.Map = None,
    assembly: o.OfFile = None,
    lift: o.Lift = None,
    where: o.Where = None,
    save_preset: o.SavePreset = None,
    quiet: o.Quiet = False,
) -> None:
    """Variants alone, from a VCF or a table: to score them and to ask about them. Genotypes are not read."""
    from agdb.ingest import variant_list
    from agdb.ingest.variant_table import Options

    known = presets("variants", preset, maps, save_preset, assembly=assembly)
    each(ctx, files, Options(None, assembly, lift, where), quiet,
          lambda con, path, options: variant_list.ingest(con, path, known, options))  # fmt: skip


@app.command(epilog="Example: agdb ingest peaks ENCFF123ABC.narrowPeak.gz --biosample K562 --assembly GRCh38")
def peaks(
    ctx: typer.Context,
    files: o.Files,
    assembly: o.Assembly,
    biosample: Annotated[str | None, typer.Option(help="Biosample, e.g. K562.", show_default=False)] = None,
    blacklist: Annotated[bool, typer.Option("--blacklist", help="Regions whose variants are no candidates.")] = False,
    format_: Annotated[
        str, typer.Option("--format", help="narrowPeak, broadPeak, gappedPeak, idr or bed; else recognised.")
    ] = "auto",
    lift: o.Lift = None,
    quiet: o.Quiet = False,
) -> None:
    """Peaks: BED, narrowPeak, broadPeak, UCSC dumps, the DHS index; or the regions of a blacklist."""
    from agdb.ingest import peaks
    from agdb.ingest.variant_table import Options

    if biosample is None and not blacklist:
        raise UsageError("the biosample is not said", cure="--biosample, e.g. K562")
    each(ctx, files, Options(), quiet, lambda con, path, options: peaks.ingest(
        con, path, biosample, assembly, format_, is_blacklist=blacklist, lift=lift,
        progress=options.progress))  # fmt: skip


@app.command(epilog="Example: agdb ingest blocks ldetect_EUR_GRCh38.bed --assembly GRCh38 --name EUR")
def blocks(ctx: typer.Context, files: o.Files, assembly: o.Assembly, name: o.BlocksOf = None) -> None:
    """Blocks of linkage disequilibrium (BED): drawn as a whole when intervals are made, in place of 1 Mb windows."""
    from agdb import db
    from agdb.ingest import blocks

    with db.writing(ctx.obj) as con:
        for path in files:
            report(blocks.ingest(con, path, assembly, name), "blocks kept")


@app.command(epilog="Example: agdb ingest genes gencode.v26.annotation.gtf.gz --assembly GRCh38")
def genes(ctx: typer.Context, files: o.Files, assembly: o.Assembly, quiet: o.Quiet = False) -> None:
    """Genes, for the distance to the TSS: GTF, GFF3, BED6, or a table with gene_id, chr, start, end and strand."""
    from agdb.ingest import genes
    from agdb.ingest.variant_table import Options

    each(ctx, files, Options(), quiet, lambda con, path, options: genes.ingest(con, path, assembly, options.progress))


@app.command(epilog="Example: agdb ingest tracks alphagenome_human_all_tracks.tsv")
def tracks(
    ctx: typer.Context,
    files: o.Files,
    model: Annotated[str, typer.Option(help="The model whose tracks they are.")] = "alphagenome",
    output_type: Annotated[
        str | None, typer.Option(help="Of all its tracks, e.g. DNASE, where the table has no column output_type.")
    ] = None,
    quiet: o.Quiet = False,
) -> None:
    """The tracks of a model, to look them up before the first run: name, strand, ontology_curie, biosample, ..."""
    from agdb.ingest import tracks
    from agdb.ingest.variant_table import Options

    each(ctx, files, Options(), quiet,
          lambda con, path, options: tracks.ingest(con, path, model, options.progress, output_type))  # fmt: skip


@app.command(epilog="Example: agdb ingest chain hg19ToHg38.over.chain.gz")
def chain(ctx: typer.Context, files: o.Files) -> None:
    """A UCSC liftover chain. Its two assemblies are told by the lengths of their chromosomes; --lift does this too."""
    from agdb import db
    from agdb.ingest import chain

    with db.writing(ctx.obj) as con:
        for path in files:
            report(chain.ingest(con, path), "blocks kept")


@app.command(epilog="Example: agdb ingest genome hg38.fa --assembly GRCh38")
def genome(
    ctx: typer.Context,
    file: o.File,
    assembly: o.Assembly,
    allow_mismatch: Annotated[
        bool,
        typer.Option(
            "--allow-mismatch", help="Register it although many REF alleles differ; those variants are left out."
        ),
    ] = False,
) -> None:
    """The genome: registers a FASTA (plain, bgzip or gzip) and checks the whole REF of every variant against it."""
    from agdb import db
    from agdb.ingest import reference

    with db.writing(ctx.obj, memory_limit=MEMORY) as con:
        report(reference.ingest(con, file, assembly, allow_mismatch), "records registered")


@app.command(epilog="Example: agdb ingest predictions predictions.csv --format original --window 16384")
def predictions(
    ctx: typer.Context,
    files: o.Files,
    window: o.ReadWindow = None,
    format_: o.ScoreFormat = None,
    preset: o.PresetName = None,
    maps: o.Map = None,
    scorer: o.ScorerName = None,
    model_version: o.ModelVersion = "",
    output_type: o.OutputType = "",
    unsigned: o.Unsigned = False,
    assembly: o.OfFile = None,
    effect_allele: o.ScoreAllele = None,
    lift: o.Lift = None,
    where: o.Where = None,
    tissue: o.LabelTissue = "Whole_Blood",
    effect: o.LabelEffect = "pval_nominal",
    quiet: o.Quiet = False,
) -> None:
    """Scores that somebody else computed. The labels of an original file become associations."""
    from agdb.ingest import predictions, tidy_scores
    from agdb.ingest.variant_table import Options
    from agdb.predictors.contract import Computation, Scorer

    if format_ not in (None, "original", "tidy"):
        raise UsageError(f"cannot import --format {format_}", cure="--format tidy, original, or --map")
    only_what_is_read(ctx, format_)
    if format_ == "tidy":
        each(ctx, files, Options(None, assembly, lift, where), quiet,
              lambda con, path, options: tidy_scores.ingest(con, path, model_version, scorer, options))  # fmt: skip
        return
    if window is None:
        raise UsageError("the window is not said", cure="--window in bp: the bases of sequence that the model read")
    if format_ == "original":
        each(ctx, files, Options(), quiet,
              lambda con, path, _: predictions.ingest_original(con, path, window, tissue, effect))  # fmt: skip
        return
    if scorer is None or not (maps or preset):
        raise UsageError(
            "what was computed is not said", cure="--scorer NAME and --map score=COLUMN,...; or --format original"
        )
    if window < 1:
        raise UsageError(f"a window of {window} bases", cure="--window in bp")
    (chosen,) = presets("predictions", preset, maps, None, assembly=assembly, effect_allele=effect_allele)
    computation = Computation(
        provider="import", model=scorer, model_version=model_version, assembly="", output_type=output_type,
        window_bp=window, mask_bp=None, aggregation="", is_signed=not unsigned,
    )  # fmt: skip
    computed = Scorer(scorer, (computation,))
    each(ctx, files, Options(None, assembly, lift, where), quiet,
          lambda con, path, options: predictions.ingest(con, path, chosen, computed, options))  # fmt: skip
