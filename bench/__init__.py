"""Benchmarks against what people use today: `python -m bench.run`. See bench/README.md."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / "tests"))  # the made-up AlphaGenome serves here too
