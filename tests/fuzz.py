"""Damage for the tests of ingest, and slow, obvious readers: what a file says, told without agdb.

A reader here takes the bytes of a file and says which rows are to be stored and which lines are to be set aside, or
raises `Bad` where the file must not be loaded. It knows nothing of chunks, SQL or DuckDB.
"""

import gzip
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from hypothesis import strategies as st

Row = tuple[object, ...]
Mutation = Callable[[bytes], bytes]
Lengths = Mapping[str, int]
Cell = str | float | None
Values = dict[str, Cell]


class Bad(Exception):
    """The file is not what it has to be."""


class SetAside(NamedTuple):
    """A line that is not stored, and the reasons that may be given."""

    line: int
    reasons: frozenset[str]
    text: str


@dataclass
class Found:
    """Rows by table, and the lines that were set aside."""

    rows: dict[str, list[Row]]
    aside: list[SetAside] = field(default_factory=list)


# --- damage ---


def flip(at: int, bit: int) -> Mutation:
    """Turn one bit round."""
    return lambda d: d[: at % len(d)] + bytes([d[at % len(d)] ^ (1 << bit)]) + d[at % len(d) + 1 :] if d else d


def cut(at: int) -> Mutation:
    """Keep the first bytes."""
    return lambda d: d[: at % (len(d) + 1)]


def insert(at: int, what: bytes) -> Mutation:
    """Put something in between."""
    return lambda d: d[: at % (len(d) + 1)] + what + d[at % (len(d) + 1) :]


def on_cells(change: Callable[[list[list[bytes]]], object], sep: bytes) -> Mutation:
    """Change the cells of a table in place."""

    def mutate(data: bytes) -> bytes:
        cells = [line.split(sep) for line in data.split(b"\n")]
        change(cells)
        return b"\n".join(sep.join(row) for row in cells)

    return mutate


def column(change: str, i: int, j: int, sep: bytes) -> Mutation:
    """Drop, double or swap a column, with its name."""

    def mutate(cells: list[list[bytes]]) -> None:
        for row in cells:
            a, b = i % max(len(row), 1), j % max(len(row), 1)
            if change == "drop" and len(row) > 1:
                del row[a]
            elif change == "double":
                row.insert(b, row[a])
            elif change == "swap":
                row[a], row[b] = row[b], row[a]

    return on_cells(mutate, sep)


def names_swapped(i: int, j: int, sep: bytes) -> Mutation:
    """Exchange two names, and leave their columns where they are."""

    def mutate(cells: list[list[bytes]]) -> None:
        row = cells[0]
        row[i % len(row)], row[j % len(row)] = row[j % len(row)], row[i % len(row)]

    return on_cells(mutate, sep)


def cell(line: int, place: int, value: bytes, sep: bytes) -> Mutation:
    """Write another value."""

    def mutate(cells: list[list[bytes]]) -> None:
        row = cells[line % len(cells)]
        row[place % len(row)] = value

    return on_cells(mutate, sep)


def renamed(place: int, change: str, sep: bytes) -> Mutation:
    """Write a name of the header in another way."""

    def mutate(cells: list[list[bytes]]) -> None:
        name = cells[0][place % len(cells[0])]
        cells[0][place % len(cells[0])] = {
            "upper": name.upper(), "spaces": b" " + name + b" ", "quotes": b'"' + name + b'"', "other": name + b"_x",
        }[change]  # fmt: skip

    return on_cells(mutate, sep)


def line(change: str, i: int, j: int) -> Mutation:
    """Drop, double, move or blank a line."""

    def mutate(data: bytes) -> bytes:
        lines = data.split(b"\n")
        a, b = i % len(lines), j % len(lines)
        if change == "drop":
            del lines[a]
        elif change == "double":
            lines.insert(b, lines[a])
        elif change == "swap":
            lines[a], lines[b] = lines[b], lines[a]
        else:
            lines.insert(a, {"blank": b"", "comment": b"# by hand", "spaces": b"  "}[change])
        return b"\n".join(lines)

    return mutate


