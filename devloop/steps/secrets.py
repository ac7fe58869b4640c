"""The Age keys open what the environment needs, and the cluster has them."""

from __future__ import annotations

from dataclasses import dataclass

from devloop.diagnostic import Diagnostic, Location, Severity
from devloop.flux import manifests
from devloop.hint import command
from devloop.model.flux.graph import Graph
from devloop.model.flux.names import NAMESPACE
from devloop.model.report import Found, Notice, Outcome, Status
from devloop.model.sops.creation_rules import ADD_RULE, WITHOUT_RULE
from devloop.repository.age_keys import missing_keys_error, sops_age_data, without_rule
from devloop.session import Session
from devloop.steps import Output, Step, outcome

# The worker's word for a file whose authentication code does not fit its content.
TAMPERED = "mac"


@dataclass(frozen=True)
class OpenSecrets:
    """Every encrypted file that the environment reaches can be opened; checked before anything is created."""

    graph: Output[Graph]
    title: str = "secrets"
    needs: tuple[Step, ...] = ()

    def run(self, session: Session) -> Outcome:
        files = self.graph.value.encrypted
        if not files:
            return Outcome(Status.UNCHANGED, "nothing is encrypted")
        openings = [opening for opening in session.worker.check_files(files) if opening.error]
        if closed := [opening for opening in openings if opening.reason != TAMPERED]:
            raise missing_keys_error(closed, session.identities)
        for opening in openings:
            message = f"{opening.path} was changed after it was encrypted; Flux takes it as it is, sops will not open it"
            session.emit(Notice(message, Severity.WARNING, command("sops --ignore-mac", opening.path)))
        if strays := without_rule(session.environment.root, files):
            session.emit(Found(tuple(map(_stray, strays))))
        count = len(files)
        return outcome(False, f"{count} encrypted file{'s' if count > 1 else ''} can be opened")


def _stray(path: str) -> Diagnostic:
    """As `devloop validate` tells it."""
    return Diagnostic(WITHOUT_RULE, Location(path, 1), ADD_RULE, Severity.WARNING, rule="secrets/no-rule")


@dataclass(frozen=True)
class InjectKeys:
    """All identities, as the Secrets that the environment's Kustomizations name."""

    graph: Output[Graph]
    title: str = "keys"
    needs: tuple[Step, ...] = ()

    def run(self, session: Session) -> Outcome:
        if not session.identities:
            return Outcome(Status.SKIPPED, "no Age key")
        data = sops_age_data(session.identities)
        targets = manifests.keys_secrets(self.graph.value)
        for name in sorted({target.namespace for target in targets} - {NAMESPACE}):
            session.kube.apply(manifests.namespace(name))
        for target in targets:
            session.kube.apply(manifests.secret(target, data))
        return outcome(False, ", ".join(map(str, targets)))
