"""Objects in files that no build reads: somebody applies them before Flux starts, or nobody does. No I/O."""

from collections.abc import Collection, Iterator, Mapping

from devloop.model.flux.graph import Node, NodeState
from devloop.model.lint.context import LintContext
from devloop.model.lint.file_index import FileIndex, FluxDocument, is_aside

_HIDDEN = (NodeState.FAILED, NodeState.UNKNOWN)


def unreached(files: FileIndex, nodes: Collection[Node]) -> Iterator[FluxDocument]:
    """The Kustomizations that none of the `nodes` of all environments reads; what a failed build may hide is left out."""
    read = {file for node in nodes for file in node.files}
    hidden = tuple(f"{node.directory}/" for node in nodes if node.state in _HIDDEN)
    for found in files.kustomizations:
        if found.path not in read and not found.path.startswith(hidden) and not is_aside(found.path):
            yield found


def bootstrap_file(context: LintContext, kind: str, namespace: str, name: str) -> str:
    """The first file with the object that no Kustomization of any environment reads, '' if there is none."""
    known = context.once(_files)
    return known.get((kind, namespace, name)) or known.get((kind, "", name), "")


def _files(context: LintContext) -> Mapping[tuple[str, str, str], str]:
    read = {path for kustomization in context.kustomizations for path in kustomization.node.files}
    found: dict[tuple[str, str, str], str] = {}
    for each in context.files.objects:
        if each.path not in read:
            found.setdefault((each.kind, each.namespace, each.name), each.path)
    return found
