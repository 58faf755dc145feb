"""A table with a variant in each row: what qtl, credible, variants and predictions have in common.

From a preset and the columns of the file to a plan: how the variant is written, its assembly, lifting, alleles that are
looked up by position, tissues that the file names, and the effect turned to ALT.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import duckdb

from agdb.errors import Refused, UsageError
from agdb.ingest import chain, fields, rows, source, table, variants
from agdb.ingest.alleles import TURNED
from agdb.ingest.plan import MAX_REJECTED_SHARE, Column, Plan, Rule
from agdb.ingest.preset import VARIANT_FORMS, Preset
from agdb.schema import same

_NO_TISSUE = Rule("tissue_missing", "the tissue is missing", "tissue IS NULL",
                  "coalesce(odd, concat_ws('_', chrom, pos, ref, alt))", "give the original file")  # fmt: skip

#: For rows whose alleles are those of a variant that stands at their position.
LOOKED_UP = [
    Rule("no_variant_at_position", "", "unfit = 'no_variant_at_position'", "", "", False),
    Rule("several_variants_at_position", "", "unfit = 'several_variants_at_position'", "", "", False),
]


@dataclass(frozen=True)
class Options:
    """What the user says about a file beside its preset.

    Attributes:
        tissue: Tissue or cell type; None where the file or the preset names it.
        assembly: Of its positions; None where the preset says so.
        lift: Chain file that lifts them at ingest.
        where: SQL condition over the columns of the file.
        progress: Told the bytes read.
    """

    tissue: str | None = None
    assembly: str | None = None
    lift: Path | None = None
    where: str | None = None
    progress: table.Progress = field(default=lambda n: None)


@dataclass(frozen=True)
class VariantTable:
    """A file that is open, and what is known of it."""

    rows: rows.Rows
    preset: Preset
    columns: Mapping[str, str]
    options: Options

    @property
    def fields(self) -> set[str]:
        """The fields that there are: columns of the file, and what is derived of them."""
        return {*self.columns, *self.preset.derived}

    @property
    def assembly(self) -> str:
        """Assembly of the positions in the file."""
        said, known = self.options.assembly, self.preset.assembly
        if said is None and known is None:
            raise UsageError("the assembly of the file is not said", cure="--assembly GRCh38, GRCh37 or NCBI36")
        assembly = source.assembly_name(said or known or "")
        if self.preset.is_strict and known is not None and source.assembly_name(known) != assembly:
            raise UsageError(f"{self.preset.name} is on {known}, not on {assembly}",
                             cure="leave --assembly out; --lift lifts it to another assembly")  # fmt: skip
        return assembly

    @property
    def form(self) -> Sequence[str]:
        """The fields that tell the variant."""
        return next(form for form in VARIANT_FORMS if self.fields.issuperset(form))

    @property
    def tissue(self) -> str | None:
        """The tissue of all rows; None where the file names it row by row."""
        if "tissue" in self.fields:
            if self.options.tissue is not None:
                column = self.columns.get("tissue", self.preset.derived.get("tissue"))
                raise UsageError(f"the file names the tissues itself ({column})", cure="leave --tissue out")
            return None
        said, name = self.options.tissue, self.rows.path.name
        found = re.match(r"(.+?)\.v(8|10)\.", name) if self.preset.name.startswith("gtex") else None
        if found and said and said not in name:
            raise UsageError(f"the file's name says {found[1]}, not {said}", where=str(self.rows.path),
                             cure="leave --tissue out; where the name is wrong, rename the file")  # fmt: skip
        tissue = said or self.preset.tissue or (found[1] if found else None)
        if tissue is None:
            raise UsageError("the tissue is not said", where=str(self.rows.path), cure="--tissue, e.g. Whole_Blood")
        return tissue

    def draft(self, con: duckdb.DuckDBPyConnection, kind: str, **facts: object) -> source.Draft:
        """What is known of the source; a chain file to lift with is ingested by and by."""
        preset, columns, derived = self.preset, dict(self.columns), dict(self.preset.derived)
        read_as = {"columns": columns, "derived": derived, "effect_allele": preset.effect_allele}
        draft = source.Draft(kind, preset.format, self.rows.path, self.assembly, row_filter=self.options.where,
                             tissue_in_file="tissue" in self.fields,
                             read_as={} if preset.is_shipped else read_as)  # fmt: skip
        if self.options.lift:
            lifted_by, to = chain.chosen(con, self.options.lift, self.assembly)
            draft = replace(draft, assembly=to, lifted_from=self.assembly, lifted_by=lifted_by)
        return replace(draft, **facts)  # type: ignore[arg-type]  # facts are fields of Draft

    def plan(
        self, con: duckdb.DuckDBPyConnection, draft: source.Draft, select: Mapping[str, str], rules: Sequence[Rule]
    ) -> Plan:
        """The plan that stages the variant (chrom, pos, ref, alt, odd) and `select`, held to `rules` too."""
        has_alleles = "alt" in self.form or "variant_id" in self.form
        if "effect_allele" in select and not has_alleles:
            raise UsageError("alleles that are looked up by position have no effect allele of the file",
                             cure="map ref and alt too, or say --effect-allele alt or ref")  # fmt: skip
        written = self._written(has_alleles)
        read = {f: Column(column, fields.FIELDS[f].type) for f, column in self.columns.items()}
        more, own_rules = self._second_mention(written)
        steps, adapted = self._adaptations(con, draft, has_alleles)
        return Plan(
            columns=read,
            select={**written.select, **more, **select, **(chain.UNFIT if steps else {})},
            rules=[*written.rules, *own_rules, *rules],
            first=[_NO_TISSUE] if "tissue" in select else [],  # a row is set aside under its tissue
            derived=self.preset.derived,
            where=self.options.where,
            prepared=written.prepared,
            adapt=steps,
            adapted=adapted,
            max_rejected=MAX_REJECTED_SHARE if has_alleles else 1.0,
            is_strict=self.preset.is_strict,
        )

    def _written(self, has_alleles: bool) -> variants.Written:
        self._says_its_build()
        if "variant_id" not in self.form:
            return variants.written_in_columns(self.assembly, is_strict=self.preset.is_strict, has_alleles=has_alleles)
        first = next(iter(self.rows.sample()[self.columns["variant_id"]]), "")
        delimiter = ":" if first.count(":") >= 3 else "_"
        has_build = delimiter == "_" and (self.preset.is_strict or first.rpartition("_")[2] in variants.BUILDS)
        return variants.written_as_id(
            self.assembly, delimiter=delimiter, has_build=has_build, is_strict=self.preset.is_strict
        )

    def _says_its_build(self) -> None:
        """Refuse a table that has no more than the columns of GTEx's: any study that was run with FastQTL has them."""
        p = self.preset
        if not (p.is_shipped and p.kind == "qtl" and p.name.startswith("gtex")) or p.is_strict or self.options.assembly:
            return
        first = next(iter(self.rows.sample()[self.columns["variant_id"]]), "") if "variant_id" in self.form else ""
        if "build" not in self.fields and first.rpartition("_")[2] not in variants.BUILDS:
            cure = (
                f"GTEx's have: chr1_1237868_G_A_b38; of another study say --assembly ({p.assembly} is GTEx's), "
                f"and --map with --effect-unit where the effects are not in {p.effect_unit}"
            )
            raise Refused(f"the variants have no build{first and f': {first}'}", where=str(self.rows.path), cure=cure)

    def _second_mention(self, written: variants.Written) -> tuple[dict[str, str], list[Rule]]:
        """Where a file tells the variant in an id and in columns, or its build in a column, they have to agree."""
        select, rules = {}, []
        if "build" in self.fields:
            select["build"] = "build"
            rules.append(variants.build_rule(self.assembly))
        if "variant_id" in self.form and self.fields >= {"chrom", "pos", "ref", "alt"}:
            chrom = variants.chrom_of("chrom")
            select["twice"] = f"concat_ws('_', {chrom}, TRY_CAST(pos AS BIGINT), upper(ref), upper(alt))"
            rules.append(
                Rule("told_twice", "the variant id and the columns of chromosome, position and alleles disagree",
                     "odd IS NULL AND twice IS DISTINCT FROM concat_ws('_', chrom, pos, ref, alt)",
                     "concat_ws(' ', concat_ws('_', chrom, pos, ref, alt), 'but', twice)", "give the original file")
            )  # fmt: skip
        return select, rules

    def _adaptations(
        self, con: duckdb.DuckDBPyConnection, draft: source.Draft, has_alleles: bool
    ) -> tuple[list[Callable[[], None]], list[Rule]]:
        """What is done to `staged` once it has held to the rules, and the rules that it has to hold to then."""
        steps: list[Callable[[], None]] = []
        adapted: list[Rule] = []
        if draft.lifted_by is not None:
            chain_id = draft.lifted_by
            steps.append(lambda: chain.lift_variants(con, chain_id))
            adapted += chain.RULES
        if not has_alleles:
            steps.append(lambda: _look_up(con, draft.assembly))
            adapted += LOOKED_UP
        return steps, adapted


