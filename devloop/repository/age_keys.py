"""Finds the Age keys of the user for an environment, wherever SOPS, KSail and devloop keep them."""

import contextlib
import os
import re
import sys
from collections.abc import Collection, Iterable, Iterator
from itertools import chain
from pathlib import Path

from devloop.clients.worker import DecryptionResult
from devloop.clients.xdg import config_folder
from devloop.diagnostic import Diagnostic
from devloop.errors import InputError
from devloop.hint import command
from devloop.model.cluster.definition import SopsSettings
from devloop.model.cluster.environment import Environment
from devloop.model.sops.creation_rules import CreationRules, EncryptedSecret, parse_creation_rules, parse_secret
from devloop.repository.age_identities import AgeIdentity, Identities, from_file, from_file_if_any, from_variable


def identities(environment: Environment, key_file: Path | None = None, recipients: Collection[str] | None = None) -> Identities:
    """All identities, or none. Raises InputError if a source named by option, variable or definition holds none.

    `recipients` limits the keys of `devloop init`, by default to the recipients in .sops.yaml and the environment's encrypted files.
    """
    found: dict[str, AgeIdentity] = {}
    skipped = []
    for item in _search(environment, key_file, recipients):
        if isinstance(item, AgeIdentity):
            found.setdefault(item.private, item)
        else:
            skipped.append(item)
    return Identities(tuple(found.values()), tuple(skipped))


def sops_age_data(keys: Identities) -> dict[str, str]:
    """The data of the Secret that kustomize-controller decrypts with: one `*.agekey` per identity."""
    return {f"{re.sub('[^a-z0-9]', '-', key.public[-8:])}.agekey": f"{key.private}\n" for key in keys}


def missing_keys_error(closed: Iterable[DecryptionResult], keys: Identities) -> InputError:
    """Which files cannot be decrypted, their recipients, and the keys that were tried."""
    problems = [_problem(result, keys) for result in closed]
    tried = [f"{identity.public} ({identity.origin})" for identity in keys]
    hint = f"pass a file with the right key: --age-key-file FILE; tried: {', '.join(tried) or 'no keys'}"
    count = f"{len(problems)} encrypted files cannot be decrypted" if len(problems) > 1 else str(problems[0])
    return InputError("; ".join((count, *keys.skipped)), hint=hint, problems=problems)


def without_rule(root: Path, paths: Iterable[str]) -> list[str]:
    """The encrypted files that no creation rule matches; none if there is no .sops.yaml."""
    rules = _creation_rules(root)
    return [path for path in paths if not rules.rule_for(path)] if rules else []


def _creation_rules(root: Path) -> CreationRules | None:
    path = root / ".sops.yaml"
    return parse_creation_rules(path.read_text(errors="replace")) if path.is_file() else None


def _problem(result: DecryptionResult, keys: Identities) -> Diagnostic:
    if result.reason == "service":
        return Diagnostic.at(result.path, 0, result.error, f"add an Age recipient to .sops.yaml, then sops updatekeys {result.path}")
    if result.reason == "key" and not set(result.recipients) & set(keys.public):
        return Diagnostic.at(result.path, 0, f"no key decrypts it; its recipients: {', '.join(result.recipients) or 'none'}")
    return Diagnostic.at(result.path, 0, f"cannot be decrypted: {result.error}", command("sops decrypt", result.path))


def _search(environment: Environment, key_file: Path | None, recipients: Collection[str] | None) -> Iterator[AgeIdentity | str]:
    sops = environment.definition.sops
    if key_file:
        yield from from_file(key_file, "--age-key-file")
    if sops.enabled == "Disabled":
        yield f"{environment.definition.path} disables SOPS, so devloop did not look elsewhere"
        return
    yield from from_variable("SOPS_AGE_KEY")
    if named := os.environ.get("SOPS_AGE_KEY_FILE"):
        yield from from_file(Path(named), "SOPS_AGE_KEY_FILE")
    yield from _own(environment, recipients)
    yield from _listed(sops, chain.from_iterable(map(from_file_if_any, _default_files())))
    if sops.key_env_var:
        yield from _listed(sops, from_variable(sops.key_env_var))
    if sops.key_file:
        path = environment.root / Path(sops.key_file).expanduser()
        yield from _listed(sops, from_file(path, environment.definition.path))
    if os.environ.get("SOPS_AGE_KEY_CMD"):
        yield "devloop does not run SOPS_AGE_KEY_CMD: put its output in SOPS_AGE_KEY"


def _listed(sops: SopsSettings, items: Iterable[AgeIdentity | str]) -> Iterator[AgeIdentity | str]:
    """Only the identities of the definition's public keys, if it lists any."""
    return (item for item in items if isinstance(item, str) or not sops.public_keys or item.public in sops.public_keys)


def _default_files() -> tuple[Path, ...]:
    """Where SOPS looks, https://getsops.io/docs/#encrypting-using-age."""
    folders = [Path(os.environ["XDG_CONFIG_HOME"])] if os.environ.get("XDG_CONFIG_HOME") else []
    folders.append(Path.home() / ("Library/Application Support" if sys.platform == "darwin" else ".config"))
    return tuple(dict.fromkeys(folder / "sops" / "age" / "keys.txt" for folder in folders))


def _own(environment: Environment, recipients: Collection[str] | None) -> Iterator[AgeIdentity | str]:
    """The keys that `devloop init` created for environments of this name, without those of other repositories."""
    paths = sorted((config_folder() / "keys").glob(f"**/{environment.name}-*.agekey"))
    if paths and recipients is None:
        rules = _creation_rules(environment.root)
        sources: list[CreationRules | EncryptedSecret] = [*([rules] if rules else []), *_encrypted(environment)]
        recipients = {recipient for source in sources for recipient in source.age_recipients}
    for path in paths:
        yield from (item for item in from_file_if_any(path) if isinstance(item, str) or item.public in (recipients or ()))


def encrypted_files(environment: Environment) -> tuple[str, ...]:
    """Those below the source directory, by their names; only the graph knows which of them the environment uses."""
    return tuple(secret.path for secret in _encrypted(environment))


def _encrypted(environment: Environment) -> Iterator[EncryptedSecret]:
    for path in sorted((environment.root / environment.definition.source_directory).glob("**/*.*.*")):
        if {".enc", ".sops"} & set(path.suffixes) and path.is_file():
            with contextlib.suppress(InputError):  # the build reports a broken manifest
                if secret := parse_secret(os.path.relpath(path, environment.root), path.read_text(errors="replace")):
                    yield secret