CELLS = [
    b"", b"NA", b".", b"nan", b"-nan", b"inf", b"-inf", b"Infinity", b"1e999", b"-1e999", b"1e-999", b"1000000000",
    b"2147483647", b"2147483648", b"99999999999999999999", b"1.5", b"0x10", b"1_0", b"+-5", b" 7", b"7 ", b"+5", b"-0",
    b"1e3", b"0", b"1", b"-1", b"0.2", b"0,5", b"1e", b"1.", b".5", b"--1", b"TRUE", b"chr1_1000000000_A_G_b38",
    b"chr2_0_A_G_b38", b"chr2_1e2_A_G_b38", b"chr2_010_A_G_b38", b"chr2_10.5_A_G_b38", b"chrUn_KI270742v1_7_A_G_b38",
    b"chr2_4000000000_A_G_b38", b"chr2__A_G_b38", b"chr2_77_A_G_b38", b"chr2_77_A_G", b"chr2:77:A:G", b"rs12",
    b"chr2_77_A_G_b37", b"chr2_77_N_G_b38", b"chr2_77_A_*_b38", b"chr2_77_A_<DEL>_b38", b"chr2_77_A_A_b38", b"chr1",
    b"1", b"MT", b"chrM", b"X", b"chrx", b"chrZZ", b"chrUn_KI270742v1", b"chr1_KI270706v1_random", b"A", b"acgt", b"N",
    b"A,C", b"A,", b"*", b"<DEL>", b"C]chr1:5]", b"-", b"+", b"'", b'"', b'"a', b'a"', b'"a"', b'""', b"\\", b"#",
    b"##x", b"ENSG00000000001", "٣".encode(), "é".encode(), "²".encode(), b"a\xff", b" +-5", b"x" * 500,
]  # fmt: skip
INSERTS = [
    b"\0", b'"', b"'", b" ", b"\t", b",", b"\n", b"\n\n", b"\r", b"\r\n", b"\\", b"#", b"\x1a", b"\x0b",
    b"\xef\xbb\xbf", "\u00a0".encode(), "\u2028".encode(), "\u0085".encode(), b"\xff",
]  # fmt: skip
_AT = st.integers(0, 5000)
_SMALL = st.integers(0, 40)


def mutations(sep: bytes) -> st.SearchStrategy[list[Mutation]]:
    """None to three of all kinds of damage to the text of a table."""
    seps = st.just(sep)
    one = st.one_of(
        st.builds(cell, _SMALL, _SMALL, st.sampled_from(CELLS), seps),
        st.builds(cell, _SMALL, _SMALL, st.sampled_from(CELLS), seps),
        st.builds(flip, _AT, st.integers(0, 7)),
        st.builds(cut, _AT),
        st.builds(insert, _AT, st.sampled_from(INSERTS)),
        st.builds(column, st.sampled_from(["drop", "double", "swap"]), _SMALL, _SMALL, seps),
        st.builds(renamed, _SMALL, st.sampled_from(["upper", "spaces", "quotes", "other"]), seps),
        st.builds(names_swapped, _SMALL, _SMALL, seps),
        st.builds(line, st.sampled_from(["drop", "double", "swap", "blank", "comment", "spaces"]), _SMALL, _SMALL),
        st.sampled_from(WHOLE_TEXT),
    )
    return st.lists(one, max_size=3)


#: Damage, or none, to all of a text.
WHOLE_TEXT: list[Mutation] = [
    lambda d: d.replace(b"\n", b"\r\n"),
    lambda d: d.replace(b"\n", b"\r"),
    lambda d: b"\xef\xbb\xbf" + d,
    lambda d: d.rstrip(b"\n"),
    lambda d: d + b"\n\n\n",
    lambda d: d.replace(b"\t", b" "),
    lambda d: d.replace(b"\n", b"\t\n"),
    lambda d: d + d,
    lambda d: d.decode("utf-8", "replace").encode("utf-16"),
]


def damaged(data: bytes, changes: Iterable[Mutation]) -> bytes:
    """The bytes after all changes, in order."""
    for change in changes:
        data = change(data)
    return data


