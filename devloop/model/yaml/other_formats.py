"""Recognises files of other tools, so that the message can say what the file is and not only what it is not."""

import difflib

from devloop.diagnostic import Diagnostic
from devloop.model.flux.names import HELM_GROUP, KUSTOMIZE_GROUP, OPERATOR_GROUP, SOURCE_GROUP
from devloop.model.messages import quote
from devloop.model.yaml.nodes import YamlNode

# Start of apiVersion -> whose file it is.
_TOOLS = {
    "ksail.": "a KSail definition",
    "kind.x-k8s.io/": "a Kind configuration",
    "kind.sigs.k8s.io/": "a Kind configuration of long ago",
    "k3d.io/": "a k3d configuration",
    "ctlptl.dev/": "a ctlptl configuration",
    "skaffold/": "a Skaffold configuration",
    f"{OPERATOR_GROUP}/": "an object of the Flux operator",
    f"{KUSTOMIZE_GROUP}/": "a Flux Kustomization",
    f"{SOURCE_GROUP}/": "a Flux source",
    f"{HELM_GROUP}/": "a Flux HelmRelease",
    "kustomize.config.k8s.io/": "a kustomization.yaml",
    "argoproj.io/": "an object of Argo CD",
    "cluster.x-k8s.io/": "an object of the Cluster API",
    "eksctl.io/": "an eksctl configuration",
    "kubeadm.k8s.io/": "a kubeadm configuration",
}
# Top-level keys of files without an apiVersion.
_KEYS = {"machine": "a Talos machine configuration", "services": "a Compose file", "sops": "a file encrypted by SOPS"}


def other_format_problem(root: YamlNode, path: str, wanted: str, api_version: str) -> Diagnostic | None:
    """What `root` is, if it is not `wanted` (named as in the table above); a slip of the pen is not foreign."""
    hint = f"{wanted} starts with `apiVersion: {api_version}` and `kind: Cluster`"
    if root.shape != "mapping":
        return Diagnostic.at(path, root.line, f"this is no mapping, so it is not {wanted}", hint)
    version = root.entries.get("apiVersion")
    if version is None or not version.text:
        owner = next((tool for key, tool in _KEYS.items() if key in root.entries and "spec" not in root.entries), "")
        return Diagnostic.at(path, root.line, f"this is {owner}, not {wanted}", hint) if owner else None
    owner = _owner(version.text, wanted, api_version)
    if owner == wanted:
        return None
    kind = root.entries.get("kind")
    what = owner or (f"an object of kind {quote(kind.text)}" if kind and kind.text else "something else")
    return Diagnostic.at(path, version.line, f"this is {what} (apiVersion {quote(version.text)}), not {wanted}", hint)


def _owner(written: str, wanted: str, api_version: str) -> str:
    known = next((tool for start, tool in _TOOLS.items() if written.startswith(start)), "")
    alike = difflib.SequenceMatcher(None, written, api_version).ratio() > 0.75
    return known or (wanted if alike else "")
