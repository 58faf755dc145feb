"""The motifs of the `motif` predictor: transcription factors that mark open chromatin in blood cells, as data.

No matrix is taken from a database. Each one is built by `log_odds` from a published consensus by one rule, so that a
reader can check every number against the paper named beside it.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

#: Probability of each base that a position does not allow. One number for all motifs; see `agdb.predictors.motif`.
MISMATCH = 0.02
#: The bases that an IUPAC code allows (Cornish-Bowden 1985, Nucleic Acids Res. 13:3021).
IUPAC = {
    "A": "A", "C": "C", "G": "G", "T": "T",
    "R": "AG", "Y": "CT", "S": "CG", "W": "AT", "K": "GT", "M": "AC",
    "B": "CGT", "D": "AGT", "H": "ACT", "V": "ACG", "N": "ACGT",
}  # fmt: skip


@dataclass(frozen=True)
class Motif:
    """A binding site: `name` of the factor, IUPAC `consensus` from 5' to 3', and the `source` of the consensus."""

    name: str
    consensus: str
    source: str


MOTIFS = (
    Motif("GATA1", "WGATAR", "Merika & Orkin 1993, Mol. Cell. Biol. 13:3999"),
    # TAL1, E2A, LMO2, LDB1 and GATA1 bind as one complex: an E-box, nine bases of any kind, and a GATA site.
    Motif("TAL1-GATA1", "CAGGTGNNNNNNNNNGATA", "Wadman et al. 1997, EMBO J. 16:3145"),
    Motif("NF-E2", "TGCTGASTCAY", "Andrews et al. 1993, Nature 362:722"),
    Motif("AP-1", "TGASTCA", "Lee, Mitchell & Tjian 1987, Cell 49:741; Angel et al. 1987, Cell 49:729"),
    Motif("KLF1", "CCACACCCT", "Miller & Bieker 1993, Mol. Cell. Biol. 13:2776"),
    Motif("SP1", "KRGGCGKRRY", "Kadonaga, Jones & Tjian 1986, Trends Biochem. Sci. 11:20"),
    # The 14 bases at the core of the 20-base motif.
    Motif("CTCF", "CCASYAGRKGGCRS", "Kim et al. 2007, Cell 128:1231"),
    Motif("ETS", "ACCGGAAGT", "Sementchenko & Watson 2000, Oncogene 19:6533; Wei et al. 2010, EMBO J. 29:2147"),
    Motif("NRF1", "YGCGCAYGCGCR", "Evans & Scarpulla 1990, Genes Dev. 4:1023"),
    Motif("NF-Y", "RRCCAATSR", "Dorn et al. 1987, Cell 50:863; Mantovani 1998, Nucleic Acids Res. 26:1135"),
    # The preferred base of every position; only CAT is kept in all sites.
    Motif("YY1", "CGCCATNTT", "Hyde-DeRuyscher, Jennings & Shenk 1995, Nucleic Acids Res. 23:4457"),
)


def log_odds(consensus: str) -> npt.NDArray[np.float64]:
    """The position weight matrix of a consensus: shape (length, 4), columns A C G T, natural logarithms.

    A base that the position does not allow has probability `MISMATCH`; the allowed ones share the rest evenly. The
    entry is ln(probability / 0.25), against bases drawn evenly, so that `N` weighs exactly 0.
    """
    rows = []
    for code in consensus:
        allowed = IUPAC[code]
        share = (1 - MISMATCH * (4 - len(allowed))) / len(allowed)
        rows.append([share if base in allowed else MISMATCH for base in "ACGT"])
    return np.log(np.array(rows) / 0.25)


def reverse_complement(matrix: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The same site read on the other strand; columns A C G T are complementary from both ends."""
    return matrix[::-1, ::-1]


def strands(motif: Motif) -> list[npt.NDArray[np.float64]]:
    """The matrices to place: both strands, or one where they are the same, lest a palindrome counts twice at a place.

    Each has shape (length, 4), as from `log_odds`.
    """
    forward = log_odds(motif.consensus)
    reverse = reverse_complement(forward)
    return [forward] if np.array_equal(forward, reverse) else [forward, reverse]
