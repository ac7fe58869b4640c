"""The name of the cluster: kind.yaml's `name`, else the KSail context without its prefix (kind-local -> local), else `metadata.name`, like
KSail; else the environment's name, so that two environments never share a cluster."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from devloop.diagnostic import Diagnostic
from devloop.model.cluster.kind_config import KindConfiguration
from devloop.model.ksail.g1 import G1
from devloop.model.ksail.generation import Statement
from devloop.model.messages import quote

# distribution -> prefix of KSail's context
CONTEXT_PREFIXES = {"Vanilla": "kind-", "K3s": "k3d-", "Talos": "admin@", "VCluster": "vcluster-docker_", "KWOK": "kwok-"}
_SAFE = re.compile(r"[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?")


@dataclass(frozen=True)
class ClusterName:
    """A name and the field that sets it; `place` is '' for the environment's name."""

    name: str
    path: str = ""
    line: int = 0
    place: str = ""


def cluster_name(statement: Statement, kind: KindConfiguration | None, environment: str) -> ClusterName:
    if kind and kind.name:
        return ClusterName(kind.name, kind.path, kind.lines.get("name", 0), "name")
    for setting, name in (("context", _name_in_context(statement)), ("name", statement.get("name"))):
        if name:
            return ClusterName(name, statement.path, statement.line(setting), statement.place(setting))
    return ClusterName(re.sub(r"[^a-z0-9]+", "-", environment.lower()).strip("-") or "local")


def name_problems(statement: Statement, kind: KindConfiguration | None, environment: str) -> Iterator[Diagnostic]:
    found = cluster_name(statement, kind, environment)
    if found.place and not _SAFE.fullmatch(found.name):
        rule = "use at most 63 lower case letters, digits, dashes and dots"
        message = f"{found.place} sets the cluster name to {quote(found.name)}, which is invalid: {rule}"
        yield Diagnostic.at(found.path, found.line, message)
    own = statement.get("name")
    if statement.generation is G1 and kind and kind.name and own and own != kind.name:
        message = f"is {quote(own)}, but {kind.path}:{kind.lines.get('name', 0)} sets the cluster name to {quote(kind.name)}"
        yield statement.problem("name", message, "use the same name in both")


def context_warnings(statement: Statement, name: str) -> Iterator[Diagnostic]:
    context, prefix = statement.get("context"), CONTEXT_PREFIXES.get(statement.get("distribution", "Vanilla"))
    if context and prefix and context != prefix + name:
        yield statement.problem("context", f"is {quote(context)}, but KSail's context for this cluster is {prefix + name}")
    elif statement.written("name") not in (None, name):
        yield statement.problem("name", f"is {quote(statement.get('name'))}, but the cluster is named {name}")


def _name_in_context(statement: Statement) -> str:
    context, prefix = statement.get("context"), CONTEXT_PREFIXES.get(statement.get("distribution", "Vanilla"), " ")
    return context.removeprefix(prefix) if context.startswith(prefix) else ""
