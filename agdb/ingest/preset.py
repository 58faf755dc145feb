"""Presets: what the columns of a known table mean, as TOML. The shipped ones stand in `agdb/presets`; users keep
theirs where they like.

title = "..."                 what it is
kind = "qtl"                  or "credible", "variants", "predictions"
qtl_type = "eqtl"             sqtl, caqtl, dsqtl, ...
assembly = "GRCh38"           of its positions
effect_allele = "alt"         "alt", "ref", or the column that names the allele
effect_unit = "sd"            one of agdb.ingest.fields.UNITS
is_strict = true              a row that cannot be means a damaged file (else the row is rejected)
merges_repeats = true         rows that differ only in `name` are one association
tissue = "LCL"                where all files of the kind are of one tissue
optional = ["maf"]            fields whose column may be missing
[columns]                     field = column, or a list of names that the column has had
[derived]                     field = SQL over the columns of the file
"""

import hashlib
import json
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib import resources
from pathlib import Path
from typing import Any

from agdb.errors import Refused, UsageError
from agdb.ingest import header
from agdb.ingest.fields import FIELDS, UNITS

KINDS = ("qtl", "credible", "variants", "predictions")

#: Ways to tell a variant, the first that a preset has counts.
VARIANT_FORMS = (("variant_id",), ("chrom", "pos", "ref", "alt"), ("chrom", "pos"))


@dataclass(frozen=True)
class Preset:
    """What the columns of a table mean. `columns` maps a field to the names that its column may have."""

    name: str
    title: str
    kind: str
    columns: Mapping[str, Sequence[str]]
    qtl_type: str | None = None
    assembly: str | None = None
    effect_allele: str = "alt"
    effect_unit: str | None = None
    is_strict: bool = False
    merges_repeats: bool = False
    tissue: str | None = None
    file: str | None = None
    optional: frozenset[str] = frozenset()
    derived: Mapping[str, str] = field(default_factory=dict)
    is_shipped: bool = False

    @property
    def format(self) -> str:
        """How a file was read, for table `source`: one's own preset is told by what it says, not by its name."""
        if self.is_shipped:
            return self.name
        told = as_toml(replace(self, title="", file=None, columns=dict(sorted(self.columns.items()))))
        return f"custom-{hashlib.sha256(told.encode()).hexdigest()[:8]}"

    def found_in(self, names: Iterable[str]) -> dict[str, str]:
        """Field to column, for the fields whose column is among `names`."""
        there = set(names)
        columns = {f: next((a for a in aliases if a in there), None) for f, aliases in self.columns.items()}
        return {f: column for f, column in columns.items() if column}

    def missing_in(self, names: Iterable[str]) -> list[str]:
        """The columns that a file with these `names` lacks, by their first name."""
        found = self.found_in(names)
        lacking = [f for f in self.columns if f not in found and f not in self.optional]
        columns = [self.columns[f][0] for f in lacking]
        fields = {*found, *self.derived}
        if not lacking and not any(fields.issuperset(form) for form in VARIANT_FORMS):
            columns = [self.columns[f][0] for form in VARIANT_FORMS[:1] for f in form if f in self.columns]
        return columns

    def require(self, path: Path, names: Sequence[str]) -> dict[str, str]:
        """Field to column of a file with these `names`.

        Raises:
            Refused: a column is missing; the message names it and the one that it may have become.
        """
        missing = self.missing_in(names)
        if missing:
            wanted = [*missing, *self.found_in(names).values()]
            header.require(path, names, wanted, f"{self.name} ({self.title})")
        return self.found_in(names)


def shipped() -> list[Preset]:
    """The presets that come with agdb, by name."""
    folder = resources.files("agdb") / "presets"
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".toml")), key=lambda f: f.name)
    texts = [(f.name, f.read_text(encoding="utf-8")) for f in files]
    return [replace(_parsed(name.removesuffix(".toml"), text, name), is_shipped=True) for name, text in texts]


def named(name: str) -> Preset:
    """A preset by its name, or from a TOML file.

    Raises:
        UsageError: there is no such preset.
        Refused: the TOML file is not one.
    """
    known = {p.name: p for p in shipped()}
    if name in known:
        return known[name]
    path = Path(name)
    if path.suffix != ".toml":
        raise UsageError(
            f"there is no preset {name!r}", cure=f"a file that ends in .toml, or one of {', '.join(known)}"
        )
    if not path.is_file():
        raise UsageError("there is no such preset", where=name, cure="--save-preset FILE.toml writes one")
    try:
        return _parsed(path.stem, path.read_text(encoding="utf-8"), name)
    except (OSError, UnicodeDecodeError) as error:
        raise Refused("the preset cannot be read as text", where=name, cure="is it the right file?") from error


