"""Scores for the variants that have none: work list, calls, spool, merge. The public verb is `run.run`."""
