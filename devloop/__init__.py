"""A local GitOps development loop."""

__version__ = "0.1.0"
