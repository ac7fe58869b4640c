"""Recognises files of other tools, so that a message can say what a file is."""

import difflib

from devloop.diagnostic import Diagnostic
from devloop.model.flux.names import HELM_GROUP, KUSTOMIZE_GROUP, OPERATOR_GROUP, SOURCE_GROUP
from devloop.model.messages import quote
from devloop.model.yaml.nodes import YamlNode

# Prefix of apiVersion -> format.
_TOOLS = {
    "ksail.": "a KSail definition",
    "kind.x-k8s.io/": "a Kind configuration",
    "kind.sigs.k8s.io/": "an outdated Kind configuration",
    "k3d.io/": "a k3d configuration",
    "ctlptl.dev/": "a ctlptl configuration",
    "skaffold/": "a Skaffold configuration",
    f"{OPERATOR_GROUP}/": "a Flux Operator object",
    f"{KUSTOMIZE_GROUP}/": "a Flux Kustomization",
    f"{SOURCE_GROUP}/": "a Flux source",
    f"{HELM_GROUP}/": "a Flux HelmRelease",
    "kustomize.config.k8s.io/": "a kustomization.yaml",
    "argoproj.io/": "an Argo CD object",
    "cluster.x-k8s.io/": "a Cluster API object",
    "eksctl.io/": "an eksctl configuration",
    "kubeadm.k8s.io/": "a kubeadm configuration",
}
# Top-level keys of files without an apiVersion.
_KEYS = {"machine": "a Talos machine configuration", "services": "a Compose file", "sops": "a SOPS-encrypted file"}


def other_format_problem(root: YamlNode, path: str, expected: str, api_version: str) -> Diagnostic | None:
    """What `root` is if it is not `expected` (a format of the table above); a typo in `api_version` still counts as expected."""
    hint = f"{expected} starts with `apiVersion: {api_version}` and `kind: Cluster`"
    if root.shape != "mapping":
        return Diagnostic.at(path, root.line, f"not a mapping, so not {expected}", hint)
    version = root.entries.get("apiVersion")
    if version is None or not version.text:
        actual = next((tool for key, tool in _KEYS.items() if key in root.entries and "spec" not in root.entries), "")
        return Diagnostic.at(path, root.line, f"this is {actual}, not {expected}", hint) if actual else None
    actual = next((tool for start, tool in _TOOLS.items() if version.text.startswith(start)), "")
    if actual == expected or (not actual and difflib.SequenceMatcher(None, version.text, api_version).ratio() > 0.75):
        return None
    kind = root.entries.get("kind")
    actual = actual or (f"an object of kind {quote(kind.text)}" if kind and kind.text else "something else")
    return Diagnostic.at(path, version.line, f"this is {actual} (apiVersion {quote(version.text)}), not {expected}", hint)
