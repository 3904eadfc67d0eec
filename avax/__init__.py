"""Self-training of tiny transformers as one compiled JAX loop: when it compounds or collapses."""

__version__ = "0.1.0"
