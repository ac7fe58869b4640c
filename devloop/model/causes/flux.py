"""Why an object of Flux is not ready, from its conditions. The words are those of the controllers of Flux 2.9."""

from __future__ import annotations

import re

from devloop.hint import DevloopCommand, Hint, command
from devloop.model.causes.cause import Cause, ObjectRef
from devloop.model.causes.observed import metadata
from devloop.model.causes.refusals import is_transient, patterns, refusal
from devloop.model.causes.times import seconds
from devloop.model.flux.names import CREDENTIALS_SECRET
from devloop.model.kubernetes.conditions import condition, has_condition
from devloop.model.kubernetes.objects import Object
from devloop.model.messages import one_line

# Reasons of kustomize-controller that say nothing about the objects.
CANCELED = frozenset({"HealthCheckCanceled", "Progressing", "ProgressingWithRetry", "DependencyNotReady"})

# internal/controller/kustomization_controller.go of kustomize-controller 1.9; most specific first.
_KUSTOMIZATION = patterns(
    ("build", r"kustomize build failed|accumulating resources"),
    (
        "source-missing",
        r"^Source '[^']*' not found|\.source\.toolkit\.fluxcd\.io \"[^\"]*\" not found|Source artifact not found|Source is not ready",
    ),
    ("path-missing", r"kustomization path not found|path is not a directory|stat .*: no such file or directory$"),
    ("dependency-missing", r"dependency '[^']*' not found"),
    ("variables-missing", r"substitute from '[^']*' error"),
    ("substitution", r"variable substitution failed|envsubst error"),
    ("decryption", r"SOPS|sops|decrypt|age identit"),
    ("build", r"kustomization.yaml|generator failed|invalid Kustomization|^failed to build"),
)
_BY_REASON = {"InvalidCELExpression": "expression", "PruneFailed": "prune", "HealthCheckFailed": "health-check", "BuildFailed": "build"}

# helm-controller 1.6 and source-controller 1.9 (HelmChart).
_RELEASE = patterns(
    ("values", r"values don't meet the specifications|could not resolve .*values|values validation|unable to parse key|schema\(s\)"),
    ("hook", r"hook|(pre|post)-(install|upgrade)"),
    ("chart-missing", r"HelmChart|chart .*not found|no such file or directory|Chart\.yaml|missing in charts/|invalid chart"),
    ("render", r"template:|parse error|execution error at|error converting YAML|nil pointer evaluating|post.?render"),
)
_DETERMINISTIC = ("values", "render")
# helm-controller tries again without limit while there is no release; the third equal failure says that it will not help.
HELM_FAILURES = 3
REMEDIATED = frozenset({"RollbackSucceeded", "RollbackFailed", "UninstallSucceeded", "UninstallFailed"})
LASTS = 2.0  # seconds of a condition that does not change

_INSIDE = re.compile(r"^(?:\w+://)?[^/]*\.svc(?:\.|:|/|$)")  # the address of a Service
# `Kind/namespace/name` or `Kind/name` at the beginning of a message about an object.
_SUBJECT = re.compile(r"^([A-Z]\w+)/(?:([a-z0-9.-]+)/)?([a-z0-9.:-]+) ")


def finalizers(obj: Object) -> str:
    """`, held by NAMES`, or nothing."""
    held = metadata(obj).get("finalizers") or ()
    return f", held by {', '.join(map(str, held))}" if held else ""


def kustomization_cause(obj: Object, *, final: bool) -> Cause | None:
    """The cause in a Kustomization's Ready condition, None if it only works or waits."""
    ready = condition(obj, "Ready")
    reason, message = ready.get("reason", ""), ready.get("message", "")
    kind = next((kind for kind, pattern in _KUSTOMIZATION if pattern.search(message)), "")
    if ready.get("status") != "False" or (reason in CANCELED and kind != "dependency-missing"):
        return None
    owner = ObjectRef.of(obj)
    if reason in ("ReconciliationFailed", "BuildFailed") and (refused := refusal(message)):
        return Cause(f"apply/{refused}", _subject(message) or owner, one_line(message), final=final, hint=_hint(refused), said=message)
    kind = kind or _BY_REASON.get(reason, "")
    subject = _subject(message) if reason == "ReconciliationFailed" and not kind else None
    identifier = f"kustomization/{kind}" if kind else "apply/failed" if subject else "kustomization/failed"
    final |= kind == "dependency-missing"
    return Cause(identifier, subject or owner, one_line(message), final=final, hint=_hint(kind), said=message)


