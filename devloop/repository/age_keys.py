"""The Age identities that this user has for an environment, from every place where SOPS, KSail and devloop keep them."""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from devloop.clients.worker import DecryptionResult
from devloop.clients.xdg import config_folder
from devloop.diagnostic import Diagnostic
from devloop.errors import InputError
from devloop.hint import command
from devloop.model.cluster.definition import SopsSettings
from devloop.model.cluster.environment import Environment
from devloop.model.sops.creation_rules import EncryptedSecret, parse_creation_rules, parse_secret
from devloop.repository.age_identities import AgeIdentity, Identities, from_file, from_file_if_any, from_variable

__all__ = ["Identities", "identities", "missing_keys_error", "sops_age_data"]


def identities(environment: Environment, key_file: Path | None = None, recipients: Collection[str] | None = None) -> Identities:
    """Every identity there is; none is no error here.

    `recipients` limits devloop's own keys, by default to those that .sops.yaml and the encrypted files of the environment name. Raises
    InputError for a place that was named (by option, variable or definition) and holds none.
    """
    found: dict[str, AgeIdentity] = {}
    skipped = []
    for item in _gather(environment, key_file, recipients):
        if isinstance(item, AgeIdentity):
            found.setdefault(item.private, item)
        else:
            skipped.append(item)
    return Identities(tuple(found.values()), tuple(skipped))


def sops_age_data(keys: Identities) -> dict[str, str]:
    """The data of the Secret that kustomize-controller decrypts with: one `*.agekey` for each identity."""
    return {f"{re.sub('[^a-z0-9]', '-', key.public[-8:])}.agekey": f"{key.private}\n" for key in keys}


def missing_keys_error(closed: Iterable[DecryptionResult], keys: Identities) -> InputError:
    """Which files stay closed, who could open them, which keys were tried."""
    problems = [_closed(opening, keys) for opening in closed]
    tried = [f"{identity.public} ({identity.origin})" for identity in keys]
    hint = f"name a file with the right key: --age-key-file FILE; tried: {', '.join(tried) or 'no key at all'}"
    count = f"{len(problems)} encrypted files cannot be opened" if len(problems) > 1 else str(problems[0])
    return InputError("; ".join((count, *keys.skipped)), hint=hint, problems=problems)


def without_rule(root: Path, paths: Iterable[str]) -> list[str]:
    """Those of the encrypted files that no rule of .sops.yaml is for; none where there is no .sops.yaml."""
    rules_file = root / ".sops.yaml"
    if not rules_file.is_file():
        return []
    rules = parse_creation_rules(rules_file.read_text(errors="replace"))
    return [path for path in paths if not rules.rule_for(path)]


def _closed(opening: DecryptionResult, keys: Identities) -> Diagnostic:
    if opening.reason == "service":
        return Diagnostic.at(opening.path, 0, opening.error, f"add an Age recipient to .sops.yaml, then sops updatekeys {opening.path}")
    if opening.reason == "key" and not set(opening.recipients) & set(keys.public):
        return Diagnostic.at(opening.path, 0, f"none of the keys opens it; it is encrypted for {', '.join(opening.recipients) or 'nobody'}")
    return Diagnostic.at(opening.path, 0, f"cannot be opened: {opening.error}", command("sops decrypt", opening.path))


def _gather(environment: Environment, key_file: Path | None, recipients: Collection[str] | None) -> Iterator[AgeIdentity | str]:
    sops = environment.definition.sops
    if key_file:
        yield from from_file(key_file, "--age-key-file")
    if sops.enabled == "Disabled":
        yield f"{environment.definition.path} turns SOPS off, so other places were not looked at"
        return
    yield from from_variable("SOPS_AGE_KEY")
    if named := os.environ.get("SOPS_AGE_KEY_FILE"):
        yield from from_file(Path(named), "SOPS_AGE_KEY_FILE")
    yield from _own(environment, recipients)
    for path in _default_files():
        yield from _wanted(sops, from_file_if_any(path))
    yield from _wanted(sops, _of_definition(environment))
    if os.environ.get("SOPS_AGE_KEY_CMD"):
        yield "SOPS_AGE_KEY_CMD is set, which devloop does not run: give its output in SOPS_AGE_KEY"


def _of_definition(environment: Environment) -> Iterator[AgeIdentity | str]:
    sops = environment.definition.sops
    if sops.key_env_var:
        yield from from_variable(sops.key_env_var)
    if sops.key_file:
        path = environment.root / Path(sops.key_file).expanduser()
        yield from from_file(path, environment.definition.path)


def _wanted(sops: SopsSettings, items: Iterable[AgeIdentity | str]) -> Iterator[AgeIdentity | str]:
    """Where the definition lists public keys, only theirs."""
    for item in items:
        if isinstance(item, str) or not sops.public_keys or item.public in sops.public_keys:
            yield item


def _default_files() -> tuple[Path, ...]:
    """Where SOPS itself looks, https://getsops.io/docs/#encrypting-using-age."""
    folders = [Path(os.environ["XDG_CONFIG_HOME"])] if os.environ.get("XDG_CONFIG_HOME") else []
    folders.append(Path.home() / ("Library/Application Support" if sys.platform == "darwin" else ".config"))
    return tuple(dict.fromkeys(folder / "sops" / "age" / "keys.txt" for folder in folders))


def _own(environment: Environment, recipients: Collection[str] | None) -> Iterator[AgeIdentity | str]:
    """The keys that `devloop init` made for environments of this name, of which only this repository's are wanted."""
    paths = sorted((config_folder() / "keys").glob(f"**/{environment.name}-*.agekey"))
    named = (_recipients(environment) if recipients is None else recipients) if paths else ()
    for path in paths:
        for item in from_file_if_any(path):
            if isinstance(item, str) or item.public in named:
                yield item


def _recipients(environment: Environment) -> set[str]:
    """Whom .sops.yaml and the encrypted files below the source directory are for."""
    rules = environment.root / ".sops.yaml"
    result = set(parse_creation_rules(rules.read_text(errors="replace")).age_recipients) if rules.is_file() else set()
    return result.union(*(secret.age_recipients for secret in _encrypted(environment)))


def encrypted_files(environment: Environment) -> tuple[str, ...]:
    """Those below the source directory whose names say so; which of them the environment reaches only its graph can tell."""
    return tuple(secret.path for secret in _encrypted(environment))


def _encrypted(environment: Environment) -> Iterator[EncryptedSecret]:
    for path in sorted((environment.root / environment.definition.source_directory).glob("**/*.*.*")):
        if {".enc", ".sops"} & set(path.suffixes) and path.is_file():
            with contextlib.suppress(InputError):  # a broken manifest is for those to tell who build it
                secret = parse_secret(os.path.relpath(path, environment.root), path.read_text(errors="replace"))
                if secret:
                    yield secret
