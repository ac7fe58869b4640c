"""Cluster definitions and environments."""
