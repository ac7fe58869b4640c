"""The client of Kubernetes API servers: plain objects (dicts), server-side apply, list and watch.

A table of the kinds that devloop writes saves the discovery round trip.
"""

import contextlib
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, cast
from urllib.parse import urlencode

from devloop.errors import DevloopError
from devloop.hint import DevloopCommand, instructions
from devloop.model.flux.names import HELM_GROUP, KUSTOMIZE_GROUP, SOURCE_GROUP
from devloop.model.kubernetes.objects import Object

FIELD_MANAGER = "devloop"

SERVE_TIMEOUT = 10.0  # seconds for a new kind
STREAM_TIMEOUT = 310.0  # seconds without a line; the API server ends a watch after 300
RETRY_TIMEOUT = 20.0  # seconds for a server that is temporarily unavailable
CONNECT_TIMEOUT = 5.0  # seconds, at most


@dataclass(frozen=True)
class Resource:
    """The group/version ('v1' for the core group), the plural, whether objects have a namespace, and a field selector for some of them."""

    api_version: str
    plural: str
    namespaced: bool = True
    fields: str = ""

    @property
    def query(self) -> Mapping[str, str]:
        return {"fieldSelector": self.fields} if self.fields else {}

    def path(self, namespace: str = "", name: str = "") -> str:
        base = f"/api/{self.api_version}" if "/" not in self.api_version else f"/apis/{self.api_version}"
        scope = f"/namespaces/{namespace}" if self.namespaced and namespace else ""
        return f"{base}{scope}/{self.plural}" + (f"/{name}" if name else "")


KUSTOMIZATIONS = Resource(f"{KUSTOMIZE_GROUP}/v1", "kustomizations")
GIT_REPOSITORIES = Resource(f"{SOURCE_GROUP}/v1", "gitrepositories")
HELM_RELEASES = Resource(f"{HELM_GROUP}/v2", "helmreleases")
DEPLOYMENTS = Resource("apps/v1", "deployments")
STATEFUL_SETS = Resource("apps/v1", "statefulsets")
DAEMON_SETS = Resource("apps/v1", "daemonsets")
JOBS = Resource("batch/v1", "jobs")
PODS = Resource("v1", "pods")
WARNINGS = Resource("v1", "events", fields="type=Warning")
REPLICA_SETS = Resource("apps/v1", "replicasets")
HELM_CHARTS = Resource(f"{SOURCE_GROUP}/v1", "helmcharts")
NODES = Resource("v1", "nodes", namespaced=False)
NAMESPACES = Resource("v1", "namespaces", namespaced=False)
SECRETS = Resource("v1", "secrets")
CRDS = Resource("apiextensions.k8s.io/v1", "customresourcedefinitions", namespaced=False)

RESOURCES: Mapping[str, Resource] = {
    "Namespace": NAMESPACES,
    "Node": NODES,
    "Secret": SECRETS,
    "ConfigMap": Resource("v1", "configmaps"),
    "ServiceAccount": Resource("v1", "serviceaccounts"),
    "ClusterRole": Resource("rbac.authorization.k8s.io/v1", "clusterroles", namespaced=False),
    "ClusterRoleBinding": Resource("rbac.authorization.k8s.io/v1", "clusterrolebindings", namespaced=False),
    "Role": Resource("rbac.authorization.k8s.io/v1", "roles"),
    "RoleBinding": Resource("rbac.authorization.k8s.io/v1", "rolebindings"),
    "CustomResourceDefinition": CRDS,
    "Deployment": DEPLOYMENTS,
    "GitRepository": GIT_REPOSITORIES,
    "Kustomization": KUSTOMIZATIONS,
}

# What a wait watches: what Flux reconciles, what it creates, and what explains why that does not run.
WATCHED = (
    KUSTOMIZATIONS, GIT_REPOSITORIES, HELM_RELEASES, HELM_CHARTS,
    DEPLOYMENTS, STATEFUL_SETS, DAEMON_SETS, JOBS,
    REPLICA_SETS, PODS, WARNINGS,
)  # fmt: skip
# Sources by kind, watched where the environment has them.
OTHER_SOURCES: Mapping[str, Resource] = {
    "HelmRepository": Resource(f"{SOURCE_GROUP}/v1", "helmrepositories"),
    "OCIRepository": Resource(f"{SOURCE_GROUP}/v1", "ocirepositories"),
    "Bucket": Resource(f"{SOURCE_GROUP}/v1", "buckets"),
}


