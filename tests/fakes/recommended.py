"""The SDK's recommended scorers, as far as the made-up model has them. Theirs alone are the scores with quantiles.

They are written out here because importing the SDK's own list takes two seconds, which every start would pay.
"""

from typing import Any

from alphagenome.protos.v1 import dna_model_pb2 as model_pb2


def _recommended() -> dict[str, Any]:
    """The SDK's recommended scorers that this model has, by name, as `VariantScorer` messages."""
    scorers = {}
    widths = {"ATAC": 501, "DNASE": 501, "CHIP_TF": 501, "CAGE": 501, "PROCAP": 501, "CHIP_HISTONE": 2001}
    for output, width in widths.items():
        output_type = model_pb2.OutputType.Value(f"OUTPUT_TYPE_{output}")
        for suffix, aggregation in (("", "DIFF_LOG2_SUM"), ("_ACTIVE", "ACTIVE_SUM")):
            mask = model_pb2.CenterMaskScorer(
                requested_output=output_type,
                width=width,
                aggregation_type=model_pb2.AggregationType.Value(f"AGGREGATION_TYPE_{aggregation}"),
            )
            scorers[output + suffix] = model_pb2.VariantScorer(center_mask=mask)
    rna = model_pb2.OUTPUT_TYPE_RNA_SEQ
    change, active = model_pb2.GeneMaskLFCScorer, model_pb2.GeneMaskActiveScorer
    scorers["RNA_SEQ"] = model_pb2.VariantScorer(gene_mask=change(requested_output=rna))
    scorers["RNA_SEQ_ACTIVE"] = model_pb2.VariantScorer(gene_mask_active=active(requested_output=rna))
    return scorers


#: By the names under which the Atlas knows them.
RECOMMENDED = _recommended()
_RECOMMENDED_BYTES = {scorer.SerializeToString(deterministic=True) for scorer in RECOMMENDED.values()}


def is_recommended(scorer: Any) -> bool:
    """Whether a `VariantScorer` message is one of the SDK's recommended scorers."""
    return scorer.SerializeToString(deterministic=True) in _RECOMMENDED_BYTES
