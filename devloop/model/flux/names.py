"""The names that Flux goes by: its API groups, kinds, labels and annotations, and the objects that devloop installs it with."""

from devloop.model.kubernetes.objects import ObjectId

KUSTOMIZE_GROUP = "kustomize.toolkit.fluxcd.io"
SOURCE_GROUP = "source.toolkit.fluxcd.io"
HELM_GROUP = "helm.toolkit.fluxcd.io"
EXTENSIONS_GROUP = "source.extensions.fluxcd.io"
OPERATOR_GROUP = "fluxcd.controlplane.io"
# Flux's own groups end so; its operator's and its extensions' too.
_GROUPS = ("toolkit.fluxcd.io", OPERATOR_GROUP, "extensions.fluxcd.io")

KUSTOMIZATION = "Kustomization"
HELM_RELEASE = "HelmRelease"
GIT_REPOSITORY = "GitRepository"
# The kinds of source that hold a repository.
SOURCES = frozenset({GIT_REPOSITORY, "OCIRepository", "Bucket"})

# Flux writes one of these labels on everything that it applies.
OWNER_LABELS = (f"{KUSTOMIZE_GROUP}/name", f"{HELM_GROUP}/name")
REQUESTED_AT = "reconcile.fluxcd.io/requestedAt"

NAMESPACE = "flux-system"
# What `flux bootstrap` and KSail call the Kustomization of the entry path and its source.
ROOT = ObjectId(NAMESPACE, "flux-system")
KEYS_SECRET = ObjectId(NAMESPACE, "sops-age")
CREDENTIALS_SECRET = "devloop-git"
# What every environment needs, and what joins where there are HelmReleases.
REQUIRED_CONTROLLERS = ("source-controller", "kustomize-controller")
HELM_CONTROLLER = "helm-controller"
CONTROLLERS = (*REQUIRED_CONTROLLERS, HELM_CONTROLLER)
MANAGED = {"app.kubernetes.io/managed-by": "devloop"}


def is_flux(group: str) -> bool:
    return group.endswith(_GROUPS)