def release_cause(obj: Object, now: float) -> Cause | None:
    """The cause in a HelmRelease's conditions; `now` in seconds since 1970."""
    ready, status = condition(obj, "Ready"), obj.get("status") or {}
    if ready.get("reason") in REMEDIATED and has_condition(obj, "Released", "False"):
        ready = condition(obj, "Released")  # why it was rolled back
    if ready.get("status") != "False" or ready.get("reason") in ("DependencyNotReady", "Progressing"):
        return None
    message = str(ready.get("message", ""))
    kind = next((kind for kind, pattern in _RELEASE if pattern.search(message)), "failed")
    stalled = has_condition(obj, "Stalled")
    attempted = status.get("lastAttemptedGeneration") == metadata(obj).get("generation")
    repeated = attempted and status.get("failures", 0) >= (1 if kind in _DETERMINISTIC else HELM_FAILURES)
    # Neither is counted: sources and values that do not exist. Both may come a moment later.
    lacks = ready.get("reason") == "ValuesError" or (kind == "chart-missing" and ready.get("reason") != "SourceNotReady")
    lasts = now - seconds(ready.get("lastTransitionTime")) >= LASTS
    final = stalled or ((bool(repeated) or (lacks and lasts)) and not is_transient(message))
    return Cause(f"release/{kind}", ObjectRef.of(obj), one_line(message), final=final, said=message)


def source_cause(obj: Object, failing: float) -> Cause | None:
    """The cause in the conditions of a source or a HelmChart that has failed for `failing` seconds of this wait."""
    ready, working = condition(obj, "Ready"), ("Progressing", "ProgressingWithRetry")
    failed = next((c for c in (condition(obj, "Stalled"), condition(obj, "FetchFailed")) if c.get("status") == "True"), None)
    if failed is None and ready.get("status") == "False" and ready.get("reason") not in working:
        failed = ready
    if failed is None:
        return None
    kind, message = "release/chart-missing" if obj.get("kind") == "HelmChart" else "source/failed", str(failed.get("message", ""))
    waits = failed.get("reason") in ("NoSourceArtifact", "SourceUnavailable") or _may_start(obj, message)
    final = not waits and (failing >= LASTS or not is_transient(message))
    return Cause(kind, ObjectRef.of(obj), one_line(message), final=final, said=message)


def _may_start(source: Object, message: str) -> bool:
    """Whether it does not answer because it may have been started a moment ago: our Git server, or a server in the cluster."""
    spec = source.get("spec") or {}
    is_ours = (spec.get("secretRef") or {}).get("name") == CREDENTIALS_SECRET
    is_inside = bool(_INSIDE.search(str(spec.get("url") or spec.get("endpoint") or "")))
    return (is_ours or is_inside) and (is_transient(message) or bool(re.search(r"dial tcp|unable to list remote", message)))


def _subject(message: str) -> ObjectRef | None:
    found = _SUBJECT.match(message)
    return ObjectRef(found[1], found[2] or "", found[3]) if found else None


def _hint(kind: str) -> Hint:
    match kind:
        case "immutable":
            return "delete the object, or set spec.force of the Kustomization or the annotation kustomize.toolkit.fluxcd.io/force: enabled"
        case "path-missing" | "build" | "substitution" | "variables-missing":
            return DevloopCommand("validate")
        case "decryption":
            return command("devloop doctor")
        case "namespace-terminating":
            return "wait until the namespace is gone, then run the command again"
    return ""