def recognised(path: Path, names: Sequence[str], among: Sequence[Preset]) -> Preset:
    """The preset that fits a file with these columns: of those that miss nothing, the one that uses most of them.

    Raises:
        Refused: none fits; the message says what else the file is, or speaks of the nearest preset.
    """
    fitting = _fitting(names, among)
    if fitting:
        return fitting
    nearest = max(among, key=lambda p: len(p.found_in(names)) - 2 * len(p.missing_in(names)))
    other = _fitting(names, shipped())
    where = f"{path}, line 1: {', '.join(names[:14])}"
    if other and len(other.found_in(names)) > len(nearest.found_in(names)):
        raise Refused(f"this is another kind of file: {other.title}", where=where, cure=_command(other))
    if len(among) > 1 and len(nearest.found_in(names)) < len(nearest.missing_in(names)):
        raise Refused("this table is none that agdb knows by its columns", where=where,
                      cure=f"say what they mean: agdb ingest {nearest.kind} --map field=column,... (agdb presets lists "
                           "what is known)")  # fmt: skip
    nearest.require(path, names)
    raise AssertionError("a preset that does not fit misses a column")


def _command(preset: Preset) -> str:
    """The command that reads a file of this kind."""
    of_scores = {"original": "--format original --window BP", "alphagenome_tidy": "--format tidy"}
    how = of_scores.get(preset.name, f"--preset {preset.name}")
    return f"agdb ingest {preset.kind} {how}"


def _fitting(names: Sequence[str], among: Iterable[Preset]) -> Preset | None:
    fitting = [p for p in among if not p.missing_in(names)]
    # of those that use as many columns, the one that knows of no others: a VCF is a table of variants too
    return max(fitting, key=lambda p: (len(p.found_in(names)), -len(p.columns)), default=None)


def from_options(
    maps: Iterable[str],
    *,
    kind: str,
    assembly: str | None,
    effect_allele: str | None = None,
    effect_unit: str | None = None,
    qtl_type: str | None = None,
) -> Preset:
    """A preset from `--map field=column,...` and what goes with it; where nothing is said, effects of ALT, eQTLs.

    Raises:
        UsageError: a field that does not exist, is given twice, or a variant that cannot be told.
    """
    columns: dict[str, list[str]] = {}
    for pair in (pair for given in maps for pair in re.split(r",(?=\s*\w+=)", given)):
        name, equals, column = pair.strip().partition("=")
        if not equals or name not in FIELDS or not column or name in columns:
            what = "is given twice" if name in columns else "is not of the form field=column"
            raise UsageError(f"--map {pair.strip()!r} {what}", cure=f"fields are {', '.join(FIELDS)}")
        columns[name] = [column.strip().strip('"')]
    qtl_type = qtl_type or ("eqtl" if kind in ("qtl", "credible") else None)
    said = (qtl_type, assembly, effect_allele or "alt", effect_unit)
    return _checked(Preset("custom", "columns named by --map", kind, columns, *said))


def _parsed(name: str, toml: str, where: str) -> Preset:
    try:
        found = tomllib.loads(toml)
    except tomllib.TOMLDecodeError as error:
        raise Refused(f"the preset is not TOML: {error}", where=where, cure="mend that line") from error
    unknown = found.keys() - _KEYS.keys()
    if unknown or "columns" not in found:
        what = f"has an unknown key {min(unknown)!r}" if unknown else "has no table [columns]"
        raise Refused(f"the preset {what}", where=where, cure=f"keys are {', '.join(_KEYS)}")
    for key, value in found.items():
        if not _is_of_type(key, value):
            raise Refused(f"the preset has {key} = {value!r}", where=where, cure=f"{key} is {_KEYS[key]}")
    columns = {f: [c] if isinstance(c, str) else list(c) for f, c in found.pop("columns").items()}
    optional = frozenset(found.pop("optional", []))
    values = {"title": "a table of yours", "kind": "qtl", **found}
    return _checked(Preset(**{"name": name, **values}, columns=columns, optional=optional))


#: The keys of a preset, and what they are.
_KEYS = {
    "title": "a text", "kind": "a text", "qtl_type": "a text", "assembly": "a text", "effect_allele": "a text",
    "effect_unit": "a text", "tissue": "a text", "file": "a text", "is_strict": "true or false",
    "merges_repeats": "true or false", "optional": "a list of fields",
    "columns": "a table: field = column, or field = [columns]", "derived": "a table: field = SQL",
}  # fmt: skip


