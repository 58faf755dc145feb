"""agdb: does a model's variant score agree with what was measured?"""

__version__ = "0.1.0"
