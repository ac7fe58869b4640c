"""Writes devloop/toolchain/modules/<module>/{go.mod,go.sum} for the modules and tools of devloop/toolchain/lock.toml.

For maintainers: change a version in the lock file, run `scripts/pin_modules.py [MODULE...]`, then build every tool once.
It starts from the upstream go.mod, drops relative replacements (they point into the upstream repository) and adds what a build from outside
needs.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

TOOLCHAIN = Path(__file__).parents[1] / "devloop" / "toolchain"

# Some module proxies lack the version that source-controller 1.9.6 pins.
REPLACEMENTS = {"source-controller": {"github.com/fluxcd/pkg/artifact": "v0.20.0"}}

# Modules that upstream releases together from one repository.
SIBLINGS = {
    "source-controller": ["github.com/fluxcd/source-controller/api"],
    "kustomize-controller": ["github.com/fluxcd/kustomize-controller/api"],
    "helm-controller": ["github.com/fluxcd/helm-controller/api"],
}


def go(directory: Path, *args: str) -> str:
    return subprocess.run(["go", *args], cwd=directory, check=True, text=True, stdout=subprocess.PIPE).stdout


def upstream_mod(directory: Path, module: str, version: str) -> dict[str, Any]:
    download = json.loads(go(directory, "mod", "download", "-json", f"{module}@{version}"))
    mod: dict[str, Any] = json.loads(go(directory, "mod", "edit", "-json", download["GoMod"]))
    return mod


def replacements(mod: dict[str, Any], name: str, version: str) -> dict[str, str]:
    """module -> "version" or "other-module version"."""
    result = {}
    for replace in mod.get("Replace") or []:
        old, new = replace["Old"]["Path"], replace["New"]
        if not new["Path"].startswith("."):
            result[old] = f"{new['Path']} {new['Version']}"
        elif name == "kubernetes":
            # Upstream replaces these with its ./staging directories; they are published as v0.<minor>.<patch>.
            result[old] = "v0." + version.split(".", 1)[1]
    return result | REPLACEMENTS.get(name, {})


def requirements(mod: dict[str, Any], name: str, version: str, replaced: dict[str, str]) -> dict[str, str]:
    """The upstream module and its requirements, with published versions instead of v0.0.0."""
    result = {mod["Module"]["Path"]: version, **dict.fromkeys(SIBLINGS.get(name, ()), version)}
    for require in mod["Require"]:
        path, wanted = require["Path"], require["Version"]
        if wanted == "v0.0.0":
            wanted = replaced[path].split()[-1] if path in replaced else ""
        if wanted:
            result.setdefault(path, wanted)
    return result


def pin(name: str, module: str, version: str, packages: list[str]) -> None:
    directory = TOOLCHAIN / "modules" / name
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "go.sum").unlink(missing_ok=True)
    (directory / "go.mod").write_text(f"module devloop.invalid/toolchain/{name}\n")
    mod = upstream_mod(directory, module, version)
    replaced = replacements(mod, name, version)
    lines = [f"module devloop.invalid/toolchain/{name}", "", f"go {mod['Go']}", "", *(f"tool {package}" for package in packages), ""]
    lines += ["require (", *(f"\t{path} {v}" for path, v in sorted(requirements(mod, name, version, replaced).items())), ")", ""]
    lines += [f"replace {old} => {new if ' ' in new else f'{old} {new}'}" for old, new in sorted(replaced.items())]
    (directory / "go.mod").write_text("\n".join(lines) + "\n")
    # Loading the tools with -mod=mod completes go.mod and writes exactly the sums that a build needs.
    for mode in ("mod", "readonly"):
        go(directory, "list", f"-mod={mode}", "-deps", "-f", "{{if .Error}}{{.Error}}{{end}}", *packages)


def main(wanted: list[str]) -> None:
    lock = tomllib.loads((TOOLCHAIN / "lock.toml").read_text())
    for name, module in lock["modules"].items():
        if not wanted or name in wanted:
            print(name, flush=True)
            packages = [tool["package"] for tool in lock["tools"].values() if tool["module"] == name]
            pin(name, module["path"], f"v{module['version']}", packages)


if __name__ == "__main__":
    main(sys.argv[1:])
