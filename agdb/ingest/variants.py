"""Variants as files write them, in an id or in columns: chrom, pos, ref, alt of `staged`; and table `variant`.

Ids are chr1_1237868_G_A_b38 (GTEx), chr1_1237868_G_A or 1:1237868:G:A, with or without chr. Positions are 1-based. A
variant that is not written as a plain one (primary chromosome, whole position, different alleles of A, C, G, T) is kept
as text in column `odd` of `staged`, NULL for all others, so that only odd rows are looked at twice.
"""

from typing import NamedTuple

import duckdb

from agdb.ingest.plan import Rule
from agdb.ingest.table import contig_end
from agdb.schema import KEY, same

#: Names of builds, in ids and columns, with their assembly.
BUILDS = {"b38": "GRCh38", "hg38": "GRCh38", "b37": "GRCh37", "hg19": "GRCh37", "b36": "NCBI36", "hg18": "NCBI36"}

#: A chromosome that is written well but is not a primary one (alternate loci, unplaced contigs, decoys).
OTHER_CONTIG = (
    r"^(chr)?([0-9XYM]+_.*(random|alt|fix|hap[0-9]*)|Un_.*|EBV|HLA.*|(GL|KI|JH|KN|KQ|KV|KZ|ML)[0-9.]+(_.*)?"
    r"|HS(CHR)?[0-9XY]+_.*|HG[0-9]+_.*)$"
)

#: SQL of a base or more, in upper case. One base, the most common case by far, needs no regular expression.
_ACGT = "CASE WHEN length({0}) = 1 THEN {0} IN ('A', 'C', 'G', 'T') ELSE regexp_full_match({0}, '[ACGT]+') END"


class Written(NamedTuple):
    """How a file writes variants: SQL columns to prepare, the columns of `staged`, and the rules for them."""

    prepared: dict[str, str]
    select: dict[str, str]
    rules: list[Rule]


def chrom_of(name: str) -> str:
    """SQL of the chromosome (chrom_t, or NULL) that the SQL `name` names, with or without chr; MT is chrM."""
    return (
        f"TRY_CAST(CASE WHEN {name} IN ('MT', 'chrMT') THEN 'chrM' WHEN starts_with({name}, 'chr') THEN {name} "
        f"ELSE 'chr' || {name} END AS chrom_t)"
    )


def written_as_id(assembly: str, *, delimiter: str, has_build: bool, is_strict: bool) -> Written:
    """Variants in one field `variant_id`, its parts separated by `delimiter`, the last one a build if `has_build`.

    `is_strict` is for files of one maker, where a malformed id means a damaged file; GTEx's say chr.
    """
    n = 5 if has_build else 4
    builds = ", ".join(f"'{build}'" for build, of in BUILDS.items() if of == assembly)
    has_chr = has_build and is_strict
    chrom, pos = ("TRY_CAST(id[1] AS chrom_t)" if has_chr else chrom_of("id[1]")), "TRY_CAST(id[2] AS INTEGER)"
    ref, alt = ("id[3]", "id[4]") if is_strict else ("upper(id[3])", "upper(id[4])")
    # a position is written in one way only, or one variant would have two ids
    is_plain = f"len(id) = {n} AND {pos} >= 1 AND id[2] = {pos}::VARCHAR"
    if has_build:
        is_plain += f" AND id[5] IN ({builds})"
    select = _select(chrom, pos, ref, alt, is_plain, "coalesce(variant_id, '(missing)')")
    rules = _rules(assembly, delimiter, n, is_strict, has_chr=has_chr)
    if has_build:
        rules[:0] = _build_rules(builds)
    return Written({"id": f"string_split(variant_id, '{delimiter}')"}, select, rules)


def written_in_columns(assembly: str, *, is_strict: bool, has_alleles: bool = True) -> Written:
    """Variants in fields `chrom`, `pos` and, unless they are to be looked up, `ref` and `alt`."""
    # the parts of an odd variant are told apart by _, which <NON_REF> has too
    parts = ("chrom", "printf('%.15g', pos)", "replace(ref, '_', '-')", "replace(alt, '_', '-')")
    as_text = [f"coalesce({part}, '(missing)')" for part in parts]
    pos = "TRY_CAST(pos AS INTEGER)"
    is_plain = f"{pos} = pos AND pos >= 1"
    if has_alleles:
        select = _select(chrom_of("chrom"), pos, "upper(ref)", "upper(alt)", is_plain, " || '_' || ".join(as_text))
        return Written({}, select, _rules(assembly, "_", 4, is_strict))
    is_odd = f"{chrom_of('chrom')} IS NULL OR NOT coalesce({is_plain}, false)"
    odd = f"CASE WHEN {is_odd} THEN {as_text[0]} || '_' || {as_text[1]} END"
    select = {"chrom": chrom_of("chrom"), "pos": pos, "ref": "NULL::VARCHAR", "alt": "NULL::VARCHAR", "odd": odd}
    return Written({}, select, _rules(assembly, "_", 2, is_strict))


