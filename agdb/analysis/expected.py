"""What the field has found, printed beside a result: one far outside is a bug until shown otherwise."""

import re
from typing import NamedTuple

from agdb.analysis.groups import Group


class Band(NamedTuple):
    """A range of a measure in a setting, and where it is from."""

    qtl_types: tuple[str, ...]
    output_types: tuple[str, ...]
    label_set: str | None
    measure: str
    low: float
    high: float
    of: str

    @property
    def told(self) -> str:
        """In words, of which `bounds` reads both ends again: those of another version are stored, too."""
        return f"{self.low:g} to {self.high:g} ({self.of})"


#: The first band that fits counts. AlphaGenome's are those of its evaluation notebooks.
BANDS = (
    Band(("eqtl",), ("RNA_SEQ",), "fine-mapped", "spearman", 0.4, 0.5, "AlphaGenome RNA_SEQ, fine-mapped GTEx eQTLs"),
    Band(("eqtl",), ("RNA_SEQ",), "fine-mapped", "sign_auroc", 0.75, 0.85, "AlphaGenome RNA_SEQ, fine-mapped eQTLs"),
    Band(("eqtl",), ("DNASE", "ATAC"), None, "spearman", 0.0, 0.15, "K562 DNASE against nominal Whole_Blood slopes"),
    Band(("dsqtl",), ("DNASE",), None, "pearson", 0.75, 0.85, "AlphaGenome DNASE GM12878, Yoruba dsQTLs: 0.83"),
    Band(("caqtl",), ("DNASE", "ATAC"), None, "pearson", 0.55, 0.75, "AlphaGenome, caQTLs: 0.59 to 0.74"),
)


def expected(group: Group, measure: str) -> str | None:
    """The band of a measure in this setting, in words; None where the field has none."""
    scorer = group.scorers[0]
    for band in BANDS:
        if (
            group.qtl_type in band.qtl_types and scorer.output_type in band.output_types and measure == band.measure
            and band.label_set in (None, group.labels.name) and group.labels.label == "slope"
        ):  # fmt: skip
            return band.told
    return None


def bounds(expected: str) -> tuple[float, float]:
    """Both ends of a band, from the words in which `expected` tells it."""
    low, high = re.findall(r"^([-\d.e]+) to ([-\d.e]+) \(", expected)[0]
    return float(low), float(high)
