"""Ways to spoil a repository, each with the randomness that it is given and nothing else."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

# fmt: off
ODD_VALUES: tuple[Any, ...] = (
    None, True, 0, -1, 1 << 70, 1.5, float("nan"), "", "x", "${", "${A", "${A:=}", "$${A}", "../../..", "/", "\u202e", "\ud83d\ude00",
    [], {}, [[]], [{}], {"": ""}, {"name": []}, {"a": {"b": {"c": []}}}, ["a", 1, None], "a" * 70_000,
    "true", "null", "=", "<<", "*a", "&a", "!!binary x", "2020-01-01",
)
ODD_NAMES = (
    "a b", "-rf", "ü", "new\nline", "\udcff", "a'b\"c", "x" * 200, "%s{}", "a:b,c", ".hidden", "kustomization.yaml", "secret.enc.yaml",
)
ODD_TEXTS = (
    "", "\0", "\ufeffa: b\n", "---\n---\n", "a: b\r\nc: d\r\n", "\t- a\n", "%YAML 3.0\n---\na\n", "a: !!python/object:os.system x\n",
    "{" * 3000, "[" * 3000 + "]" * 3000, "- " * 3000 + "a\n", "? a\n: b\n? [c]\n: d\n", "a: &a [*a]\n", "<<: 5\n", "a: b: c\n", "null\n",
    "kind: Kustomization\n", "a: |\n  b\n c\n", "kind: Secret\ndata: 5\n", "sops: 5\ndata: ENC[AES256_GCM,x]\n",
    "creation_rules: {a: b}\n", "apiVersion: v1\nkind: List\nitems: 5\n", "severities: {a/*: 5}\nexemptions: {}\n",
    "\n" * 10_000, "a: b\n" * 20_000, "#" * 3_000_000,
)
# fmt: on
BOMB = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 10))


def spoil(root: Path, dice: random.Random, times: int) -> list[str]:
    """Spoil the files below `root` in `times` ways; what was done, for whoever must repeat it."""
    done = []
    for _ in range(times):
        files = sorted(path for path in root.rglob("*") if path.is_file() and not path.is_symlink() and ".git" not in path.parts)
        if not files:
            break
        path, way = dice.choice(files), dice.choice(WAYS)
        way(root, path, dice)
        target = f" -> {path.readlink()}" if path.is_symlink() else ""
        done.append(f"{way.__name__} {os.fsencode(path.relative_to(root))!r}{target}")
    return done


def flip(root: Path, path: Path, dice: random.Random) -> None:
    data = bytearray(path.read_bytes())
    for _ in range(dice.randint(1, 8)):
        if data:
            data[dice.randrange(len(data))] = dice.randrange(256)
    path.write_bytes(data)


def cut(root: Path, path: Path, dice: random.Random) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: dice.randint(0, len(data))])


def delete(root: Path, path: Path, dice: random.Random) -> None:
    path.unlink()


def delete_folder(root: Path, path: Path, dice: random.Random) -> None:
    if path.parent != root:
        shutil.rmtree(path.parent)


def retype(root: Path, path: Path, dice: random.Random) -> None:
    """Another value, or another kind of value, anywhere in a document."""
    try:
        documents = list(yaml.safe_load_all(path.read_text()))
    except (yaml.YAMLError, UnicodeDecodeError, ValueError):
        return
    holder: Any = documents
    for _ in range(dice.randint(1, 8)):
        keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
        if not keys:
            break
        key = dice.choice(keys)
        if not isinstance(holder[key], dict | list) or dice.random() < 0.2:
            holder[key] = dice.choice(ODD_VALUES)
            break
        holder = holder[key]
    path.write_text(yaml.safe_dump_all(documents, allow_unicode=True), errors="surrogatepass")


def rekey(root: Path, path: Path, dice: random.Random) -> None:
    """A line less, twice, elsewhere or with another indentation."""
    lines = path.read_bytes().split(b"\n")
    index = dice.randrange(len(lines))
    line = lines.pop(index)
    change = dice.randrange(4)
    if change == 1:
        lines[index:index] = [line, line]
    elif change == 2:
        lines.insert(dice.randrange(len(lines) + 1), line)
    elif change == 3:
        lines.insert(index, b"  " + line)
    path.write_bytes(b"\n".join(lines))


def replace(root: Path, path: Path, dice: random.Random) -> None:
    path.write_text(dice.choice((*ODD_TEXTS, BOMB)), newline="")


def append(root: Path, path: Path, dice: random.Random) -> None:
    with path.open("a", newline="") as file:
        file.write("\n" + dice.choice(("---\n", "")) + dice.choice(ODD_TEXTS))


def rename(root: Path, path: Path, dice: random.Random) -> None:
    path.rename(path.parent / (dice.choice(ODD_NAMES) + dice.choice(("", ".yaml"))))


def copy(root: Path, path: Path, dice: random.Random) -> None:
    """The content of one file in another's place."""
    others = sorted(other for other in root.rglob("*.yaml") if other.is_file())
    if others:
        path.write_bytes(dice.choice(others).read_bytes())


def link(root: Path, path: Path, dice: random.Random) -> None:
    path.unlink()
    path.symlink_to(dice.choice((path.name, "..", ".", "/", "/dev/zero", "/etc/passwd", "nowhere", str(root), "../" * 40)))


def swap_folder(root: Path, path: Path, dice: random.Random) -> None:
    """A folder where a file was, or a pipe that nobody writes into."""
    path.unlink()
    path.mkdir() if dice.random() < 0.5 else os.mkfifo(path)


def settings(root: Path, path: Path, dice: random.Random) -> None:
    name = dice.choice(("devloop.yaml", ".sops.yaml", ".gitignore", "k8s/kustomization.yaml", ".gitattributes"))
    (root / name).parent.mkdir(exist_ok=True)
    (root / name).write_text(dice.choice(ODD_TEXTS), newline="")


WAYS: tuple[Callable[[Path, Path, random.Random], None], ...] = (
    flip,
    cut,
    delete,
    delete_folder,
    *[retype] * 4,
    *[rekey] * 2,
    replace,
    append,
    rename,
    copy,
    link,
    swap_folder,
    settings,
)
