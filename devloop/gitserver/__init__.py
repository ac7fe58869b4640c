"""Serving the snapshot over Git, for every cluster."""
