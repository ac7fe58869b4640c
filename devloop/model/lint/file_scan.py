"""Finds Secrets, private keys, variables and references in the bytes of a file. Parses only Secrets as YAML."""

import base64
import posixpath
import re
from collections.abc import Container, Iterator, Mapping
from itertools import pairwise

from devloop.errors import InputError
from devloop.model.lint.file_index import Field, FluxDocument, ObjectText, PrivateKey, Reference, SecretText, Variable
from devloop.model.sops.plaintext import MANAGED_TYPES, decoded, is_clear
from devloop.model.yaml.scalars import Leaf, read_leaves


def _of_kind(kinds: bytes) -> re.Pattern[bytes]:
    """The line of a document's kind, with the kind as its group."""
    return re.compile(rb"""^["']?kind["']?:[ \t]*["']?(%s)["']?[ \t\r]*(?:#.*)?$""" % kinds, re.M)


_SECRET = _of_kind(b"Secret")
_JSON_SECRET = re.compile(rb'"kind"\s*:\s*"Secret"')
_POLICY_RULE = _of_kind(b"PolicyRule")
_OBJECT = _of_kind(b"Namespace|ServiceAccount|ConfigMap|Secret")
_KUSTOMIZATION = _of_kind(b"Kustomization")
_METADATA = re.compile(rb"^metadata:[ \t]*(?:(\{[^}]*\})|(?:#.*)?\r?$((?:\n(?:[ \t].*|[ \t\r]*|#.*)$)*))", re.M)
_ENTRY = re.compile(rb"""["']?(name|namespace)["']?:[ \t]*["']?([^\s"',}]+)""")
_DOCUMENT = re.compile(rb"^---(?=\s|$)", re.M)
_AGE = re.compile(rb"AGE-SECRET-KEY-(?:PQ-)?1([02-9AC-HJ-NP-Z]{58,})")
_PEM = re.compile(rb"-----BEGIN (?:([A-Z0-9]+) )?PRIVATE KEY(?: BLOCK)?-----(?:\s|\\[nr])*([A-Za-z0-9+/=\s\\]{40,})")
_ENCODED = re.compile(rb"LS0tLS1CRUdJTi[A-Za-z0-9+/]{60,}={0,2}")
# The start of an OpenSSH key without a passphrase: openssh-key-v1, cipher none.
_OPENSSH_PLAIN = b"b3BlbnNzaC1rZXktdjEAAAAABG5vbmU"
_USE = re.compile(rb"(\$+)\{([A-Za-z_]\w*)([^\w}]?[^\w}]?)")
_UPWARDS = re.compile(r"""(?<![\w./-])(?:\.\./)+[^\s"',\]}]*""")
_ROTATION = re.compile(
    rb"(?i)rotat(?:e|es|ed|ing|ion)\b[^.\n]{0,80}\b(?:key|keys|secret|secrets|password|passwords|credential|credentials|recipient|recipients|age|sops)\b"
    rb"|\b(?:key|keys|secret|secrets|recipient|recipients)\b[^.\n]{0,40}\brotat|^#+ .*\brotat|sops updatekeys",
    re.M,
)


