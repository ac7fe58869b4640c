"""Resolves ksail.yaml and kind.yaml to a ClusterDefinition with all defaults."""

import posixpath
from collections.abc import Sequence

from devloop.diagnostic import Diagnostic
from devloop.errors import InputError
from devloop.model.cluster.definition import ClusterDefinition, NetworkConfiguration, NodeConfiguration, SopsSettings, ToolingConfiguration
from devloop.model.cluster.kind_config import KindConfiguration, port_mapping
from devloop.model.ksail import constraints
from devloop.model.ksail.folders import entry_path, folder_problems, folder_warnings
from devloop.model.ksail.generation import Statement
from devloop.model.ksail.naming import cluster_name, context_warnings, name_problems


def resolve_definition(
    statement: Statement, kind: KindConfiguration | None, *, source_directory: str, environment: str, found: Sequence[Diagnostic] = ()
) -> ClusterDefinition:
    """`source_directory` is relative to the repository root, `found` are problems with referenced files.

    Raises InputError with all problems of both files at once.
    """
    _refuse(statement, kind, environment, found)
    name = cluster_name(statement, kind, environment).name
    return ClusterDefinition(
        name=name,
        generation=statement.generation.name,
        path=statement.path,
        distribution=constraints.distribution(statement),
        provider=constraints.provider(statement),
        kubernetes_version=statement.get("kubernetes_version") or (kind.kubernetes_version if kind else ""),
        nodes=_nodes(statement, kind),
        network=_network(statement, kind),
        tooling=_tooling(statement),
        sops=_sops(statement),
        source_directory=source_directory,
        entry_path=entry_path(statement),
        timeout=constraints.timeout(statement),
        kubeconfig=_kubeconfig(statement),
        context=statement.get("context"),
        kind_path=kind.path if kind else "",
        kind_config=kind.raw if kind else {},
        lines=statement.checked.lines,
        warnings=tuple(_warnings(statement, kind, name)),
        blockers=tuple(constraints.blockers(statement)),
    )


def _refuse(statement: Statement, kind: KindConfiguration | None, environment: str, found: Sequence[Diagnostic]) -> None:
    problems = [
        *statement.checked.problems,
        *(kind.problems if kind else ()),
        *found,
        *name_problems(statement, kind, environment),
        *folder_problems(statement),
        *constraints.problems(statement, kind),
    ]
    if problems:
        raise InputError.of(sorted(problems, key=lambda problem: (problem.path != statement.path, problem.path, problem.line)))


def _warnings(statement: Statement, kind: KindConfiguration | None, name: str) -> list[Diagnostic]:
    return [
        *statement.checked.warnings,
        *(kind.warnings if kind else ()),
        *context_warnings(statement, name),
        *folder_warnings(statement),
        *constraints.warnings(statement, kind),
    ]


def _nodes(statement: Statement, kind: KindConfiguration | None) -> tuple[NodeConfiguration, ...]:
    """The nodes of kind.yaml if it has any, else as many as ksail.yaml requests."""
    if kind and kind.nodes:
        return kind.nodes
    control_planes, workers = (min(count, constraints.MOST_NODES) for count in constraints.node_counts(statement))
    return (NodeConfiguration("control-plane"),) * control_planes + (NodeConfiguration("worker"),) * workers


def _network(statement: Statement, kind: KindConfiguration | None) -> NetworkConfiguration:
    default = NetworkConfiguration()
    of_nodes = (mapping for node in (kind.nodes if kind else ()) for mapping in node.port_mappings)
    return NetworkConfiguration(
        cni=statement.get("cni", default.cni),
        disable_default_cni=kind.disable_default_cni if kind else default.disable_default_cni,
        pod_subnet=(kind and kind.pod_subnet) or default.pod_subnet,
        service_subnet=(kind and kind.service_subnet) or default.service_subnet,
        port_mappings=(*of_nodes, *map(port_mapping, statement.written("port_mappings") or ())),
    )


def _tooling(statement: Statement) -> ToolingConfiguration:
    default = ToolingConfiguration()
    return ToolingConfiguration(**{setting: statement.get(setting, value) for setting, value in vars(default).items()})


def _sops(statement: Statement) -> SopsSettings:
    """The key's variable falls back to the deprecated field, like in KSail."""
    default = SopsSettings()
    key = statement.get("sops_public_key")
    return SopsSettings(
        enabled=statement.get("sops_enabled", default.enabled),
        key_env_var=statement.get("sops_env_var") or statement.get("sops_old_env_var", default.key_env_var),
        key_file=statement.get("sops_key_file"),
        public_keys=tuple(statement.written("sops_public_keys") or ([key] if key else [])),
    )


def _kubeconfig(statement: Statement) -> str:
    """A relative path is relative to the definition's folder; `~` is expanded on use."""
    written = statement.get("kubeconfig")
    is_relative = written and not written.startswith(("/", "~"))
    return posixpath.normpath(posixpath.join(posixpath.dirname(statement.path), written)) if is_relative else written
