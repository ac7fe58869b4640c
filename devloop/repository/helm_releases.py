"""Renders HelmReleases whose chart is in the repository; other releases are only marked as foreign."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from devloop.clients import worker_protocol as protocol
from devloop.clients.worker import Worker
from devloop.model.flux.graph import Failure, Node, NodeState, Release
from devloop.model.flux.helm_release import HelmRelease, is_helm_chart, parse_release
from devloop.model.kubernetes.manifest import Manifest, mapping_at, mappings_in
from devloop.model.kubernetes.objects import ObjectId
from devloop.repository.builds import UNKNOWABLE, read_answer, read_failure
from devloop.repository.sources import Sources

# The version of Kubernetes that charts see if the definition names none: the one that `devloop up` starts.
DEFAULT_VERSION = "v1.36.0"


def render_releases(nodes: Sequence[Node], worker: Worker, scope: str, base: str, sources: Sources, version: str) -> tuple[Node, ...]:
    """The nodes with their releases, whose objects follow the nodes' own; renders Kustomizations in parallel."""
    charts = {manifest.id: manifest for node in nodes for manifest in node.manifests if is_helm_chart(manifest)}
    found = {node.kustomization.id: tuple(_releases(node, charts)) for node in nodes}
    here = {name: [each for each in releases if sources.holds(each.source)] for name, releases in found.items()}
    asked = [name for name in found if here[name]]
    apis = sorted(_apis(nodes)) if asked else []
    questions = [_question(name, here[name], scope, base, sources, version or DEFAULT_VERSION, apis) for name in asked]
    answers = dict(zip(asked, worker.ask_all(questions), strict=True))
    return tuple(_completed(node, found[node.kustomization.id], here, answers) for node in nodes)


def _releases(node: Node, charts: Mapping[ObjectId, Manifest]) -> Iterator[HelmRelease]:
    for manifest in node.manifests:
        if release := parse_release(manifest, charts):
            yield release


def _question(
    name: ObjectId, releases: Iterable[HelmRelease], scope: str, base: str, sources: Sources, version: str, apis: Sequence[str]
) -> protocol.Request:
    request: protocol.ReleasesRequest = {
        "scope": scope,
        "namespace": name.namespace,
        "name": name.name,
        "version": version,
        "apis": apis,
        "releases": [_release_request(release, base, sources) for release in releases],
    }
    return {"releases": request}


def _release_request(release: HelmRelease, base: str, sources: Sources) -> protocol.ReleaseRequest:
    request: protocol.ReleaseRequest = {"namespace": release.id.namespace, "name": release.id.name, "base": base}
    if settings := sources.settings(release.source):
        request["settings"] = settings
    if artifact := sources.artifact(release.source):
        request["artifact"] = artifact
    return request


def _apis(nodes: Iterable[Node]) -> Iterator[str]:
    """The APIs of the environment's CRDs and APIServices, as in Helm's capabilities: group/version and group/version/Kind."""
    for node in nodes:
        for manifest in node.manifests:
            spec = manifest.mapping("spec")
            if manifest.kind == "APIService":
                yield f"{spec.get('group')}/{spec.get('version')}"
            elif manifest.kind == "CustomResourceDefinition":
                for version in mappings_in(spec.get("versions")):
                    api = f"{spec.get('group')}/{version.get('name')}"
                    yield from (api, f"{api}/{mapping_at(spec, 'names').get('kind')}") if version.get("served") else ()


def _completed(
    node: Node, found: Sequence[HelmRelease], here: Mapping[ObjectId, list[HelmRelease]], answers: Mapping[ObjectId, protocol.Answer]
) -> Node:
    if not found:
        return node
    answer = answers.get(node.kustomization.id, {"result": []})
    rendered = dict(zip([release.id for release in here[node.kustomization.id]], _results(answer), strict=False))
    releases = tuple(_release(release, rendered.get(release.id)) for release in found)
    manifests = [replace(manifest, release=str(name)) for name, result in rendered.items() for manifest in result[0]]
    return replace(node, manifests=(*node.manifests, *manifests), releases=releases)


Result = tuple[tuple[Manifest, ...], str, Failure | None, tuple[Failure, ...]]


def _results(answer: protocol.Answer) -> Iterator[Result]:
    """The objects, the folder of the chart, the failure and the dropped objects of each release."""
    if "failure" in answer:
        while True:
            yield (), "", read_failure(answer["failure"]), ()
    for result in answer["result"]:
        rendering = read_answer({"result": result})
        dropped = tuple(map(read_failure, result.get("dropped") or ()))
        yield rendering.manifests, rendering.directory, rendering.failure, dropped


def _release(release: HelmRelease, result: Result | None) -> Release:
    if result is None:
        return Release(release.id, NodeState.FOREIGN)
    manifests, chart, failure, dropped = result
    state = NodeState.BUILT if not failure else NodeState.UNKNOWN if failure.kind in UNKNOWABLE else NodeState.FAILED
    return Release(release.id, state, chart, len(manifests), failure, dropped)