def _select(chrom: str, pos: str, ref: str, alt: str, is_plain: str, text: str) -> dict[str, str]:
    alleles = f"{_ACGT.format(ref)} AND {_ACGT.format(alt)} AND {ref} <> {alt}"
    odd = f"CASE WHEN {is_plain} AND {chrom} IS NOT NULL AND {alleles} THEN NULL ELSE {text} END"
    return {"chrom": chrom, "pos": pos, "ref": ref, "alt": alt, "odd": odd}


def _parts(odd: str, delimiter: str, n: int) -> str:
    """SQL of the n parts of an odd variant; names of unplaced contigs have a _ themselves."""
    split = f"string_split({odd}, '{delimiter}')"
    joined = f"[array_to_string({split}[:-{n}], '_')] || {split}[-{n - 1}:]"
    return f"CASE WHEN len({split}) > {n} THEN {joined} ELSE {split} END"


def _build_rules(builds: str) -> list[Rule]:
    split = "string_split(odd, '_')"
    of_no_build = f"len({split}) = 4 AND regexp_full_match({split}[2], '[0-9]+')"
    return [
        Rule("variant_id_without_build", "the variant id has no build", of_no_build, "odd",
             "GTEx v8 ids end in _b38 (chr1_1237868_G_A_b38); give the original file", of="odd"),
        Rule("another_build", "the variant id is of another build",
             f"len({split}) >= 5 AND regexp_full_match({split}[-1], 'b[0-9]+') AND {split}[-1] NOT IN ({builds})",
             "odd",
             f"its build is not that of the file ({builds}); tables of unequal assemblies cannot be joined", of="odd"),
    ]  # fmt: skip


def _rules(assembly: str, delimiter: str, n: int, is_strict: bool, *, has_chr: bool = False) -> list[Rule]:
    """What is wrong with a variant of `n` parts that is not plain; the last rule leaves none that is."""
    parts = _parts("odd", delimiter, n)
    name = f"({parts})[1]"
    chrom = f"TRY_CAST({name} AS chrom_t)" if has_chr else chrom_of(name)
    ref, alt = f"upper(({parts})[3])", f"upper(({parts})[4])"
    example = {2: "a chromosome and a position", 4: "chr1_1237868_G_A", 5: "chr1_1237868_G_A_b38"}[n]
    rules = [
        Rule("not_a_variant", "this is not a variant" if n < 5 else "this is not a GTEx variant id",
             f"odd IS NOT NULL AND (len({parts}) <> {n} OR NOT regexp_full_match(({parts})[2], '[1-9][0-9]{{0,8}}'))",
             "odd", f"variants look like {example}, positions are whole and count from 1", is_strict or n == 2),
        Rule("unknown_chromosome", "unknown chromosome",
             f"odd IS NOT NULL AND {chrom} IS NULL AND NOT regexp_matches({name}, '{OTHER_CONTIG}')",
             f"{name} || ' in ' || odd", "chromosomes are chr1 to chr22, chrX, chrY, chrM"),
        Rule("beyond_chromosome", "the position lies beyond the end of its chromosome",
             f"pos - 1 + coalesce(length(ref), 1) > {contig_end(assembly, 'chrom')}",
             "concat_ws('_', chrom, pos, ref, alt)", f"the file is not on {assembly}, whatever it says"),
        Rule("contig_not_primary", "", f"odd IS NOT NULL AND {chrom} IS NULL", "odd", "", False),
    ]  # fmt: skip
    if n > 2:
        rules += [
            Rule("allele_missing", "", f"'(MISSING)' IN ({ref}, {alt})", "odd", "", False),
            Rule("allele_star", "", f"'*' IN ({ref}, {alt})", "odd", "", False),
            Rule("allele_symbolic", "", f"regexp_matches({ref} || ' ' || {alt}, '[<>\\[\\]]')", "odd", "", False),
            Rule("allele_not_acgt", "", f"NOT regexp_full_match({ref} || {alt}, '[ACGT]+')", "odd", "", False),
            Rule("ref_equals_alt", "", f"{ref} = {alt}", "odd", "", False),
        ]
    rules.append(
        Rule("not_a_variant", "this is not a variant", "odd IS NOT NULL", "odd", f"variants look like {example}")
    )
    return [rule if rule.reason == "beyond_chromosome" else rule._replace(of="odd") for rule in rules]


def build_rule(assembly: str) -> Rule:
    """For a file with a column `build`."""
    builds = ", ".join(f"'{build}'" for build, of in BUILDS.items() if of == assembly)
    return Rule("another_build", "the row is of another build", f"build IS NULL OR build NOT IN ({builds})",
                "coalesce(build, '(missing)')", "tables of unequal assemblies cannot be joined")  # fmt: skip


def insert(con: duckdb.DuckDBPyConnection, table: str, source_ids: list[int]) -> None:
    """Add the variants of these sources in `table` that table `variant` does not have yet."""
    key = ", ".join(KEY)
    con.execute(
        f"INSERT INTO variant ({key}) SELECT * FROM (SELECT DISTINCT {key} FROM {table} WHERE source_id IN ?) AS new "
        f"ANTI JOIN variant ON {same('variant', 'new')}",
        [source_ids],
    )
