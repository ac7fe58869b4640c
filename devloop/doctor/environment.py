"""Checks of one environment."""

import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from devloop.clients.git import remotes
from devloop.clients.kubeconfig import check_writable, contents, user_kubeconfig
from devloop.clients.ports import bind_error, port_holder
from devloop.clients.worker import Worker
from devloop.doctor.context import DoctorContext
from devloop.doctor.kubeconfig_entries import contexts
from devloop.errors import DevloopError, InputError
from devloop.model.cluster.definition import ClusterDefinition, PortMapping
from devloop.model.doctor.diagnosis import Diagnosis, ok, warning
from devloop.model.doctor.engine import EngineFacts
from devloop.model.doctor.environment import HostPort, KeyFacts, Kubeconfig, judge_keys, judge_kubeconfig, judge_ports
from devloop.model.messages import counted
from devloop.provisioners import PROVISIONERS, existing
from devloop.repository.age_identities import Identities
from devloop.repository.age_keys import encrypted_files, identities
from devloop.repository.graph import build_graph
from devloop.repository.snapshot import refuse_uncommittable


def kubeconfig(context: DoctorContext) -> Iterator[Diagnosis]:
    wanted = contexts(context.definition.name) if context.definition else ()
    yield judge_kubeconfig(_kubeconfig(), wanted)


def _kubeconfig() -> Kubeconfig:
    path = user_kubeconfig()
    facts = Kubeconfig(str(path), path.exists())
    try:
        config = contents(path)
        check_writable(path)
    except DevloopError as error:
        return replace(facts, problem=error.message, hint=error.hint)
    names = (item.get("name", "") for item in config["contexts"]) if isinstance(config["contexts"], list) else ()
    return replace(facts, current=str(config["current-context"]), contexts=tuple(names))


def repository(context: DoctorContext) -> Iterator[Diagnosis]:
    try:
        root = context.root()
    except InputError:
        return  # the check of the definition reports it
    refuse_uncommittable(root)
    yield ok("repository", f"{root} is a Git working tree")


def definition(context: DoctorContext) -> Iterator[Diagnosis]:
    found = context.environment.definition
    if found.blockers:
        raise InputError.of(found.blockers)
    nodes = counted(len(found.nodes), "node")
    said = [found.path, found.distribution, *([found.kubernetes_version] if found.kubernetes_version else []), nodes]
    yield ok("definition", ", ".join(said))
    for problem in found.warnings:
        yield warning("definition", str(problem), problem.hint or context.edit(problem))


def ports(context: DoctorContext) -> Iterator[Diagnosis]:
    if found := context.definition:
        facts = [_port(mapping, context) for mapping in _mapped(found)]
        yield from judge_ports(facts, found.kind_path or found.path, needed=context.needs_engine)


def _mapped(definition: ClusterDefinition) -> list[PortMapping]:
    """The mappings with a fixed host port."""
    every = (*definition.network.port_mappings, *(mapping for node in definition.nodes for mapping in node.port_mappings))
    return [mapping for mapping in dict.fromkeys(every) if mapping.host_port > 0]


def _port(mapping: PortMapping, context: DoctorContext) -> HostPort:
    number = mapping.host_port
    free = not bind_error(mapping.listen_address, number, mapping.protocol)
    facts = HostPort(number, mapping.protocol, mapping.listen_address, free)
    if free:
        return facts
    clusters = dict(context.engine.published) if isinstance(context.engine, EngineFacts) else {}
    if cluster := clusters.get(number):
        own = cluster == context.environment.definition.name and any(PROVISIONERS[name].needs_engine for name in existing(cluster))
        return replace(facts, own=own, holder=f"the Kind cluster {cluster}")
    return replace(facts, holder=port_holder(number))


def keys(context: DoctorContext) -> Iterator[Diagnosis]:
    if not context.definition:
        return
    found = identities(context.environment, context.key_file)
    yield from judge_keys(_opened(context, found), context.name)


def _opened(context: DoctorContext, found: Identities) -> KeyFacts:
    """Whether the worker can decrypt the encrypted files that the environment uses."""
    facts = KeyFacts(tuple((identity.public, identity.origin) for identity in found), exposed=tuple(_exposed(found)))
    if context.toolchain.missing(("worker",)):
        return replace(facts, files=encrypted_files(context.environment), reached=False)
    root = context.environment.root
    with Worker(context.toolchain.path("worker"), root, found.text) as worker:
        files = build_graph(context.environment, worker, remotes=remotes(root)).encrypted
        openings = worker.check_files(files) if files else []
    closed = tuple((opening.path, _why(opening.reason, opening.error)) for opening in openings if opening.error and opening.reason != "mac")
    recipients = {recipient for opening in openings for recipient in opening.recipients}
    used = tuple(dict.fromkeys(identity.origin for identity in found if identity.public in recipients))
    return replace(facts, files=tuple(files), closed=closed, used=used)


def _why(reason: str, error: str) -> str:
    return "encrypted for other keys" if reason == "key" else error


def _exposed(found: Identities) -> Iterator[str]:
    """Key files that the group or others may read."""
    for path in dict.fromkeys(Path(identity.source) for identity in found):
        if path.is_absolute() and path.is_file() and path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
            yield str(path)
