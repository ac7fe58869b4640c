"""What the API server refuses, by its words; they reach us through conditions and events of controllers."""

from __future__ import annotations

import re

# Failures of a network or a server that another attempt may not have.
TRANSIENT = re.compile(r"time(d )?out|connection reset|TLS handshake|toomanyrequests|EOF|temporary|\b50[0234]\b", re.IGNORECASE)
# Servers that do not answer, as while a webhook, a controller or the API server starts.
_UNREACHABLE = re.compile(
    r"connection refused|no endpoints available|no route to host|unable to handle the request|etcdserver|object has been modified",
)


def is_transient(message: str) -> bool:
    """Whether the next attempt may succeed although nothing in the repository changes."""
    return bool(TRANSIENT.search(message) or _UNREACHABLE.search(message))


Patterns = tuple[tuple[str, re.Pattern[str]], ...]


def patterns(*pairs: tuple[str, str]) -> Patterns:
    """Kinds of messages, the most specific first."""
    return tuple((kind, re.compile(pattern)) for kind, pattern in pairs)


# An object that another one names and that does not exist, as kubelet, scheduler, volume controller and admission say it.
_NAMED = re.compile(
    r'\b(configmap|secret|serviceaccount|storageclass|persistentvolumeclaim|runtimeclass)(?:s|\.storage\.k8s\.io)? "([^"]+)" not found'
    r"|no (PriorityClass) with name (\S+) was found",
    re.IGNORECASE,
)
# What a limit range refuses: plugin/pkg/admission/limitranger of Kubernetes.
OVER_LIMIT = re.compile(r"(maximum|minimum) \S+ usage per \w+ is|max limit to request ratio per")


def named_missing(message: str) -> tuple[str, str] | None:
    """The kind, in lower case, and the name of the object that is missing."""
    found = _NAMED.search(message)
    return ((found[1] or found[3]).lower(), found[2] or found[4]) if found else None


# Words of k8s.io/apiserver, of its admission plugins and of apimachinery's errors.
_REFUSALS = patterns(
    ("quota", r"exceeded quota|failed quota|insufficient quota"),
    ("pod-security", r"violates PodSecurity"),
    (
        "admission",
        r"failed calling webhook|admission webhook|ValidatingAdmissionPolicy|MutatingAdmissionPolicy|denied the request|denied request",
    ),
    ("namespace-terminating", r"because it is being terminated|object is being deleted: "),
    ("namespace-missing", r'namespaces? "[^"]*" not found|namespace not specified|namespace .* not found'),
    ("immutable", r"field is immutable|updates to .* are forbidden|is immutable"),
    ("kind-missing", r"no matches for kind|could not find the requested resource|ensure CRDs are installed first"),
    ("invalid", r"\((Invalid|BadRequest)\)| is invalid: |strict decoding error|cannot unmarshal|expected .*, got |to create typed patch"),
)


def refusal(message: str) -> str:
    """The kind of refusal, '' for other messages."""
    return next((kind for kind, pattern in _REFUSALS if pattern.search(message)), "")
