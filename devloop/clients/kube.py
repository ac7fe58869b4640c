"""The one door to a Kubernetes API server: plain objects (dicts) in and out, server-side apply, list and watch.

Paths come from a table of the kinds that devloop itself writes, so that no discovery round trip stands in the way.
"""

from __future__ import annotations

import json
import queue
import sys
import threading
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

RETRY_TIMEOUT = 20.0  # seconds for a server that says "later"


@dataclass(frozen=True)
class Resource:
    """Where a kind lives in the API: group/version ('v1' for the core group), plural, whether it has a namespace."""

    api_version: str
    plural: str
    namespaced: bool = True

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
EVENTS = Resource("v1", "events")
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


# What a wait looks at, by kind.
WATCHED: Mapping[str, Resource] = {
    "Kustomization": KUSTOMIZATIONS,
    "HelmRelease": HELM_RELEASES,
    "Deployment": DEPLOYMENTS,
    "StatefulSet": STATEFUL_SETS,
    "DaemonSet": DAEMON_SETS,
    "Job": JOBS,
}


class ApiError(DevloopError):
    """The API server said no: `status` is the HTTP status, `reason` its machine-readable word (NotFound, Conflict ...)."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(f"the API server answered {status} {reason}: {message}")
        self.status = status
        self.reason = reason


def import_client() -> ModuleType:
    """Import what we use of the Kubernetes client: a quarter of a second that can pass while others wait for programs."""
    # A validator that its dynamic client, which is not used here, loads where it is installed: a third of that time.
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
        timeout: float = 30.0,
    ) -> Object:
        """One call, again while the server wants that; ApiError for a status of 400 or more, DevloopError where nobody answers."""
        from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_exponential

        wait = wait_exponential(multiplier=0.05, max=1.0)
        retrying = Retrying(retry=retry_if_exception(_passes), wait=wait, stop=stop_after_delay(RETRY_TIMEOUT), reraise=True)
        data = retrying(self._open, method, path, body, query or {}, content_type, timeout).data
        return cast(Object, json.loads(data)) if data else {}

    def _open(self, method: str, path: str, body: object, query: Mapping[str, str], content_type: str, timeout: float | None) -> Any:
        from urllib3 import Timeout
        from urllib3.exceptions import HTTPError

        url = self._server + path + ("?" + urlencode(query) if query else "")
        headers = {"Accept": "application/json", "Content-Type": content_type}
        payload = None if body is None else json.dumps(body).encode()
        streaming = query.get("watch") == "true"
        try:
            response = self._pool.request(
                method,
                url,
                body=payload,
                headers=headers,
                timeout=Timeout(connect=5.0, read=timeout),
                retries=False,
                preload_content=not streaming,
            )
        except HTTPError as error:
            raise DevloopError(
                f"no answer from the API server at {self._server}: {type(error).__name__}", hint=DevloopCommand("status")
            ) from None
        if response.status >= 400:
            raise _api_error(response.status, response.data)
        return response

    def is_ready(self) -> bool:
        """Whether the API server has done all that it does when it starts; its own roles and bindings are there then."""
        try:
            self._open("GET", "/readyz", None, {}, "application/json", 5.0)
        except DevloopError:
            return False
        return True

    def get(self, resource: Resource, name: str, namespace: str = "") -> Object | None:
        """The object, or None where there is none."""
        try:
            return self.request("GET", resource.path(namespace, name))
        except ApiError as error:
            if error.status == 404:
                return None
            raise

    def list(self, resource: Resource, namespace: str = "", **query: str) -> list[Object]:
        """All objects; an empty list where the kind itself is unknown."""
        try:
            answer = self.request("GET", resource.path(namespace), query=query)
        except ApiError as error:
            if error.status == 404:
                return []
            raise
        return _items(answer)

    def delete(self, resource: Resource, name: str, namespace: str = "") -> None:
        """Have it removed; one that is gone is fine."""
        try:
            self.request("DELETE", resource.path(namespace, name))
        except ApiError as error:
            if error.status != 404:
                raise

    def log(self, namespace: str, pod: str, *, previous: bool = False, lines: int = 6) -> str:
        """The last lines that a pod's only container wrote, `previous` for the run before it was restarted; '' where there are none."""
        query = {"tailLines": str(lines), "previous": str(previous).lower()}
        try:
            answer = self._open("GET", PODS.path(namespace, pod) + "/log", None, query, "application/json", 30.0)
        except DevloopError:
            return ""
        return str(answer.data.decode(errors="replace")).strip()

    def apply(self, obj: Mapping[str, Any]) -> Object:
        """Server-side apply by field manager `devloop`; conflicts are ours, since these objects are."""
        metadata = obj["metadata"]
        resource = RESOURCES[obj["kind"]]
        return self.request(
            "PATCH",
            resource.path(metadata.get("namespace", ""), metadata["name"]),
            obj,
            query={"fieldManager": FIELD_MANAGER, "force": "true"},
            content_type="application/apply-patch+yaml",
        )

    def apply_all(self, objects: Sequence[Mapping[str, Any]], *, workers: int = 6) -> None:
        """Apply side by side; objects that others need (namespaces) go into an earlier call."""
        with ThreadPoolExecutor(max_workers=workers) as pool:
            for done in [pool.submit(self.apply, obj) for obj in objects]:
                done.result()

    def annotate(self, resource: Resource, namespace: str, name: str, annotations: Mapping[str, str]) -> None:
        """Merge annotations into an object that exists; one that is gone meanwhile is no error."""
        try:
            self.request(
                "PATCH",
                resource.path(namespace, name),
                {"metadata": {"annotations": dict(annotations)}},
                query={"fieldManager": FIELD_MANAGER},
                content_type="application/merge-patch+json",
            )
        except ApiError as error:
            if error.status != 404:
                raise

    def watch_all(self, resources: Sequence[Resource], stop: threading.Event) -> queue.SimpleQueue[tuple[str, Object]]:
        """One queue of the events of several kinds; the first SYNCED of a kind carries {"kind": plural}."""
        events: queue.SimpleQueue[tuple[str, Object]] = queue.SimpleQueue()

        def pump(resource: Resource) -> None:
            try:
                for event, obj in self.watch(resource, stop):
                    events.put((event, obj or {"kind": resource.plural}))
            except DevloopError as error:
                events.put(("FAILED", {"kind": resource.plural, "message": str(error)}))

        for resource in resources:
            threading.Thread(target=pump, args=(resource,), name=f"watch-{resource.plural}", daemon=True).start()
        return events

    def watch(self, resource: Resource, stop: threading.Event, namespace: str = "") -> Iterator[tuple[str, Object]]:
        """(type, object) for every change, beginning with what exists (type ADDED), until `stop` is set.

        Reconnects by itself, then what exists is told again; a kind that the server does not know yet is retried.
        """
        version = ""
        while not stop.is_set():
            try:
                if not version:
                    answer = self.request("GET", resource.path(namespace))
                    version = answer["metadata"]["resourceVersion"]
                    for obj in _items(answer):
                        yield "ADDED", obj
                    yield "SYNCED", {}
                for kind, obj in self._events(resource, namespace, version, stop):
                    version = (obj.get("metadata") or {}).get("resourceVersion", version)
                    if kind == "ERROR":
                        version = ""
                        break
                    if kind != "BOOKMARK":
                        yield kind, obj
            except ApiError as error:
                if error.status not in (404, 410, 429, 500, 503):
                    raise
                version = ""
                stop.wait(0.2)
            except DevloopError:
                stop.wait(0.2)

    def _events(self, resource: Resource, namespace: str, version: str, stop: threading.Event) -> Iterator[tuple[str, Object]]:
        from urllib3.exceptions import HTTPError

        query = {"watch": "true", "allowWatchBookmarks": "true", "resourceVersion": version, "timeoutSeconds": "300"}
        response = self._open("GET", resource.path(namespace), None, query, "application/json", 310.0)
        try:
            rest = b""
            while not stop.is_set():
                chunk = response.read1()
                if not chunk:
                    return
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    if line:
                        event = json.loads(line)
                        yield event["type"], event["object"]
        except HTTPError:
            return
        finally:
            response.close()


def _passes(error: BaseException) -> bool:
    """Whether the same call may succeed soon: a storage that is being set up, a server that is busy or restarts, a lost race."""
    return isinstance(error, ApiError) and (error.status in (429, 503) or (error.status, error.reason) == (409, "Conflict"))


def _items(answer: Object) -> list[Object]:
    """The items of a list, each with the kind that the API server leaves out there."""
    kind, version = str(answer.get("kind", "")).removesuffix("List"), answer.get("apiVersion")
    return [{"kind": kind, "apiVersion": version, **item} for item in answer.get("items") or []]


def _api_error(status: int, data: bytes) -> ApiError:
    try:
        answer = json.loads(data)
        return ApiError(status, answer.get("reason") or "Error", answer.get("message") or "")
    except (ValueError, AttributeError):
        return ApiError(status, "Error", data.decode(errors="replace")[:200])
