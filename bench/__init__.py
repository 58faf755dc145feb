"""Benchmarks against what people use today: `python -m bench.run`. See bench/README.md."""
