"""Predictors: what computes a score for a variant. None of them knows of the database or of the command line."""