class ApiError(DevloopError):
    """An error of the API server: `status` is the HTTP status, `reason` the machine-readable one (NotFound, Conflict ...)."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(f"the API server answered {status} {reason}: {message}")
        self.status = status
        self.reason = reason


class NotFoundError(ApiError):
    """There is no such object or kind."""


def import_client() -> ModuleType:
    """Import the Kubernetes client, which takes a quarter of a second and can be done while other programs start."""
    # A validator of the dynamic client, which is not used here, would take a third of that time.
    sys.modules.setdefault("kubernetes_validate", cast(Any, None))
    return import_module("kubernetes.config")


class Kube:
    """Connections to one API server; safe to use from several threads."""

    def __init__(self, kubeconfig: Path, context: str | None = None) -> None:
        config = import_client()
        try:
            api: Any = config.new_client_from_config(config_file=str(kubeconfig), context=context, persist_config=False)
        except (config.ConfigException, OSError) as error:
            raise DevloopError(
                f"cannot use {kubeconfig}: {error}", hint=instructions(DevloopCommand("down"), ", then ", DevloopCommand("up"))
            ) from None
        self._server: str = api.configuration.host
        self._pool = api.rest_client.pool_manager

    def request(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        query: Mapping[str, str] | None = None,
        content_type: str = "application/json",
        accept: str = "application/json",
        timeout: float = 30.0,
    ) -> Object:
        """One request, retried while the server is busy; ApiError for a status of 400 or more, DevloopError without an answer."""
        from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_exponential

        wait = wait_exponential(multiplier=0.05, max=1.0)
        retrying = Retrying(retry=retry_if_exception(_is_temporary), wait=wait, stop=stop_after_delay(RETRY_TIMEOUT), reraise=True)
        data = retrying(self._open, method, path, body, query or {}, content_type, timeout, accept).data
        return cast(Object, json.loads(data)) if data else {}

    def read(self, path: str) -> bytes:
        """An answer as it is."""
        return bytes(self._open("GET", path, None, {}, "application/json", 30.0, "*/*").data)

    def _open(
        self,
        method: str,
        path: str,
        body: object,
        query: Mapping[str, str],
        content_type: str,
        timeout: float | None,
        accept: str = "application/json",
    ) -> Any:
        from urllib3 import Timeout
        from urllib3.exceptions import HTTPError

        url = self._server + path + ("?" + urlencode(query) if query else "")
        headers = {"Accept": accept, "Content-Type": content_type}
        payload = None if body is None else json.dumps(body).encode()
        options = {
            "timeout": Timeout(connect=min(CONNECT_TIMEOUT, timeout or CONNECT_TIMEOUT), read=timeout),
            "preload_content": query.get("watch") != "true",
        }
        try:
            response = self._pool.request(method, url, body=payload, headers=headers, retries=False, **options)
        except HTTPError as error:
            message = f"no answer from the API server at {self._server}: {type(error).__name__}"
            raise DevloopError(message, hint=DevloopCommand("status")) from None
        if response.status >= 400:
            raise _api_error(response.status, response.data)
        return response

    def is_ready(self) -> bool:
        """Whether the API server has started completely, including its default roles and bindings."""
        try:
            self._open("GET", "/readyz", None, {}, "application/json", 5.0)
        except DevloopError:
            return False
        return True

    def get(self, resource: Resource, name: str, namespace: str = "") -> Object | None:
        with contextlib.suppress(NotFoundError):
            return self.request("GET", resource.path(namespace, name))
        return None

    def list(self, resource: Resource, namespace: str = "", **query: str) -> list[Object]:
        """All objects; an empty list if the server does not know the kind."""
        with contextlib.suppress(NotFoundError):
            return items_of(self.request("GET", resource.path(namespace), query=query))
        return []

    def metadata(self, resource: Resource, namespace: str = "", **query: str) -> Sequence[Object]:
        """All objects without spec and status."""
        accept = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
        with contextlib.suppress(NotFoundError):
            return cast(Sequence[Object], self.request("GET", resource.path(namespace), query=query, accept=accept).get("items") or ())
        return ()

    def kinds(self) -> dict[tuple[str, str], Resource]:
        """(group, kind) -> its resource in the server's preferred version, of every kind that the server knows now."""
        accept = "application/json;as=APIGroupDiscoveryList;v=v2;g=apidiscovery.k8s.io"
        found: dict[tuple[str, str], Resource] = {}
        for root in ("/api", "/apis"):
            for group in self.request("GET", root, accept=accept).get("items") or []:
                for resource, kind in _resources(group):
                    found.setdefault((group["metadata"].get("name", ""), kind), resource)
        return found

    def delete(self, resource: Resource, name: str, namespace: str = "") -> None:
        """Delete the object if it exists."""
        with contextlib.suppress(NotFoundError):
            self.request("DELETE", resource.path(namespace, name))

    def log(self, namespace: str, pod: str, container: str = "", *, previous: bool = False, lines: int = 6) -> str:
        """The last log lines of a pod's container (by default its only one; or of the `previous` instance), '' if there are none."""
        query = {"tailLines": str(lines), "previous": str(previous).lower(), **({"container": container} if container else {})}
        try:
            answer = self._open("GET", PODS.path(namespace, pod) + "/log", None, query, "application/json", 30.0)
        except DevloopError:
            return ""
        return str(answer.data.decode(errors="replace")).strip()

    def apply(self, obj: Mapping[str, Any]) -> Object:
        """Server-side apply as field manager `devloop`; devloop owns these objects, so it forces conflicts.

        Waits for a kind that is established and not yet served.
        """
        from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_fixed

        metadata = obj["metadata"]
        resource = RESOURCES[obj["kind"]]
        retry, stop = retry_if_exception(_is_unserved), stop_after_delay(SERVE_TIMEOUT)
        return Retrying(retry=retry, wait=wait_fixed(0.05), stop=stop, reraise=True)(
            self.request,
            "PATCH",
            resource.path(metadata.get("namespace", ""), metadata["name"]),
            obj,
            query={"fieldManager": FIELD_MANAGER, "force": "true"},
            content_type="application/apply-patch+yaml",
        )

    def apply_all(self, objects: Sequence[Mapping[str, Any]], *, workers: int = 6) -> None:
        """Apply in parallel; apply objects that others require (namespaces) in an earlier call."""
        with ThreadPoolExecutor(max_workers=workers) as pool:
            for future in [pool.submit(self.apply, obj) for obj in objects]:
                future.result()

    def annotate(self, resource: Resource, namespace: str, name: str, annotations: Mapping[str, str]) -> None:
        """Merge annotations into an object if it exists."""
        self.merge(resource, namespace, name, {"metadata": {"annotations": dict(annotations)}})

    def merge(self, resource: Resource, namespace: str, name: str, patch: Mapping[str, Any]) -> None:
        """Merge `patch` into an object if it exists (RFC 7386)."""
        with contextlib.suppress(NotFoundError):
            self.request(
                "PATCH",
                resource.path(namespace, name),
                patch,
                query={"fieldManager": FIELD_MANAGER},
                content_type="application/merge-patch+json",
            )

    def patch_status(self, resource: Resource, namespace: str, name: str, operations: Sequence[Mapping[str, Any]]) -> None:
        """Patch the status of an object (RFC 6902). Raises ApiError with status 422 where a `test` among the operations fails."""
        path = resource.path(namespace, name) + "/status"
        query = {"fieldManager": FIELD_MANAGER}
        self.request("PATCH", path, operations, query=query, content_type="application/json-patch+json")

    def stream(self, path: str, query: Mapping[str, str]) -> Iterator[bytes]:
        """The lines of an answer that goes on, as they come; ends with the connection. Raises like `request`."""
        from urllib3.exceptions import HTTPError

        response = self._open("GET", path, None, query, "application/json", STREAM_TIMEOUT)
        try:
            rest = b""
            while chunk := response.read1():
                *lines, rest = (rest + chunk).split(b"\n")
                yield from lines
        except HTTPError:
            return
        finally:
            response.close()


