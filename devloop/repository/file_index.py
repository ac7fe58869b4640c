"""Indexes the repository's files for what no build shows: each is read once, and parsed only if a quick search matches."""

import contextlib
import os
import posixpath
import re
import stat
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from devloop.clients import git
from devloop.errors import DevloopError, InputError
from devloop.model.kubernetes.kustomize import is_kustomization_file
from devloop.model.lint import file_scan
from devloop.model.lint.file_index import (
    FileIndex,
    FluxDocument,
    ObjectText,
    PrivateKey,
    Reference,
    SecretText,
    Variable,
    above,
    is_made_up,
)
from devloop.model.lint.object_scan import nested_objects
from devloop.model.sops.creation_rules import CreationRules, EncryptedSecret, parse_creation_rules, parse_secret

# Larger files are generated or not text.
LARGEST = 2 * 1024 * 1024

_RULES = ".sops.yaml"
_MANIFESTS = (".yaml", ".yml", ".json")
# Manifests, and templates of them: app.yaml.tmpl, app.yaml.j2.
_OBJECTS = re.compile(r"\.(?:ya?ml|json)(?:\.\w+)?$|(?:^|/)Kustomization$")
_DOCUMENTS = (".md", ".adoc", ".rst", ".org")


@dataclass
class _Facts:
    known: frozenset[str]
    encrypted: dict[str, EncryptedSecret] = field(default_factory=dict)
    rules: list[CreationRules] = field(default_factory=list)
    secrets: list[SecretText] = field(default_factory=list)
    private_keys: list[PrivateKey] = field(default_factory=list)
    references: list[Reference] = field(default_factory=list)
    variables: dict[str, tuple[Variable, ...]] = field(default_factory=dict)
    rotation: list[str] = field(default_factory=list)
    policy_rules: list[str] = field(default_factory=list)
    objects: list[ObjectText] = field(default_factory=list)
    kustomizations: list[FluxDocument] = field(default_factory=list)


def index_files(root: Path) -> FileIndex:
    """The index of all files below `root` that Git does not ignore (all files without Git). No file makes it raise."""
    paths = tuple(sorted(_listed(root)))
    folders = {posixpath.dirname(path) for path in paths}
    facts = _Facts(frozenset(paths).union(folders, *map(above, folders)))
    gone, empty, unreadable = set(), set(), set()
    for path in paths:
        data = _content(f"{root}/{path}")
        if data:
            _inspect(path, data, facts)
        elif data is not None:
            empty.add(path)
        elif (root / path).is_file():
            unreadable.add(path)
        else:
            gone.add(path)
    return FileIndex(
        paths=tuple(path for path in paths if path not in gone),
        encrypted=facts.encrypted,
        creation_rules=tuple(facts.rules),
        secrets=tuple(facts.secrets),
        private_keys=tuple(facts.private_keys),
        references=tuple(facts.references),
        variables=facts.variables,
        rotation=tuple(facts.rotation),
        empty=frozenset(empty),
        unreadable=frozenset(unreadable),
        policy_rules=tuple(facts.policy_rules),
        objects=tuple(facts.objects),
        kustomizations=tuple(facts.kustomizations),
    )


def ignored_paths(root: Path) -> tuple[str, ...]:
    """Files and folders below `root` that Git ignores, and so no commit has; none without Git."""
    with contextlib.suppress(DevloopError):
        options = ("-z", "--others", "--ignored", "--exclude-standard", "--directory")
        done = git.git("-c", "safe.directory=*", "ls-files", *options, cwd=root, check=False)
        if not done.status:
            return tuple(os.fsdecode(name) for name in done.stdout.split(b"\0") if name)
    return ()


def without_ignored(root: Path, paths: Collection[str]) -> frozenset[str]:
    """Those of the paths that Git does not ignore; all without Git."""
    with contextlib.suppress(DevloopError):
        names = b"".join(os.fsencode(path) + b"\0" for path in paths)
        # The command refuses literal pathspecs, and takes paths.
        env = {"GIT_LITERAL_PATHSPECS": "0"}
        done = git.git("-c", "safe.directory=*", "check-ignore", "-z", "--stdin", cwd=root, env=env, stdin=names, check=False)
        if done.status in (0, 1):
            return frozenset(paths) - {os.fsdecode(name) for name in done.stdout.split(b"\0")}
    return frozenset(paths)


def absent_paths(root: Path) -> tuple[str, ...]:
    """Files of the repository below `root` that a sparse checkout left out; none without Git."""
    with contextlib.suppress(DevloopError):
        setting = git.git("-c", "safe.directory=*", "config", "--type=bool", "core.sparseCheckout", cwd=root, check=False)
        if setting.text.strip() != "true":
            return ()
        done = git.git("-c", "safe.directory=*", "ls-files", "-z", "-t", cwd=root, check=False)
        return tuple(os.fsdecode(line[2:]) for line in done.stdout.split(b"\0") if line.startswith(b"S "))
    return ()


def _listed(root: Path) -> Iterator[str]:
    """Tracked and untracked files that are not ignored; in another user's repository too, since this runs nothing of it."""
    with contextlib.suppress(DevloopError):
        options = ("-z", "--cached", "--others", "--exclude-standard", "--deduplicate")
        done = git.git("-c", "safe.directory=*", "ls-files", *options, cwd=root, check=False)
        if not done.status:
            yield from (os.fsdecode(name) for name in done.stdout.split(b"\0") if name)
            return
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name != ".git"]
        relative = posixpath.normpath(os.path.relpath(folder, root))
        yield from (posixpath.normpath(posixpath.join(relative, name)) for name in names)


def _content(path: str) -> bytes | None:
    """The bytes of a regular file that is not too large; links are not followed, since their targets are listed too."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            status = os.fstat(descriptor)
            return os.read(descriptor, status.st_size) if stat.S_ISREG(status.st_mode) and status.st_size <= LARGEST else None
        finally:
            os.close(descriptor)
    except OSError:
        return None


def _inspect(path: str, data: bytes, facts: _Facts) -> None:
    if is_made_up(path):
        return
    if posixpath.basename(path) == _RULES:
        with contextlib.suppress(InputError):
            facts.rules.append(parse_creation_rules(data.decode(errors="replace"), path))
        return
    if b"PRIVATE KEY" in data or b"AGE-SECRET-KEY-" in data or b"LS0tLS1CRUdJTi" in data:
        facts.private_keys.extend(file_scan.private_keys(path, data))
    if _OBJECTS.search(path):
        facts.objects.extend([*file_scan.objects(path, data), *nested_objects(path, data)])
    if b"ENC[" in data and b"lastmodified" in data:
        with contextlib.suppress(InputError):
            if secret := parse_secret(path, data.decode(errors="replace")):
                facts.encrypted[path] = secret
                return
    if path.endswith(_DOCUMENTS):
        facts.rotation.extend([path] if file_scan.speaks_of_rotation(data) else [])
    elif b"${" in data:
        facts.variables[path] = file_scan.variables(data)
    if path.endswith(_MANIFESTS):
        if b"PolicyRule" in data and file_scan.holds_policy_rule(data):
            facts.policy_rules.append(path)
        if b"kustomize.toolkit.fluxcd.io" in data:
            facts.kustomizations.extend(file_scan.flux_kustomizations(path, data))
        if b"Secret" in data:
            facts.secrets.extend(file_scan.secret_texts(path, data))
    if is_kustomization_file(path) and b".." in data:
        facts.references.extend(file_scan.references(path, data, facts.known))
