"""What Kubernetes accepts as a name, and what people use: https://kubernetes.io/docs/concepts/overview/working-with-objects/names/."""

import re
from collections.abc import Mapping
from functools import lru_cache

SUBDOMAIN, LABEL, SERVICE, PATH, CRON_JOB = "subdomain", "label", "service", "path", "cron-job"

_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_PATTERNS = {
    SUBDOMAIN: re.compile(rf"{_LABEL}(\.{_LABEL})*"),
    LABEL: re.compile(_LABEL),
    SERVICE: re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?"),
    PATH: re.compile(r"(?!\.{1,2}$)[^/%]+"),
    CRON_JOB: re.compile(rf"{_LABEL}(\.{_LABEL})*"),
}
_LENGTHS = {SUBDOMAIN: 253, LABEL: 63, SERVICE: 63, CRON_JOB: 52}
_WORDS = {
    SUBDOMAIN: "lower case letters, digits, - and ., with a letter or a digit around each",
    LABEL: "lower case letters, digits and -, with a letter or a digit at both ends",
    SERVICE: "lower case letters, digits and -, with a letter at the start and a letter or a digit at the end",
    PATH: "anything but / and %",
    CRON_JOB: "lower case letters, digits, - and ., with a letter or a digit around each",
}

# Kinds of Kubernetes' own whose names are not subdomains; custom resources' names are.
_FORMS: Mapping[tuple[str, str], str] = {
    ("", "Namespace"): LABEL,
    ("", "Service"): SERVICE,
    ("batch", "CronJob"): CRON_JOB,
    ("rbac.authorization.k8s.io", "Role"): PATH,
    ("rbac.authorization.k8s.io", "ClusterRole"): PATH,
    ("rbac.authorization.k8s.io", "RoleBinding"): PATH,
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): PATH,
    ("certificates.k8s.io", "CertificateSigningRequest"): PATH,
    ("certificates.k8s.io", "ClusterTrustBundle"): PATH,
    ("authorization.k8s.io", "SubjectAccessReview"): PATH,
}
# From this minor version on a Service's name may begin with a digit (RelaxedServiceNameValidation).
_RELAXED_SERVICES = 36

# Names, keys and labels come again and again, in one environment after the other.
_remember = lru_cache(maxsize=1 << 16)


def name_form(group: str, kind: str, minor: int) -> str:
    """What a name of the kind has to be at Kubernetes 1.`minor`."""
    form = _FORMS.get((group, kind), SUBDOMAIN)
    return LABEL if form == SERVICE and minor >= _RELAXED_SERVICES else form


@_remember
def what_is_wrong(name: str, form: str) -> str:
    """What speaks against the name, '' where nothing does."""
    longest = _LENGTHS.get(form, len(name))
    if len(name) > longest:
        return f"it has {len(name)} characters, at most {longest} are allowed"
    return "" if _PATTERNS[form].fullmatch(name) else f"allowed are {_WORDS[form]}"


_QUALIFIED = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?")
_LONGEST_LABEL = 63


@_remember
def wrong_with_key(key: str) -> str:
    """What speaks against the key of a label or an annotation, as [PREFIX/]NAME; '' where nothing does."""
    prefix, slash, name = key.rpartition("/")
    if slash and (wrong := what_is_wrong(prefix, SUBDOMAIN)):
        return f"its prefix {prefix!r} is no domain: {wrong}"
    return _wrong(name)


@_remember
def wrong_with_value(value: str) -> str:
    """What speaks against the value of a label; '' where nothing does."""
    return _wrong(value) if value else ""


def _wrong(text: str) -> str:
    if len(text) > _LONGEST_LABEL:
        return f"it has {len(text)} characters, at most {_LONGEST_LABEL} are allowed"
    return "" if _QUALIFIED.fullmatch(text) else "allowed are letters, digits, -, _ and ., with a letter or a digit at both ends"


_PORT = re.compile(r"(?=.*[a-z])(?!.*--)[a-z0-9]([a-z0-9-]*[a-z0-9])?")


def is_port_name(name: str) -> bool:
    """IANA_SVC_NAME: at most 15 characters, a letter among them, no two hyphens in a row."""
    return len(name) <= 15 and bool(_PORT.fullmatch(name))


_DATA_KEY = re.compile(r"[-._a-zA-Z0-9]+")


def is_data_key(key: str) -> bool:
    """A key of a ConfigMap or a Secret, which may become a file."""
    return len(key) <= 253 and bool(_DATA_KEY.fullmatch(key)) and key not in (".", "..")


KEBAB = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
