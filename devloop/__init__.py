"""A local GitOps development loop. The top-level modules diagnostic, errors and hint are the lowest layer: all others may import them."""

__version__ = "0.1.0"
