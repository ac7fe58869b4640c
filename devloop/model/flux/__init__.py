"""Flux's objects, the graph of Kustomizations, and how far a reconciliation has come."""
