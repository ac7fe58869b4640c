"""What a cluster has without a manifest: objects of Kubernetes and Flux, and sources that Flux makes. No I/O."""

from devloop.model.flux.artifact_generator import artifacts
from devloop.model.flux.helm_release import source_of
from devloop.model.flux.kustomization import SourceRef
from devloop.model.flux.names import EXTENSIONS_GROUP, HELM_CHART, HELM_GROUP, HELM_RELEASE, KUSTOMIZATION, NAMESPACE, ROOT, SOURCE_GROUP
from devloop.model.kubernetes.manifest import Manifest
from devloop.model.kubernetes.objects import ObjectId
from devloop.model.lint.inventory import Inventory

# Deployments and service accounts of Flux.
FLUX_PROGRAMS = frozenset(
    f"{name}-controller" for name in ("source", "kustomize", "helm", "notification", "image-reflector", "image-automation")
) | {"flux-operator", "source-watcher"}


def is_given(kind: str, namespace: str, name: str) -> bool:
    """Whether the object comes with Kubernetes or with Flux."""
    if kind == KUSTOMIZATION:
        return ObjectId(namespace, name) == ROOT
    everywhere = (kind, name) in {("ConfigMap", "kube-root-ca.crt"), ("ServiceAccount", "default")}
    of_flux = namespace == NAMESPACE and (name in FLUX_PROGRAMS or name == "webhook-receiver")
    return everywhere or of_flux or namespace.startswith("kube-") or (kind, namespace, name) == ("Service", "default", "kubernetes")


def known_sources(inventory: Inventory) -> set[SourceRef]:
    """The rendered ones, the repository itself, and what Flux's controllers make: artifacts, and a HelmChart for each HelmRelease."""
    found = set(inventory.graph.own_sources)
    found |= {SourceRef(kind, ROOT.namespace, ROOT.name) for kind in ("GitRepository", "OCIRepository", "Bucket")}
    for key, objects in inventory.objects.items():
        namespace = ObjectId(key.namespace or "default", key.name).namespace
        if key.group == SOURCE_GROUP:
            found.add(SourceRef(key.kind, namespace, key.name))
        elif key.group == EXTENSIONS_GROUP:
            found.update(artifact.ref for _, manifest in objects for artifact in artifacts(manifest))
        elif (key.group, key.kind) == (HELM_GROUP, HELM_RELEASE):
            found.update(_chart_of(manifest) for _, manifest in objects)
    return found


def _chart_of(release: Manifest) -> SourceRef:
    source = source_of(release.mapping("spec", "chart", "spec", "sourceRef"), release.id.namespace)
    return SourceRef(HELM_CHART, source.namespace, f"{release.id.namespace}-{release.name}")
