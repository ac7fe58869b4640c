"""Kubernetes objects: manifests, names, quantities, workloads, health."""
