"""The Flux controllers as Deployments, tuned for one repository. Pure.

They run on the first control-plane node, on its network, and reach the API server there: so they need neither a scheduler nor a CNI nor
kube-proxy nor cluster DNS, start beside all of these, and can apply the very repository that brings the CNI.
"""

from __future__ import annotations

from devloop.flux.flags import ENVIRONMENT, tuned_flags
from devloop.model.flux.names import MANAGED, NAMESPACE
from devloop.model.kubernetes.objects import Object

API_SERVER_PORT = 6443  # of every node of Kind
ARTIFACTS_PORT = 9790
# A port of the node's for the probes of each.
HEALTH_PORTS = {"source-controller": 9791, "kustomize-controller": 9792, "helm-controller": 9793}
NOBODY = 65534  # the user that Flux's own images run as

UPSTREAM = "ghcr.io/fluxcd"


def deployments(images: dict[str, str], node: str) -> list[Object]:
    """One Deployment a controller; `images` is controller -> image, `node` the one that they run on."""
    return [_deployment(name, image, node) for name, image in images.items()]


def upstream_image(controller: str, version: str) -> str:
    """Flux's own image of a controller; `version` without a leading v."""
    return f"{UPSTREAM}/{controller}:v{version}"


def _deployment(name: str, image: str, node: str) -> Object:
    labels = {"app": name, **MANAGED, "app.kubernetes.io/part-of": "flux"}
    metadata = {"name": name, "namespace": NAMESPACE, "labels": labels}
    template = {"metadata": {"labels": labels}, "spec": _pod(name, image, node)}
    # One at a time: two of them would fight for the ports of the node.
    spec = {"replicas": 1, "strategy": {"type": "Recreate"}, "selector": {"matchLabels": {"app": name}}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}


def _pod(name: str, image: str, node: str) -> Object:
    return {
        "serviceAccountName": name,
        "hostNetwork": True,
        # The node's own: that knows the Git server by its container's name.
        "dnsPolicy": "Default",
        "nodeName": node,
        "tolerations": [{"operator": "Exists"}],
        "priorityClassName": "system-cluster-critical",
        "terminationGracePeriodSeconds": 10,
        "securityContext": {"runAsNonRoot": True, "runAsUser": NOBODY, "fsGroup": 1337, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [_container(name, image)],
        "volumes": [{"name": "tmp", "emptyDir": {"medium": "Memory"}}, {"name": "data", "emptyDir": {}}],
    }


def _container(name: str, image: str) -> Object:
    health = HEALTH_PORTS[name]
    return {
        "name": "manager",
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        # Its status keeps what it said last, for longer than the node keeps its log.
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "args": [f"--{flag}={value}" for flag, value in {**tuned_flags(name, health=f":{health}"), **_own_flags(name)}.items()],
        "env": _environment(),
        "readinessProbe": {"httpGet": {"path": "/readyz", "port": health}, "periodSeconds": 1},
        "livenessProbe": {"httpGet": {"path": "/healthz", "port": health}, "periodSeconds": 10, "failureThreshold": 6},
        "resources": {"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"cpu": "2", "memory": "1Gi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}, {"name": "data", "mountPath": "/data"}],
    }


def _own_flags(name: str) -> dict[str, object]:
    if name != "source-controller":
        return {}
    address = f"$(POD_IP):{ARTIFACTS_PORT}"
    return {"storage-path": "/data", "storage-addr": f":{ARTIFACTS_PORT}", "storage-adv-addr": address}


def _environment() -> list[Object]:
    plain = {
        "KUBERNETES_SERVICE_HOST": "localhost",
        "KUBERNETES_SERVICE_PORT": str(API_SERVER_PORT),
        # A plain list answers at once, one by watching waits for a bookmark (KEP-3157, a feature gate of client-go).
        "KUBE_FEATURE_WatchListClient": "false",
        **ENVIRONMENT,
    }
    fields = {"POD_IP": "status.podIP", "RUNTIME_NAMESPACE": "metadata.namespace"}
    return [
        *({"name": key, "value": value} for key, value in plain.items()),
        *({"name": key, "valueFrom": {"fieldRef": {"fieldPath": path}}} for key, path in fields.items()),
    ]