def _look_up(con: duckdb.DuckDBPyConnection, assembly: str) -> None:
    """Give the rows of `staged` the alleles of the one variant that the database has at their position.

    Alleles that a genome has in another order count as they were given: the rows are turned with them afterwards, as
    if the genome came last.
    """
    con.execute(
        f"""
        UPDATE staged SET ref = v.ref, alt = v.alt,
          unfit = coalesce(unfit, CASE WHEN v.n IS NULL THEN 'no_variant_at_position'
                                       WHEN v.n > 1 THEN 'several_variants_at_position' END)
        FROM (
          SELECT s.rowid AS id, k.n, k.ref, k.alt
          FROM staged AS s
          LEFT JOIN (
            SELECT chrom, pos, count(*) AS n, any_value(ref) AS ref, any_value(alt) AS alt
            FROM variant
            ANTI JOIN ({TURNED}) AS t
              ON t.assembly = variant.assembly AND t.chrom = variant.chrom AND t.pos = variant.pos
             AND t.new_ref = variant.ref AND t.new_alt = variant.alt
            WHERE assembly = ?
            GROUP BY chrom, pos
          ) AS k ON k.chrom = s.chrom AND k.pos = s.pos
        ) AS v
        WHERE v.id = staged.rowid""",
        [assembly],
    )


