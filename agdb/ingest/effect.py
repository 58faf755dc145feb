"""Effects and frequencies of ALT, from those of the allele that a table gives them for."""

from collections.abc import Mapping

from agdb.ingest.plan import Rule
from agdb.ingest.preset import Preset


def of_alt(
    preset: Preset, columns: Mapping[str, str], null: float, of: str = "slope", *, is_signed: bool = True
) -> tuple[dict[str, str], list[Rule]]:
    """Columns of `staged` for the effect (field `of`) and the frequency of ALT, from those of the effect allele.

    An effect of REF is turned about the null value: 2 * null - effect. One without a direction stays as it is.
    """
    side = _side(preset, columns)
    turned = f"2 * {null} - {of}" if is_signed else of
    rules: list[Rule] = []
    select: dict[str, str] = {}
    if side in ("alt", "ref"):
        effect = of if side == "alt" else turned
        frequency = "eaf" if side == "alt" else "1 - eaf"
    else:
        allele = "upper(effect_allele)"
        effect = f"CASE {allele} WHEN upper(alt) THEN {of} WHEN upper(ref) THEN {turned} END"
        frequency = f"CASE {allele} WHEN upper(alt) THEN eaf WHEN upper(ref) THEN 1 - eaf END"
        neither = f"odd IS NULL AND ({allele} IS NULL OR {allele} NOT IN (ref, alt))"
        rules = [Rule("effect_allele_is_neither", "", neither, "odd", "", False)]
        select["effect_allele"] = "effect_allele"
    there = {*columns, *preset.derived}
    if of in there:
        select[of] = effect
    af = "af" if "af" in there else frequency if "eaf" in there else None
    if af:
        select["af"] = af
        if "maf" not in there:
            select["maf"] = f"least({af}, 1 - ({af}))"
    return select, rules


def _side(preset: Preset, columns: Mapping[str, str]) -> str:
    """alt, ref, or the name of the column, or derived field, that says which."""
    if "effect_allele" in preset.derived:
        return "effect_allele"
    declared = preset.effect_allele
    for side in ("alt", "ref"):
        if declared in (side, columns.get(side)):
            return side
    return declared