#: Ways to pack a text, and ways to spoil what is packed; None of them is told by the name of the file.
PACKINGS: dict[str, Mutation] = {
    "plain": lambda d: d,
    "gzip": lambda d: gzip.compress(d, mtime=0),
    "two members": lambda d: gzip.compress(d[: len(d) // 2], mtime=0) + gzip.compress(d[len(d) // 2 :], mtime=0),
    "bgzip": lambda d: b"".join(gzip.compress(d[i : i + 300], mtime=0) for i in range(0, len(d) + 300, 300)),
    "zeros after it": lambda d: gzip.compress(d, mtime=0) + bytes(512),
    "something after it": lambda d: gzip.compress(d, mtime=0) + b"more",
    "in gzip twice": lambda d: gzip.compress(gzip.compress(d, mtime=0), mtime=0),
}
packings = st.tuples(
    st.sampled_from([*["plain"] * 6, *PACKINGS]).map(PACKINGS.__getitem__),
    st.one_of(*[st.just(lambda d: d)] * 4, st.builds(flip, _AT, st.integers(0, 7)), st.builds(cut, _AT)),
)


def unpacked(data: bytes) -> bytes:
    """What a gzip holds, however many members it has; other bytes as they are."""
    if not data.startswith(b"\x1f\x8b"):
        return data
    try:
        return gzip.decompress(data)
    except Exception as error:
        raise Bad("the gzip is damaged") from error


# --- what a text says ---

MISSING = {"", "NA", "."}
_NUMBER = re.compile(r"[ \t\v\f\r]*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?[ \t\v\f\r]*", re.ASCII)
_NO_NUMBER = re.compile(r"\s*([+-]?)(nan(?:\(.*\))?|inf|infinity)\s*", re.ASCII | re.IGNORECASE)
_QUOTED_CELL = ' *"((?:[^"]|"")*)" *(?=%s|$)|(?! *")([^%s]*)'


def lines_of(data: bytes) -> list[str]:
    """The lines of a text, without the blank ones at its end."""
    try:
        text = unpacked(data).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Bad("not UTF-8") from error
    text = text.replace("\r\n", "\n") if "\n" in text else text.replace("\r", "\n")
    if {"\r", "\0", "\ufeff"} & set(text):
        raise Bad("a byte that no text has")
    lines = text.split("\n")
    while lines and not lines[-1]:
        lines.pop()
    if not lines:
        raise Bad("empty")
    return lines


def split(text: str, sep: str, *, is_quoted: bool = False) -> list[str]:
    """The cells of a line."""
    if not is_quoted:
        return text.split(sep)
    cells, at = [], 0
    while at <= len(text):
        found = re.compile(_QUOTED_CELL % (sep, sep)).match(text, at)
        if not found:
            raise Bad("quotes do not close")
        cells.append(found[2] if found[1] is None else found[1].replace('""', '"'))
        at = found.end() + 1
    return cells


@dataclass
class Table:
    """The rows of a delimited text by line, a cell a column; None is missing."""

    names: list[str]
    rows: list[tuple[int, list[Cell]]]
    lines: list[str]


def table(lines: list[str], names: list[str], skip: int, sep: str, *, is_quoted: bool = False) -> Table:
    """The rows after `skip` lines. Each has a cell for each name."""
    rows: list[tuple[int, list[Cell]]] = []
    for n, text in enumerate(lines[skip:], skip + 1):
        cells = split(text, sep, is_quoted=is_quoted) if text else []
        if len(cells) != len(names):
            raise Bad(f"line {n} has {len(cells)} cells")
        rows.append((n, [None if c in MISSING else c for c in cells]))
    return Table(names, rows, lines)


def with_header(data: bytes) -> Table:
    """A table whose first line that does not begin with ## has the names of its columns."""
    lines = lines_of(data)
    at = next((i for i, text in enumerate(lines) if not text.startswith("##")), 0)
    sep = "," if "," in lines[at] and "\t" not in lines[at] else "\t"
    written = [name.strip() for name in lines[at].split(sep)]
    quoted = [re.fullmatch('"(.*)"', name) for name in written]
    names = [q[1] if q else name for q, name in zip(quoted, written, strict=True)]
    names[0] = names[0].removeprefix("#")
    if len(names) < 2 or "" in names or len(set(names)) < len(names):
        raise Bad("a column has no name, or that of another")
    return table(lines, names, at + 1, sep, is_quoted=sep == "," or any(quoted))


def number(text: Cell) -> float | None:
    """A number; NaN and infinities are numbers too."""
    if not isinstance(text, str):
        return text
    if _NUMBER.fullmatch(text):
        return float(text)
    if special := _NO_NUMBER.fullmatch(text):
        return math.nan if special[2].lower().startswith("nan") else math.inf
    raise Bad(f"{text!r} is no number")


CHROMS = {f"chr{c}" for c in [*map(str, range(1, 23)), "X", "Y", "M"]}
_ELSEWHERE = re.compile(r"(chr)?(Un_|EBV$|HLA|[0-9XYM]+_|GL|KI|JH|KN|KQ|KV|KZ|ML|HS|HG)")


def chrom(name: str | None) -> str | None:
    """A primary chromosome, UCSC style."""
    if name is None:
        return None
    found = "chrM" if name in ("MT", "chrMT") else name if name.startswith("chr") else f"chr{name}"
    return found if found in CHROMS else None


def is_elsewhere(name: str | None) -> bool:
    """Whether it is a contig that is not a primary one."""
    return name is not None and chrom(name) is None and bool(_ELSEWHERE.match(name))


# --- variants and what is said of them ---

ODD = frozenset(
    ["not_a_variant", "contig_not_primary", "allele_missing", "allele_star", "allele_symbolic", "allele_not_acgt",
     "ref_equals_alt", "unknown_chromosome", "variant_id_without_build", "another_build"]
)  # fmt: skip
Variant = tuple[str, int, str, str]


def variant(name: str | None, pos: str | float | None, ref: str | None, alt: str | None) -> Variant | None:
    """A plain variant; None where it is an odd one."""
    where = chrom(name)
    if isinstance(pos, str):
        pos = float(pos) if re.fullmatch("[1-9][0-9]*", pos) else None
    if where is None or pos is None or pos != math.trunc(pos) or not 1 <= pos < 2**31 or ref is None or alt is None:
        return None
    if not re.fullmatch("[ACGT]+", ref) or not re.fullmatch("[ACGT]+", alt) or ref == alt:
        return None
    return where, int(pos), ref, alt


def of_id(text: str | None, *, delimiter: str = "_", build: str | None = None, upper: bool = False) -> Variant | None:
    """The variant of an id such as chr1_77_A_G_b38, the last part of which is the build if there is one."""
    parts = (text or "").split(delimiter)
    if len(parts) != (5 if build else 4) or (build and (parts[4] not in (build, "hg38") or parts[0] not in CHROMS)):
        return None
    ref, alt = (p.upper() for p in parts[2:4]) if upper else parts[2:4]
    return variant(parts[0], parts[1], ref, alt)


def on_chromosome(found: Variant, lengths: Lengths) -> None:
    """Raise where it ends beyond its chromosome."""
    if found[1] - 1 + len(found[2]) > lengths[found[0]]:
        raise Bad("beyond its chromosome")


_SHARE: Callable[[float | None], bool] = lambda v: v is None or 0 <= v <= 1  # noqa: E731
#: What a field must be, in the order in which it is looked at: the reason if it is not.
CHECKS: list[tuple[str, Callable[[float | None], bool], str]] = [
    ("slope", lambda v: v is not None, "slope_missing"),
    ("slope_se", lambda v: v is not None and v > 0, "slope_se_not_positive"),
    ("pval_nominal", lambda v: v is not None and 0 <= v <= 1, "pval_out_of_range"),
    ("pval_nominal", lambda v: v != 0, "pval_underflow"),
    ("af", _SHARE, "af_out_of_range"),
    ("maf", lambda v: v is None or 0 <= v <= 0.5, "maf_out_of_range"),
    *((name, _SHARE, f"{name}_out_of_range") for name in (
        "pval_nominal_threshold", "min_pval_nominal", "pval_beta", "qval", "pval_true_df", "pval_perm")),
    ("pip", lambda v: v is not None and 0 <= v <= 1, "pip_out_of_range"),
    ("cs_pip", _SHARE, "cs_pip_out_of_range"),
]  # fmt: skip
#: Fields that are numbers; those that are whole have the largest that they can be.
WHOLE = {
    **dict.fromkeys(("tss_distance", "ma_samples", "ma_count", "gene_start", "gene_end", "num_var", "num_alt_per_site",
                     "cs_size", "chrom_start", "chrom_end", "peak", "summit", "n_samples", "first", "last"), 2**31 - 1),
    "signal_rank": 2**15 - 1, "ref_factor": 127,
}  # fmt: skip
NUMBERS = {
    *WHOLE, *(name for name, *_ in CHECKS), "eaf", "pos", "beta_shape1", "beta_shape2", "true_df", "log2_afc",
    "log2_afc_lower", "log2_afc_upper", "z", "posterior_mean", "posterior_sd", "score", "signal_value", "p_value",
    "q_value", "ref_value", "alt_value", "label",
}  # fmt: skip


def text(value: Cell) -> str | None:
    """A cell as text."""
    return None if value is None else str(value)


def values_of(names: Sequence[str], fields: Mapping[str, str], cells: Sequence[Cell]) -> tuple[Values, str | None]:
    """The values of a row by field, and why it cannot be used: the first cell, in the order of the file, tells."""
    by_column = {column: name for name, column in fields.items()}
    found: Values = {}
    reason: str | None = None
    for column_name, cell in zip(names, cells, strict=True):
        name = by_column.get(column_name)
        if name is None:
            continue
        if name not in NUMBERS:
            found[name] = text(cell)
            continue
        try:
            value = number(cell)
        except Bad:
            if reason is None:
                raise
            continue
        if value is not None and not math.isfinite(value):
            reason = reason or "not_finite"
        elif value is not None and name in WHOLE and (value != math.trunc(value) or abs(value) > WHOLE[name]):
            reason = reason or "not_a_whole_number"
        found[name] = value
    return found, reason


@dataclass(frozen=True)
class Meaning:
    """What the columns of a table with a variant in each row mean: fields by column, for the columns that it may have.

    In a strict table a row that cannot be is damage. `effect` is alt, ref, or effect_allele. Rows that repeat another
    one are one where `merges`. `derived` makes more fields of those that were read. `says_build`: the variants have a
    build, which tells the table from others with the same columns.
    """

    fields: Mapping[str, str]
    is_strict: bool = False
    effect: str = "alt"
    merges: bool = False
    derived: Callable[[Values], Values] = lambda values: {}
    trait: str | None = None
    says_build: bool = False


QTL = ["slope", "slope_se", "pval_nominal", "af", "maf", "tss_distance", "ma_samples", "ma_count",
       "pval_nominal_threshold", "min_pval_nominal", "pval_beta", "qval", "signal_rank"]  # fmt: skip
EGENE = ["gene_name", "gene_chr", "gene_start", "gene_end", "strand", "biotype", "num_var", "beta_shape1",
         "beta_shape2", "true_df", "pval_true_df", "pval_perm", "num_alt_per_site", "ref_factor", "log2_afc",
         "log2_afc_lower", "log2_afc_upper"]  # fmt: skip
CREDIBLE = ["pip", "cs_id", "cs_size", "cs_pip", "z", "posterior_mean", "posterior_sd"]


class Kept(NamedTuple):
    """A row that is stored: its line, its variant and its values."""

    line: int
    variant: Variant
    values: Values


def variants_of(found: Table, meaning: Meaning, lengths: Lengths) -> tuple[list[Kept], list[SetAside]]:
    """The rows of a table that are stored, and those that are set aside."""
    fields = {}
    for name in found.names:
        if name in meaning.fields and meaning.fields[name] not in fields:
            fields[meaning.fields[name]] = name
    read_variant = _how_written(found, fields, meaning)
    kept: list[Kept] = []
    aside: list[SetAside] = []
    for n, cells in found.rows:
        values, reason = values_of(found.names, fields, cells)
        values |= meaning.derived(values)
        pieces = str(values["alt"] or "").split(",") if meaning.trait == "(variants)" and "alt" in fields else [None]
        for piece in pieces:
            alone = values if piece is None else {**values, "alt": piece}
            what = reason or _why_not(alone, fields, read_variant, meaning, lengths)
            if isinstance(what, str):
                if meaning.is_strict and what not in {"odd", "pval_underflow"}:
                    raise Bad(f"line {n}: {what}")
                reasons = ODD if what == "odd" else frozenset([what])
                aside.append(SetAside(n, reasons, found.lines[n - 1] if found.lines else ""))
            else:
                kept.append(Kept(n, what, alone))
    return kept, aside


def _how_written(found: Table, fields: Mapping[str, str], meaning: Meaning) -> Callable[[Values], Variant | None]:
    cells = [row[found.names.index(fields["variant_id"])] for _, row in found.rows] if "variant_id" in fields else []
    first = str(cells[0] or "") if cells else ""
    if meaning.says_build and "build" not in fields and first.rpartition("_")[2] not in BUILDS:
        raise Bad("no build")
    if "variant_id" not in fields:
        return lambda v: variant(
            text(v["chrom"]), v["pos"], *(None if v[f] is None else str(v[f]).upper() for f in ("ref", "alt"))
        )
    delimiter = ":" if first.count(":") >= 3 else "_"
    has_build = delimiter == "_" and (meaning.is_strict or first.rpartition("_")[2] in BUILDS)
    build = "b38" if has_build else None
    return lambda v: of_id(text(v["variant_id"]), delimiter=delimiter, build=build, upper=not meaning.is_strict)


BUILDS = ("b36", "b37", "b38", "hg18", "hg19", "hg38")


def _why_not(
    values: Values,
    fields: Mapping[str, str],
    read_variant: Callable[[Values], Variant | None],
    meaning: Meaning,
    lengths: Lengths,
) -> Variant | str:
    """The variant of a row, or why the row is set aside; its effect is turned to ALT on the way."""
    found = read_variant(values)
    if found is None:
        return "odd"
    on_chromosome(found, lengths)
    if "build" in fields and values["build"] not in ("b38", "hg38"):
        raise Bad("another build")
    if {"variant_id", "chrom", "pos", "ref", "alt"} <= fields.keys():
        twice = (values["chrom"], values["pos"], values["ref"], values["alt"])
        if twice != found:
            raise Bad("told twice")
    if meaning.trait != "(variants)" and not (values.get("gene_id") or values.get("molecular_trait_id")):
        return "phenotype_missing"
    if not _turn(values, found, meaning):
        return "effect_allele_is_neither"
    for name, is_right, reason in CHECKS:
        if name in values and not is_right(number(values[name])):
            return reason
    carriers, alleles = (number(values.get(name)) for name in ("ma_samples", "ma_count"))
    if meaning.is_strict and carriers is not None and alleles is not None and not carriers <= alleles <= 2 * carriers:
        return "ma_count_not_of_ma_samples"
    return found


def _turn(values: Values, found: Variant, meaning: Meaning) -> bool:
    """Turn an effect of REF to one of ALT, and its frequency."""
    allele = meaning.effect if meaning.effect != "effect_allele" else str(values["effect_allele"]).upper()
    is_alt, is_ref = allele in ("alt", found[3]), allele in ("ref", found[2])
    if "slope" in values and values["slope"] is not None and is_ref and not is_alt:
        values["slope"] = 0.0 - float(values["slope"])
    if "eaf" in values:
        eaf = number(values["eaf"])
        values.setdefault("af", eaf if is_alt or eaf is None else 1 - eaf)
    if "af" in values:
        af = number(values["af"])
        values.setdefault("maf", None if af is None else min(af, 1 - af))
    return is_alt or is_ref


def stored(values: Values, names: Iterable[str]) -> Row:
    """Values as a table of the database holds them."""
    found = ((name, values.get(name)) for name in names)
    return tuple(int(v) if name in WHOLE and v is not None else v for name, v in found)


def names_in(kept: Iterable[Kept], pattern: str = ",") -> list[Row]:
    """The variants with their names, each once."""
    found = {(*k.variant, name) for k in kept for name in re.split(pattern, str(k.values.get("name") or "")) if name}
    return sorted(found, key=repr)


def phenotype(values: Values) -> Row:
    """gene_id, and molecular_trait_id where that is not the gene."""
    gene, trait = values.get("gene_id"), values.get("molecular_trait_id")
    return gene, None if trait == gene else trait


def associations(found: Table, meaning: Meaning, lengths: Lengths) -> Found:
    """What a table of QTLs is to become."""
    kept, aside = variants_of(found, meaning, lengths)
    qtl = [(k.values.get("tissue"), *k.variant, *phenotype(k.values), *stored(k.values, QTL)) for k in kept]
    rows = {"qtl": list(set(qtl)) if meaning.merges else qtl, "listed_variant": names_in(kept)}
    if "num_var" in meaning.fields.values():
        rows["egene"] = [(k.values["gene_id"], *stored(k.values, ["signal_rank", *EGENE])) for k in kept]
    return Found(rows, aside)


def fine_mapping(found: Table, meaning: Meaning, lengths: Lengths) -> Found:
    """What a table of fine-mapped variants is to become."""
    kept, aside = variants_of(found, meaning, lengths)
    rows = [(k.values.get("tissue"), *k.variant, *phenotype(k.values), *stored(k.values, CREDIBLE)) for k in kept]
    return Found({"credible": list(set(rows)) if meaning.merges else rows, "listed_variant": names_in(kept)}, aside)


def trimmed(found: Variant) -> Variant:
    """Without the bases that both alleles share, but for the one that an indel stands on."""
    name, pos, ref, alt = found
    while len(ref) > 1 and len(alt) > 1 and ref[-1] == alt[-1]:
        ref, alt = ref[:-1], alt[:-1]
    while len(ref) > 1 and len(alt) > 1 and ref[0] == alt[0]:
        pos, ref, alt = pos + 1, ref[1:], alt[1:]
    return name, pos, ref, alt


def variant_list(found: Table, meaning: Meaning, lengths: Lengths) -> Found:
    """What a VCF, or a table of variants, is to become."""
    kept, aside = variants_of(found, meaning, lengths)
    rows = {
        (*trimmed(k.variant), name)
        for k in kept
        for name in (re.split("[;,]", str(k.values["name"])) if k.values.get("name") is not None else [None])
    }
    return Found({"listed_variant": list(rows)}, aside)


def scores(found: Table, meaning: Meaning, lengths: Lengths) -> Found:
    """What a file of the original study is to become: its label is a p-value."""
    kept, aside = variants_of(found, meaning, lengths)
    for k in kept:
        label, score, ref, alt = (number(k.values[f]) for f in ("label", "score", "ref_value", "alt_value"))
        if label is None or score is None or ref is None or alt is None or not 0 < label <= 1:
            raise Bad("a score or label is missing")
        if abs(score - (alt - ref)) > 1e-9 + 1e-6 * abs(score):
            raise Bad("the score is not the difference")
    return Found(
        {
            "label": [(*k.variant, k.values["gene_id"], k.values["label"]) for k in kept],
            "prediction": list({(*k.variant, *stored(k.values, ["score", "ref_value", "alt_value"])) for k in kept}),
        },
        aside,
    )


# --- intervals ---

BED = ["chrom", "chrom_start", "chrom_end", "name", "score", "strand", "thick_start", "thick_end", "item_rgb",
       "block_count", "block_sizes", "block_starts"]  # fmt: skip
NARROW = [*BED[:6], "signal_value", "p_value", "q_value", "peak"]
PEAK_FORMATS = {
    **{f"bed{n}": BED[:n] for n in range(3, 13)}, "narrowPeak": NARROW, "broadPeak": NARROW[:9],
    "gappedPeak": [*BED, *NARROW[6:9]],
}  # fmt: skip
#: Names that a column of a table of peaks may have, in lower case, the first that is there counts.
PEAK_NAMES = {
    "chrom": ["chrom", "chr", "seqname", "chromosome"], "chrom_start": ["chromstart", "chrom_start", "start"],
    "chrom_end": ["chromend", "chrom_end", "end"], "name": ["identifier", "dhs_id", "name", "peak_id"],
    "score": ["score"], "signal_value": ["signalvalue", "signal_value", "mean_signal", "total_signal"],
    "p_value": ["pvalue", "p_value"], "q_value": ["qvalue", "q_value"], "summit": ["summit"],
    "n_samples": ["numsamples", "n_samples"], "component": ["component"],
}  # fmt: skip


def named(names: list[str], aliases: Mapping[str, list[str]]) -> dict[str, int]:
    """Where the column of each field stands."""
    lower = [name.lower() for name in names]
    found = {field: next((lower.index(a) for a in among if a in lower), -1) for field, among in aliases.items()}
    return {field: i for field, i in found.items() if i >= 0}


def intervals(data: bytes, format_: str, lengths: Lengths) -> Found:
    """What a file of peaks is to become."""
    lines = lines_of(data)
    at = next((i for i, t in enumerate(lines) if t and not t.startswith(("#", "track", "browser"))), len(lines))
    if at == len(lines):
        raise Bad("no interval")
    sep = "\t" if "\t" in lines[at] or " " not in lines[at] else " "
    row = lines[at].split(sep)
    if format_ == "table":
        is_above = not {"chrom", "chrom_start", "chrom_end"} <= named(row, PEAK_NAMES).keys()
        header = lines[at - 1].removeprefix("#").split(sep) if is_above else row
        places = {i: field for field, i in named(header, PEAK_NAMES).items()}
        names, skip = [places.get(i, f"({i})") for i in range(len(header))], at if is_above else at + 1
        fields = {name: name for name in places.values()}
    else:
        has_bin = row[0].isdigit() and not row[1].isdigit()
        names = ["bin"] * has_bin + PEAK_FORMATS[format_]
        fields, skip = {name: name for name in names if name not in ("bin", "strand", *BED[6:])}, at
    found = table(lines, names, skip, sep)
    kept, aside = [], []
    for n, cells in found.rows:
        values, reason = values_of(names, fields, cells)
        if reason:
            raise Bad(f"line {n}: {reason}")
        if is_aside(values, lengths):
            aside.append(SetAside(n, frozenset(["contig_not_primary"]), lines[n - 1]))
        else:
            kept.append(_peak(values))
    return Found({"peak": kept}, aside)


def is_aside(values: Values, lengths: Lengths) -> bool:
    """Whether an interval lies on a contig that is not a primary one. Raises where it is none."""
    start, end, where = number(values["chrom_start"]), number(values["chrom_end"]), chrom(text(values["chrom"]))
    if start is None or end is None or not 0 <= start < end:
        raise Bad("no interval")
    if where is not None and end > lengths[where]:
        raise Bad("beyond its chromosome")
    if where is None and not is_elsewhere(text(values["chrom"])):
        raise Bad("unknown chromosome")
    return where is None


def _peak(values: Values) -> Row:
    start, end = number(values["chrom_start"]), number(values["chrom_end"])
    assert start is not None
    assert end is not None
    peak = number(values.get("peak"))
    summit = number(values.get("summit")) if "summit" in values else None if peak in (None, -1) else start + (peak or 0)
    if summit is not None and not start <= summit < end:
        raise Bad("the summit lies outside")
    logs = [p if p is not None and p >= 0 else None for p in (number(values.get(f"{x}_value")) for x in "pq")]
    first, last, *more = stored({**values, "summit": summit}, ["chrom_start", "chrom_end", "summit", "n_samples"])
    told = (values.get("name"), values.get("score"), values.get("signal_value"), *logs, *more, values.get("component"))
    return (chrom(text(values["chrom"])), first, last, *told)


GENE_FORMATS = {
    "gtf": ["chrom", "annotation", "feature", "first", "last", "score", "strand", "frame", "attributes"],
    "gencode": ["chrom", "annotation", "feature", "first", "last", "strand", "gene_id", "biotype", "gene_name"],
    "bed": ["chrom", "chrom_start", "chrom_end", "gene_id", "score", "strand"],
}
GENE_NAMES = {
    "chrom": ["gene_chr", "chrom", "chr", "chromosome"], "first": ["gene_start", "start"], "last": ["gene_end", "end"],
    "strand": ["strand"], "gene_id": ["gene_id", "id"], "gene_name": ["gene_name", "symbol", "name"],
    "biotype": ["biotype", "gene_type"],
}  # fmt: skip


def genes(data: bytes, format_: str, lengths: Lengths) -> Found:
    """What an annotation is to become."""
    lines = lines_of(data)
    at = next(i for i, t in enumerate(lines) if t and not t.startswith(("#", "track", "browser")))
    row, skip = lines[at].split("\t"), at
    if format_ == "table":
        places = {i: f for f, i in named([name.strip().strip('"') for name in row], GENE_NAMES).items()}
        names, skip = [places.get(i, f"({i})") for i in range(len(row))], at + 1
    else:
        of_format = GENE_FORMATS[format_]
        names = [*of_format, *(f"({i})" for i in range(len(of_format), len(row)))]
    fields = {name: name for name in names if name[0] != "(" and name != "score"}
    is_quoted = format_ == "table" and any(re.fullmatch('"(.*)"', name.strip()) for name in row)
    if format_ == "gtf":
        lines = [t if not t.startswith("#") or i < skip else "\t".join(["#", *"........"]) for i, t in enumerate(lines)]
    found = table(lines, names, skip, "\t", is_quoted=is_quoted)
    kept, aside = [], []
    for n, cells in found.rows:
        if "feature" in names and cells[2] not in ("gene", "ncRNA_gene", "pseudogene"):
            continue
        values, reason = values_of(names, fields, cells)
        if reason:
            raise Bad(f"line {n}: {reason}")
        if "first" in values:
            first = number(values["first"])
            values |= {"chrom_start": None if first is None else first - 1, "chrom_end": values["last"]}
        if "attributes" in values:
            values |= _attributes(str(values["attributes"] or ""))
        if values["gene_id"] is None or values["strand"] not in ("+", "-"):
            raise Bad("no gene, or no strand")
        if is_aside(values, lengths):
            aside.append(SetAside(n, frozenset(["contig_not_primary"]), lines[n - 1]))
        else:
            place = (chrom(text(values["chrom"])), *stored(values, ["chrom_start", "chrom_end"]), values["strand"])
            kept.append((values["gene_id"], values.get("gene_name"), *place, values.get("biotype")))
    return Found({"gene": kept}, aside)


def _attributes(written: str) -> Values:
    found: dict[str, str] = {}
    for key, value in re.findall(r'(?:^|;) *(\w+)[ =]"?([^";]+)', written):
        found.setdefault(key, value)

    def first(*keys: str) -> str | None:
        return next((found[key] for key in keys if key in found), None)

    return {"gene_id": first("gene_id", "ID"), "gene_name": first("gene_name", "Name"),
            "biotype": first("gene_type", "gene_biotype", "biotype")}  # fmt: skip


def chains(data: bytes, _: str, lengths: Lengths) -> Found:
    """What a chain file is to become: its blocks."""
    lines = [line.split() for line in lines_of(data)]
    words = [line for line in lines if line and not line[0].startswith("#")]
    blocks: list[Row] = []
    at = 0
    while at < len(words):
        opening, at = words[at], at + 1
        if opening[0] != "chain" or len(opening) not in (12, 13):
            raise Bad("a chain should begin here")
        score, t, t_end, q_size, q, q_end = (_digits(opening[i]) for i in (1, 5, 6, 8, 10, 11))
        while at < len(words):
            numbers, at = [_digits(word) for word in words[at]], at + 1
            size, gaps = numbers[0], numbers[1:]
            to = q if opening[9] == "+" else q_size - q - size
            if found := chrom(opening[2]):
                blocks.append((score, found, t, t + size, opening[7], opening[9], to))
            t, q = t + size + sum(gaps[:1]), q + size + sum(gaps[1:])
            if not gaps:
                break
        if (t, q) != (t_end, q_end):
            raise Bad("the blocks do not add up")
    return Found({"chain_block": blocks})


def _digits(written: str) -> int:
    if not re.fullmatch("[0-9]+", written):
        raise Bad(f"{written!r} is no number")
    return int(written)
