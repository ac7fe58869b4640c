"""The Flux controllers as Deployments, tuned for one repository. Pure.

They use the host network of the first control-plane node and reach the API server on localhost: so they start without a scheduler, CNI,
kube-proxy or cluster DNS, and can apply a repository that installs the CNI.
"""

from collections.abc import Mapping

from devloop.flux.flags import ENVIRONMENT, tuned_flags
from devloop.model.flux.names import MANAGED, NAMESPACE
from devloop.model.kubernetes.objects import Object
from devloop.runtime.components import QUICK_LISTS

API_SERVER_PORT = 6443  # on every Kind node
ARTIFACTS_PORT = 9790
HEALTH_PORTS = {"source-controller": 9791, "kustomize-controller": 9792, "helm-controller": 9793}  # on the node, for probes
NOBODY = 65534  # the user of Flux's images


def deployments(images: Mapping[str, str], node: str, gates: Mapping[str, str]) -> list[Object]:
    """One Deployment per controller; `images` maps controller -> image, `gates` are the repository's feature gates."""
    return [_deployment(name, image, node, gates) for name, image in images.items()]


def _deployment(name: str, image: str, node: str, gates: Mapping[str, str]) -> Object:
    labels = {"app": name, **MANAGED, "app.kubernetes.io/part-of": "flux"}
    metadata = {"name": name, "namespace": NAMESPACE, "labels": labels}
    template = {"metadata": {"labels": labels}, "spec": _pod(name, image, node, gates)}
    # Recreate: two pods would conflict on host ports.
    spec = {"replicas": 1, "strategy": {"type": "Recreate"}, "selector": {"matchLabels": {"app": name}}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}


def _pod(name: str, image: str, node: str, gates: Mapping[str, str]) -> Object:
    return {
        "serviceAccountName": name,
        "hostNetwork": True,
        # The node's DNS resolves the container name of the Git server.
        "dnsPolicy": "Default",
        "nodeName": node,
        "tolerations": [{"operator": "Exists"}],
        "priorityClassName": "system-cluster-critical",
        "terminationGracePeriodSeconds": 10,
        "securityContext": {"runAsNonRoot": True, "runAsUser": NOBODY, "fsGroup": 1337, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [_container(name, image, node, gates)],
        "volumes": [{"name": "tmp", "emptyDir": {"medium": "Memory"}}, {"name": "data", "emptyDir": {}}],
    }


def _container(name: str, image: str, node: str, gates: Mapping[str, str]) -> Object:
    health = HEALTH_PORTS[name]
    flags = {**tuned_flags(name, health=f":{health}", gates=gates), **_own_flags(name, node)}
    return {
        "name": "manager",
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        # The pod status keeps the last output longer than the node keeps logs.
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "args": [f"--{flag}={value}" for flag, value in flags.items()],
        "env": _environment(),
        "readinessProbe": {"httpGet": {"path": "/readyz", "port": health}, "periodSeconds": 1},
        "livenessProbe": {"httpGet": {"path": "/healthz", "port": health}, "periodSeconds": 10, "failureThreshold": 6},
        "resources": {"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"cpu": "2", "memory": "1Gi"}},
        "securityContext": {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}},
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}, {"name": "data", "mountPath": "/data"}],
    }


def _own_flags(name: str, node: str) -> dict[str, object]:
    if name != "source-controller":
        return {}
    # By name: a node that was stopped can have another address, and the controllers would try the old one for minutes.
    return {"storage-path": "/data", "storage-addr": f":{ARTIFACTS_PORT}", "storage-adv-addr": f"{node}:{ARTIFACTS_PORT}"}


def _environment() -> list[Object]:
    plain = {"KUBERNETES_SERVICE_HOST": "localhost", "KUBERNETES_SERVICE_PORT": str(API_SERVER_PORT), **QUICK_LISTS, **ENVIRONMENT}
    namespace = {"name": "RUNTIME_NAMESPACE", "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}}
    return [*({"name": key, "value": value} for key, value in plain.items()), namespace]