def _is_of_type(key: str, value: Any) -> bool:
    def is_texts(found: Any) -> bool:
        return isinstance(found, list) and bool(found) and all(isinstance(text, str) for text in found)

    if key in ("columns", "derived"):
        may_list = key == "columns"
        return isinstance(value, dict) and all(isinstance(v, str) or (may_list and is_texts(v)) for v in value.values())
    if key == "optional":
        return value == [] or is_texts(value)
    return isinstance(value, bool if key in ("is_strict", "merges_repeats") else str)


def _checked(preset: Preset) -> Preset:
    """The preset, with the column of its effect allele among its columns.

    Raises:
        UsageError: it says what nobody knows, does not tell the variant, or tells the effect allele in two ways.
    """
    where = f"preset {preset.name}"
    for name in [*preset.columns, *preset.derived, *preset.optional]:
        if name not in FIELDS:
            raise UsageError(f"{where} has an unknown field {name!r}", cure=f"fields are {', '.join(FIELDS)}")
    if preset.kind not in KINDS:
        raise UsageError(f"{where} is of an unknown kind {preset.kind!r}", cure=f"kinds are {', '.join(KINDS)}")
    if not re.fullmatch(r"[\w.+-]+", preset.qtl_type or "none"):
        raise UsageError(f"{preset.qtl_type!r} is no name of what was measured", cure="--kind, e.g. eqtl, caqtl, dsqtl")
    if preset.effect_unit is not None and preset.effect_unit not in UNITS:
        told = "; ".join(f"{unit}: {meaning}" for unit, (meaning, _) in UNITS.items())
        raise UsageError(f"unknown effect unit {preset.effect_unit!r}", cure=told)
    if "variant_id" in preset.derived:
        raise UsageError(f"{where} derives variant_id", cure="derive chrom, pos, ref and alt; ids stand as they are")
    if not any({*preset.columns, *preset.derived}.issuperset(form) for form in VARIANT_FORMS):
        ways = " or ".join("+".join(form) for form in VARIANT_FORMS)
        raise UsageError(f"{where} does not say which columns tell the variant", cure=f"map {ways}")
    return _with_effect_allele(preset)


def _with_effect_allele(preset: Preset) -> Preset:
    declared, mapped = preset.effect_allele, list(preset.columns.get("effect_allele", ()))
    of_alleles = [*preset.columns.get("ref", ()), *preset.columns.get("alt", ())]
    if "effect_allele" in preset.derived:
        if mapped or declared not in ("alt", "effect_allele"):
            raise UsageError(f"the effect allele is {(mapped or [declared])[0]}, and [derived] tells it",
                             cure="say it once: leave it out of the rest of the preset")  # fmt: skip
        return replace(preset, effect_allele="effect_allele")
    if mapped:
        if declared not in ("alt", *mapped):  # alt is what is meant where nothing is said
            raise UsageError(f"the effect allele is {declared}, and column {mapped[0]!r} tells it",
                             cure="say it once: --effect-allele COLUMN")  # fmt: skip
        return replace(preset, effect_allele=mapped[0])
    if declared in ("alt", "ref", *of_alleles):
        return preset
    return replace(preset, columns={**preset.columns, "effect_allele": [declared]})


def save(preset: Preset, path: Path) -> None:
    """Write a preset as TOML, so that `named` reads it back.

    Raises:
        UsageError: the name does not end in .toml.
    """
    if path.suffix != ".toml":
        raise UsageError(f"a preset is a TOML file, {path.name} is not", cure="end the name in .toml")
    try:
        path.write_text(as_toml(preset), encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"the preset cannot be written: {error.strerror}", where=str(path), cure="name another file"
        ) from error


def as_toml(preset: Preset) -> str:
    """A preset as the text of its file."""
    keys = ("title", "file", "kind", "qtl_type", "assembly", "effect_allele", "effect_unit", "is_strict",
            "merges_repeats", "tissue")  # fmt: skip
    lines = [f"{key} = {_toml(getattr(preset, key))}" for key in keys if getattr(preset, key) not in (None, False)]
    if preset.optional:
        lines.append(f"optional = {_toml(sorted(preset.optional))}")
    lines += ["", "[columns]", *(f"{f} = {_toml(c[0] if len(c) == 1 else list(c))}" for f, c in preset.columns.items())]
    if preset.derived:
        lines += ["", "[derived]", *(f"{f} = {_toml(sql)}" for f, sql in preset.derived.items())]
    return "\n".join(lines) + "\n"


def _toml(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)  # strings, booleans and lists of JSON are TOML too
