"""The Age keys decrypt what the environment needs, and the cluster has them."""

from dataclasses import dataclass

from devloop.diagnostic import Diagnostic, Location, Severity
from devloop.flux import manifests
from devloop.hint import command
from devloop.model.flux.graph import Graph
from devloop.model.flux.names import NAMESPACE
from devloop.model.messages import counted
from devloop.model.report import Found, Notice, Outcome, Status
from devloop.model.sops.creation_rules import ADD_RULE, WITHOUT_RULE
from devloop.repository.age_keys import missing_keys_error, sops_age_data, without_rule
from devloop.session import Session
from devloop.steps import Output, Step, outcome

# The worker's reason for a file whose message authentication code does not match its content.
TAMPERED = "mac"


@dataclass(frozen=True)
class OpenSecrets:
    """Every encrypted file of the environment can be decrypted; checked before anything is created."""

    graph: Output[Graph]
    title: str = "secrets"
    needs: tuple[Step, ...] = ()

    def run(self, session: Session) -> Outcome:
        files = self.graph.value.encrypted
        if not files:
            return Outcome(Status.UNCHANGED, "nothing is encrypted")
        failed = [result for result in session.worker.check_files(files) if result.error]
        if closed := [result for result in failed if result.reason != TAMPERED]:
            raise missing_keys_error(closed, session.identities)
        for result in failed:
            message = f"{result.path} was changed after it was encrypted: Flux decrypts it, sops refuses to"
            session.emit(Notice(message, Severity.WARNING, command("sops --ignore-mac", result.path)))
        if paths := without_rule(session.environment.root, files):
            found = (Diagnostic(WITHOUT_RULE, Location(path, 1), ADD_RULE, Severity.WARNING, rule="secrets/no-rule") for path in paths)
            session.emit(Found(tuple(found)))
        return outcome(False, f"{counted(len(files), 'encrypted file')} can be decrypted")


@dataclass(frozen=True)
class InjectKeys:
    """The Secrets that the environment's Kustomizations decrypt with hold all identities."""

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