def _documents(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Each document of a YAML file with the number of lines above it."""
    bounds = [0, *(match.start() for match in _DOCUMENT.finditer(data)), len(data)]
    for start, end in pairwise(bounds):
        yield data.count(b"\n", 0, start), data[start:end]


def secret_texts(path: str, data: bytes) -> Iterator[SecretText]:
    """The Secrets in a YAML or JSON file; skips invalid documents, which other checks report."""
    for above, document in _documents(data):
        if _SECRET.search(document) or _JSON_SECRET.search(document):
            try:
                leaves = [*read_leaves(path, document.removeprefix(b"---").decode(errors="replace"))]
            except InputError:
                continue
            if ("kind",) in {leaf.path for leaf in leaves if leaf.value == "Secret"}:
                yield _secret(path, above, leaves)


def objects(path: str, data: bytes) -> Iterator[ObjectText]:
    """The Namespaces, ServiceAccounts, ConfigMaps and Secrets at the top of a file's documents, without parsing it as YAML."""
    for _, document in _documents(data) if _OBJECT.search(data) else ():
        if (kind := _OBJECT.search(document)) and (metadata := _metadata(document)):
            yield ObjectText(path, kind[1].decode(), metadata.get("namespace", ""), metadata["name"])


def flux_kustomizations(path: str, data: bytes) -> Iterator[FluxDocument]:
    """Those that have a name and a source, without parsing: a template is none."""
    for above, document in _documents(data):
        kind, metadata = _KUSTOMIZATION.search(document), _metadata(document)
        if kind and metadata and b"sourceRef:" in document and b"{{" not in document:
            yield FluxDocument(path, above + document.count(b"\n", 0, kind.start()) + 1, metadata["name"])


def _metadata(document: bytes) -> Mapping[str, str]:
    """Name and namespace; nothing for a document without a name."""
    found = _METADATA.search(document)
    entries = {key.decode(): value.decode(errors="replace") for key, value in _entries(found[1], found[2])} if found else {}
    return entries if "name" in entries else {}


def _entries(flow: bytes | None, block: bytes | None) -> Iterator[tuple[bytes, bytes]]:
    """Name and namespace in a mapping in braces, or in the least indented lines of a block."""
    if flow:
        yield from ((match[1], match[2]) for match in _ENTRY.finditer(flow))
        return
    lines = [line for line in (block or b"").splitlines() if line.strip() and not line.lstrip().startswith(b"#")]
    indent = min((len(line) - len(line.lstrip()) for line in lines), default=0)
    for line in lines:
        if len(line) - len(line.lstrip()) == indent and (match := _ENTRY.match(line.lstrip())):
            yield match[1], match[2]


def _secret(path: str, above: int, leaves: list[Leaf]) -> SecretText:
    values = {leaf.path: leaf.value for leaf in leaves}
    clear = [
        Field(".".join(leaf.path), above + leaf.line)
        for leaf in leaves
        if leaf.path[0] in ("data", "stringData") and len(leaf.path) == 2 and is_clear(leaf.path[1], decoded(leaf.path[0], leaf.value))
    ]
    line = next((above + leaf.line for leaf in leaves if leaf.path == ("kind",)), 0)
    managed = values.get(("type",), "") in MANAGED_TYPES
    return SecretText(
        path, line, values.get(("metadata", "namespace"), ""), values.get(("metadata", "name"), ""), () if managed else tuple(clear)
    )


def holds_policy_rule(data: bytes) -> bool:
    """Whether the file has a PolicyRule; see devloop/model/lint/policy.py."""
    return bool(_POLICY_RULE.search(data))


def private_keys(path: str, data: bytes) -> Iterator[PrivateKey]:
    """Usable private keys: neither placeholders nor protected by a passphrase or SOPS."""
    for match in _AGE.finditer(data):
        if len(set(match[1])) > 12:
            yield PrivateKey(path, _line(data, match.start()), "Age")
    for match in _PEM.finditer(data):
        if kind := _pem_kind(match):
            yield PrivateKey(path, _line(data, match.start()), kind)
    for match in _ENCODED.finditer(data):
        text = match[0].rstrip(b"=")
        inner = _PEM.search(base64.b64decode(text[: len(text) // 4 * 4]))
        if inner and (kind := _pem_kind(inner)):
            yield PrivateKey(path, _line(data, match.start()), kind)


def _pem_kind(match: re.Match[bytes]) -> str:
    """The usual name of the key's kind; '' for one with a passphrase."""
    body = re.sub(rb"\s|\\[nr]", b"", match[2])
    label = (match[1] or b"").decode()
    if label == "ENCRYPTED" or len(set(body)) < 16 or (label == "OPENSSH" and not body.startswith(_OPENSSH_PLAIN)):
        return ""
    return {"OPENSSH": "SSH", "": "PEM"}.get(label, label)


def variables(data: bytes) -> tuple[Variable, ...]:
    """Each `${NAME}` that is not escaped as `$${NAME}`, in the order of the text."""
    found: dict[str, Variable] = {}
    for match in _USE.finditer(data):
        if len(match[1]) % 2:
            name = match[2].decode()
            default = match[3] in (b":=", b":-") or match[3][:1] in (b"=", b"-")
            line = found[name].line if name in found else _line(data, match.start())
            found[name] = Variable(name, line, default or (name in found and found[name].default))
    return tuple(found.values())


def references(path: str, data: bytes, known: Container[str]) -> Iterator[Reference]:
    """The `known` files and folders outside its own folder that a kustomization.yaml refers to."""
    folder = posixpath.dirname(path)
    for number, line in enumerate(data.decode(errors="replace").splitlines(), start=1):
        for match in _UPWARDS.finditer(re.sub(r"(^|\s)#.*", "", line)):
            target = posixpath.normpath(posixpath.join(folder, match[0]))
            if target in known:
                yield Reference(path, number, target)


def speaks_of_rotation(data: bytes) -> bool:
    """Whether a document has a heading or sentence about rotating keys."""
    return bool(_ROTATION.search(data))


def _line(data: bytes, position: int) -> int:
    return data.count(b"\n", 0, position) + 1
