"""Names and labels that Kubernetes accepts: https://kubernetes.io/docs/concepts/overview/working-with-objects/names/."""

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
    SUBDOMAIN: "lower case letters, digits, - and ., with a letter or digit at the start and end of each part",
    LABEL: "lower case letters, digits and -, with a letter or digit at both ends",
    SERVICE: "lower case letters, digits and -, with a letter at the start and a letter or digit at the end",
    PATH: "anything but / and %",
    CRON_JOB: "lower case letters, digits, - and ., with a letter or digit at the start and end of each part",
}

# Built-in kinds with names that are not subdomains.
_FORMS: Mapping[tuple[str, str], str] = {
    ("", "Namespace"): LABEL,
    ("", "Service"): SERVICE,
    ("batch", "CronJob"): CRON_JOB,
    **{("rbac.authorization.k8s.io", kind): PATH for kind in ("Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding")},
    ("certificates.k8s.io", "CertificateSigningRequest"): PATH,
    ("certificates.k8s.io", "ClusterTrustBundle"): PATH,
    ("authorization.k8s.io", "SubjectAccessReview"): PATH,
}
# From this minor version on, a Service's name may begin with a digit (RelaxedServiceNameValidation).
_RELAXED_SERVICES = 36

# Names, keys and labels recur in every environment.
_remember = lru_cache(maxsize=1 << 16)


def name_form(group: str, kind: str, minor: int) -> str:
    """The form of the kind's names in Kubernetes 1.`minor`."""
    form = _FORMS.get((group, kind), SUBDOMAIN)
    return LABEL if form == SERVICE and minor >= _RELAXED_SERVICES else form


@_remember
def what_is_wrong(name: str, form: str) -> str:
    """Why the name is invalid, '' if it is valid."""
    longest = _LENGTHS.get(form, len(name))
    if len(name) > longest:
        return f"it has {len(name)} characters, at most {longest} are allowed"
    return "" if _PATTERNS[form].fullmatch(name) else f"allowed: {_WORDS[form]}"


_QUALIFIED = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?")


@_remember
def wrong_with_key(key: str) -> str:
    """Why the key of a label or annotation, [PREFIX/]NAME, is invalid; '' if it is valid."""
    prefix, slash, name = key.rpartition("/")
    if slash and (wrong := what_is_wrong(prefix, SUBDOMAIN)):
        return f"its prefix {prefix!r} is not a DNS subdomain: {wrong}"
    return _wrong(name)


@_remember
def wrong_with_value(value: str) -> str:
    """Why the value of a label is invalid; '' if it is valid."""
    return _wrong(value) if value else ""


def _wrong(text: str) -> str:
    if len(text) > 63:
        return f"it has {len(text)} characters, at most 63 are allowed"
    return "" if _QUALIFIED.fullmatch(text) else "allowed: letters, digits, -, _ and ., with a letter or digit at both ends"


_PORT = re.compile(r"(?=.*[a-z])(?!.*--)[a-z0-9]([a-z0-9-]*[a-z0-9])?")


def is_port_name(name: str) -> bool:
    """IANA_SVC_NAME: at most 15 characters, at least one letter, no consecutive hyphens."""
    return len(name) <= 15 and bool(_PORT.fullmatch(name))


_DATA_KEY = re.compile(r"[-._a-zA-Z0-9]+")


def is_data_key(key: str) -> bool:
    """Whether it is valid as a key of a ConfigMap or Secret, which may become a file name."""
    return len(key) <= 253 and bool(_DATA_KEY.fullmatch(key)) and key not in (".", "..")


KEBAB = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