def _is_temporary(error: BaseException) -> bool:
    """Whether a retry may succeed soon: the server is starting or busy, or another writer was faster."""
    return isinstance(error, ApiError) and (error.status in (429, 503) or (error.status, error.reason) == (409, "Conflict"))


def _is_unserved(error: BaseException) -> bool:
    """Whether the server does not know the kind: for a missing object it answers with a Status, which has a reason."""
    return isinstance(error, NotFoundError) and error.reason != "NotFound"


def items_of(answer: Object) -> list[Object]:
    """The items of a list, with the kind and version that the API server omits."""
    kind, version = str(answer.get("kind", "")).removesuffix("List"), answer.get("apiVersion")
    return [{"kind": kind, "apiVersion": version, **item} for item in answer.get("items") or []]


def _resources(group: Object) -> Iterator[tuple[Resource, str]]:
    """The resources of a group in aggregated discovery, its preferred version first."""
    name = group["metadata"].get("name", "")
    for version in group.get("versions") or []:
        for resource in version.get("resources") or []:
            kind = (resource.get("responseKind") or {}).get("kind", "")
            api_version = f"{name}/{version['version']}" if name else str(version["version"])
            yield Resource(api_version, resource["resource"], resource.get("scope") == "Namespaced"), kind


def _api_error(status: int, data: bytes) -> ApiError:
    error = NotFoundError if status == 404 else ApiError
    try:
        answer = json.loads(data)
        return error(status, answer.get("reason") or "Error", answer.get("message") or "")
    except (ValueError, AttributeError):
        return error(status, "Error", data.decode(errors="replace")[:200])