def sources_of(
    con: duckdb.DuckDBPyConnection, draft: source.Draft, loaded: source.Loaded
) -> tuple[str, str, Callable[[], None]]:
    """(SQL of a staged row's source_id, SQL to read `staged` with it, what to call once a part is staged).

    Where the file names the tissues, each is a source; the first of them takes the one that was made for the file.
    """
    if not draft.tissue_in_file:
        only = str(loaded.source_id)
        return only, f"(SELECT {only} AS source_id, * FROM staged)", lambda: None
    con.execute("CREATE OR REPLACE TEMP TABLE tissue_source (tissue VARCHAR, source_id INTEGER)")

    def meet_new_tissues() -> None:
        new = con.execute(
            "SELECT tissue FROM staged ANTI JOIN tissue_source USING (tissue) WHERE tissue IS NOT NULL "
            "GROUP BY tissue ORDER BY min(staged.rowid)"  # of the file, whatever its parts are
        ).fetchall()
        for (tissue,) in new:
            if not con.execute("SELECT count(*) FROM tissue_source").fetchall()[0][0]:
                source_id = loaded.source_id
                con.execute("UPDATE source SET tissue = ? WHERE source_id = ?", [tissue, source_id])
            else:
                source_id = source.add(con, draft, loaded, tissue)
            con.execute("INSERT INTO tissue_source VALUES (?, ?)", [tissue, source_id])

    of_row = "(SELECT t.source_id FROM tissue_source AS t WHERE t.tissue = staged.tissue)"
    return of_row, "(FROM staged JOIN tissue_source USING (tissue))", meet_new_tissues


def name_variants(con: duckdb.DuckDBPyConnection, assembly: str, staged: str) -> None:
    """Note the names (rsIDs, several separated by commas) that the rows of `staged` give their variants."""
    con.execute(
        f"INSERT INTO listed_variant BY NAME SELECT * FROM (SELECT DISTINCT source_id, '{assembly}'::assembly_t AS "
        f"assembly, "
        f"chrom, pos, ref, alt, unnest(string_split(name, ',')) AS name FROM {staged} WHERE name IS NOT NULL) AS new "
        f"ANTI JOIN listed_variant AS l ON l.source_id = new.source_id AND l.name = new.name AND "
        f"{same('l', 'new')}"
    )


def merge_repeats(con: duckdb.DuckDBPyConnection, into: str, source_ids: list[int]) -> int:
    """Delete rows that repeat another one in every column; returns how many.

    A row that repeats another's variant and phenotype with other values stays, for the gate to refuse.
    """
    columns = [name for (name,) in con.execute(
        "SELECT column_name FROM duckdb_columns() WHERE table_name = ? AND NOT internal ORDER BY column_index", [into]
    ).fetchall()]  # fmt: skip
    twice = (
        f"SELECT rowid AS id, row_number() OVER (PARTITION BY {', '.join(columns)} ORDER BY rowid) AS nth "
        f"FROM {into} WHERE source_id IN ?"
    )
    deleted = con.execute(f"DELETE FROM {into} WHERE rowid IN (SELECT id FROM ({twice}) WHERE nth > 1)", [source_ids])
    return int(deleted.fetchall()[0][0])


def merged(n: int, *, has_names: bool) -> str:
    """What to tell of rows that were merged."""
    return f"{n:,} rows repeat another" + (
        " for another name of its variant: merged, the names are kept" if has_names else " in every column: merged"
    )
