"""Flux's API groups, kinds, labels, annotations and controllers, and the objects that devloop creates for it."""

from devloop.model.kubernetes.objects import ObjectId

KUSTOMIZE_GROUP = "kustomize.toolkit.fluxcd.io"
SOURCE_GROUP = "source.toolkit.fluxcd.io"
HELM_GROUP = "helm.toolkit.fluxcd.io"
EXTENSIONS_GROUP = "source.extensions.fluxcd.io"
OPERATOR_GROUP = "fluxcd.controlplane.io"
# Suffixes of the groups of Flux, its operator and its extensions.
_GROUPS = ("toolkit.fluxcd.io", OPERATOR_GROUP, "extensions.fluxcd.io")

KUSTOMIZATION = "Kustomization"
HELM_RELEASE = "HelmRelease"
HELM_CHART = "HelmChart"
GIT_REPOSITORY = "GitRepository"
# The kinds of source that contain a repository.
SOURCES = frozenset({GIT_REPOSITORY, "OCIRepository", "Bucket"})
FETCHED = SOURCES | {HELM_CHART, "HelmRepository"}  # what source-controller fetches or packages

# Flux sets one of these labels on every object that it applies.
OWNER_LABELS = (f"{KUSTOMIZE_GROUP}/name", f"{HELM_GROUP}/name")
REQUESTED_AT = "reconcile.fluxcd.io/requestedAt"
FORCE_AT = "reconcile.fluxcd.io/forceAt"

NAMESPACE = "flux-system"
# The Kustomization of the entry path, and its source, of `flux bootstrap` and KSail.
ROOT = ObjectId(NAMESPACE, "flux-system")
KEYS_SECRET = ObjectId(NAMESPACE, "sops-age")
CREDENTIALS_SECRET = "devloop-git"
# Every environment needs these; one with HelmReleases also needs the helm-controller.
REQUIRED_CONTROLLERS = ("source-controller", "kustomize-controller")
CONTROLLERS = (*REQUIRED_CONTROLLERS, "helm-controller")
MANAGED = {"app.kubernetes.io/managed-by": "devloop"}


def is_flux(group: str) -> bool:
    return group.endswith(_GROUPS)
