"""What a request has to be, for both services: else it is refused, as `INVALID_ARGUMENT`."""

from typing import Any

from alphagenome.protos.v1 import dna_model_pb2 as model_pb2

from fakes.faults import Refusal
from fakes.sequence import LENGTHS, Window, text, variant_text, windows

#: Bases of the sequences that the model reads: `dna_client.SUPPORTED_SEQUENCE_LENGTHS`.
WIDTHS = (16_384, 131_072, 524_288, 1_048_576)


def interval_text(interval: Any) -> str:
    """`chr1:0-16384`, 0-based half-open."""
    return f"{interval.chromosome}:{interval.start}-{interval.end}"


def check_organism(request: Any) -> None:
    if request.organism != model_pb2.ORGANISM_HOMO_SAPIENS:
        raise Refusal("INVALID_ARGUMENT", "this server has no organism but ORGANISM_HOMO_SAPIENS")


def check_width(width: int) -> None:
    if width not in WIDTHS:
        raise Refusal("INVALID_ARGUMENT", f"sequence length {width} is not supported: {', '.join(map(str, WIDTHS))}")


def check_interval(request: Any) -> None:
    check_organism(request)
    interval = request.interval
    check_width(interval.end - interval.start)
    if interval.chromosome not in LENGTHS:
        raise Refusal("INVALID_ARGUMENT", f"there is no chromosome {interval.chromosome!r}")
    if interval.strand == model_pb2.STRAND_NEGATIVE:
        raise Refusal("UNIMPLEMENTED", "this server reads the + strand only")


def checked_windows(request: Any) -> tuple[Window, Window]:
    check_interval(request)
    variant, interval = request.variant, request.interval
    if variant.chromosome != interval.chromosome or not interval.start < variant.position <= interval.end:
        raise Refusal("INVALID_ARGUMENT", f"{variant_text(variant)} is not in {interval_text(interval)}")
    return windows(variant, interval)


def check_snv(variant: Any) -> None:
    if variant.chromosome not in LENGTHS:
        raise Refusal("INVALID_ARGUMENT", f"there is no chromosome {variant.chromosome!r}")
    ref, alt = variant.reference_bases, variant.alternate_bases
    if len(ref) != 1 or len(alt) != 1 or ref == alt:
        raise Refusal("INVALID_ARGUMENT", f"{variant_text(variant)} is no single nucleotide variant")
    expected = text(variant.chromosome, variant.position - 1, variant.position)
    if ref != expected:
        raise Refusal("INVALID_ARGUMENT", f"the reference base of {variant_text(variant)} is {expected}, not {ref}")
