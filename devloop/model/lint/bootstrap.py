"""Objects in files that no build reads: somebody applies them before Flux starts. No I/O."""

from collections.abc import Mapping

from devloop.model.lint.context import LintContext


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
