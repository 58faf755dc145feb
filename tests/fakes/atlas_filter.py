"""The filters that the SDK's `AtlasClient` writes (AIP-160): which scorers, which tracks, which genes."""

import re
from typing import NamedTuple

from alphagenome.protos.v1 import dna_model_pb2 as model_pb2

from fakes.faults import Refusal

_TRACK = r"scores\.metadata\.tracks\.metadata\.ontology_term"
_GENE = r"scores\.metadata\.gene_scorers\.metadata"
_SCORER = re.compile(r'scores\.variant_scorer\.name = "([^"]*)"')
_TERM = re.compile(rf"\({_TRACK}\.ontology_type = (\w+) AND {_TRACK}\.id = (\d+)\)")
_GENE_ID = re.compile(rf'{_GENE}\.gene_id = "([^"]*)"')
_GENE_NAME = re.compile(rf'{_GENE}\.name = "([^"]*)"')
_REST = re.compile(rf"(-{_TRACK}:\*|AND|OR|[()\s])*")


class Wanted(NamedTuple):
    """What a filter lets through. What is empty leaves out nothing.

    Attributes:
        scorers: Names of scorers.
        terms: `OntologyTerm` messages; a track has to have one of them.
        gene_ids: A gene has to have one of these ids, or one of
        gene_names: these names.
    """

    scorers: frozenset[str]
    terms: tuple[model_pb2.OntologyTerm, ...]
    gene_ids: frozenset[str]
    gene_names: frozenset[str]

    @property
    def names_genes(self) -> bool:
        """Whether it lets through some genes only, and so nothing of a scorer that knows no genes."""
        return bool(self.gene_ids or self.gene_names)

    def has_gene(self, gene_id: str, name: str) -> bool:
        """Whether it lets a gene through."""
        return not self.names_genes or gene_id in self.gene_ids or name in self.gene_names


def parse(text: str) -> Wanted:
    """Read a filter as `atlas_utils.build_filter` of the SDK writes it; refuses any other."""
    rest = text
    for pattern in (_SCORER, _TERM, _GENE_ID, _GENE_NAME):
        rest = pattern.sub("", rest)
    if not _REST.fullmatch(rest):
        raise Refusal("INVALID_ARGUMENT", f"this server cannot read the filter {text!r}")
    terms = (
        model_pb2.OntologyTerm(ontology_type=model_pb2.OntologyType.Value(kind), id=int(number))
        for kind, number in _TERM.findall(text)
    )
    return Wanted(
        frozenset(_SCORER.findall(text)),
        tuple(terms),
        frozenset(_GENE_ID.findall(text)),
        frozenset(_GENE_NAME.findall(text)),
    )
