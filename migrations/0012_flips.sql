-- What columns of `result` say since differences are tested by flipping the signs of what clusters add to them.
COMMENT ON COLUMN result.ci_low IS 'Lower end of its 95 % interval of clusters, the one to cite: by resampling them, of a difference by flipping the signs of what they add to it; method says which.';
COMMENT ON COLUMN result.p IS 'Two-sided p-value, from the standard error by resampling clusters, of a difference from the flips (else method says how).';
COMMENT ON COLUMN result.q IS 'Benjamini-Hochberg q-value within the family: this run, label set, source and metric; of scorers or strata that are compared two and two, where there are several, the max-T adjusted p-value.';
COMMENT ON COLUMN result.seed IS 'Seed of the resamples and flips: the same inputs and seed give the same numbers.';
COMMENT ON COLUMN result.resamples IS 'Resamples of the clusters, or flips of their signs; of permutation_* the permutations, of overlap_enrichment the shifts.';
