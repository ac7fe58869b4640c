"""Random mutations of a repository, reproducible from a seed."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[3]
FIXTURES = sorted(folder for folder in (ROOT / "tests/rules").glob("*/*/*") if folder.is_dir())

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
ODD_PIECES = (
    "{{", "}}", '{{ fail "x" }}', '{{ include "part.labels" . }}', "{{ range until 100 }}", "{{ end }}", "{{ toYaml $ }}", "{{ .Values }}",
    "${", "}", "${a:=${b}}", "$(A)", "$$", "(", ")", "[", "]", "{", "\\", "'", '"', "`", "* ", "&a ", "*a", "!!int ", "!x ", "| ", "%", "@",
    "#", "\t", "\r", "\0", "\x7f", "\x85", "\u2028", "\ufeff", "\ufffe", " " * 300, "object.", ".all(x, ", "?", ":", ": ", "- ", "---\n",
    "...\n", "/", "~1", "../", "..", "//", "a{99999999999}", "(" * 2000, "9" * 400, "-", "ENC[", "?ref=", "https://", "git@",
)
ENTRIES = (".", "..", "../..", "/", "nowhere", "https://example.com/a.yaml", "github.com/a/b?ref=c", "git@example.com:a/b", "", "*.yaml")
LISTS = (
    "resources", "bases", "components", "generators", "transformers", "validators", "crds", "configurations", "patchesStrategicMerge",
    "patches.path", "patchesJson6902.path", "replacements.path", "configMapGenerator.files", "secretGenerator.envs", "helmCharts.name",
)
# fmt: on
BOMB = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 10))


def spoil(root: Path, dice: random.Random, times: int) -> list[str]:
    """Mutates the files below `root` `times` times and returns what it did."""
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
    """Another value or type anywhere in a document."""
    documents = _read(path)
    holder: Any = documents
    for _ in range(dice.randint(1, 12)):
        keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
        if not keys:
            break
        key = dice.choice(keys)
        if not isinstance(holder[key], dict | list) or dice.random() < 0.1:
            holder[key] = _other(holder[key], documents, dice)
            break
        holder = holder[key]
    if documents:
        path.write_text(yaml.safe_dump_all(documents, allow_unicode=True), errors="surrogatepass")


def _read(path: Path) -> list[Any]:
    """The documents of a file, none of an unreadable one."""
    try:
        return list(yaml.safe_load_all(path.read_text()))
    except (yaml.YAMLError, ValueError, RecursionError):
        return []


def _other(value: Any, documents: Any, dice: random.Random) -> Any:
    """A replacement: nonsense, a longer or shorter value, or another value of the file."""
    change = dice.randrange(6)
    if change == 0:
        return [value]
    if change == 1:
        return {dice.choice(("a", "name", "$patch", "<<")): value}
    if change == 2:
        other = documents
        while isinstance(other, dict | list) and other and dice.random() < 0.8:
            other = dice.choice(list(other.values()) if isinstance(other, dict) else other)
        return other
    if isinstance(value, str) and change < 5:
        return _garbled(value, dice)
    return dice.choice(ODD_VALUES)


def _garbled(text: str, dice: random.Random) -> str:
    """Inserts fragments or replaces parts of the text."""
    for _ in range(dice.randint(1, 3)):
        start = dice.randint(0, len(text))
        text = text[:start] + dice.choice(ODD_PIECES) + text[min(len(text), start + dice.choice((0, 0, 1, 5))) :]
    return text


def garble(root: Path, path: Path, dice: random.Random) -> None:
    """Also for files other than YAML: templates, schemas, expressions."""
    path.write_bytes(_garbled(path.read_bytes().decode("latin-1"), dice).encode("latin-1", errors="replace"))


def encode(root: Path, path: Path, dice: random.Random) -> None:
    """The same text in another encoding."""
    text = path.read_bytes().decode(errors="replace")
    lines = {"\r\n": text.replace("\n", "\r\n"), "\r": text.replace("\n", "\r"), "\x85": text.replace("\n", "\x85"), "": text.rstrip("\n")}
    text = dice.choice((text, text, text.replace("  ", "\t"), *lines.values()))
    path.write_bytes(
        text.encode(dice.choice(("utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32", "utf-7", "latin-1")), errors="replace")
    )


def alias(root: Path, path: Path, dice: random.Random) -> None:
    """An anchor at one value and an alias or merge elsewhere, even before or inside it."""
    lines = path.read_bytes().split(b"\n")
    places = [number for number, line in enumerate(lines) if b": " in line or line.endswith(b":")]
    if not places:
        return
    anchor, use = dice.choice(places), dice.choice(places)
    indent = lines[use][: len(lines[use]) - len(lines[use].lstrip(b" -"))].replace(b"-", b" ")
    merge = indent + b"<<: " + dice.choice((b"*x", b"[*x, *x]", b"{a: b}", b"5"))
    replaced = lines[use].partition(b":")[0] + b": *x"
    head, _, tail = lines[anchor].partition(b":")
    lines[anchor] = head + b": &x" + tail
    if dice.random() < 0.5:
        lines.insert(use, merge)
    else:
        lines[use] = replaced
    path.write_bytes(b"\n".join(lines))


def enlist(root: Path, path: Path, dice: random.Random) -> None:
    """Adds any file or folder to any list of a kustomization file."""
    files = sorted(root.rglob("kustomization.yaml"))
    target = dice.choice(files) if files else root / "k8s/kustomization.yaml"
    documents = _read(target) if target.is_file() else []
    body = documents[0] if documents and isinstance(documents[0], dict) else {}
    name, _, key = dice.choice(LISTS).partition(".")
    place = path if dice.random() < 0.7 else path.parent
    entry = os.path.relpath(place, target.parent) if dice.random() < 0.8 else dice.choice(ENTRIES)
    entry = entry.encode(errors="replace").decode()
    old = body.get(name)
    item: Any = {key: [entry] if key in ("files", "envs") else entry} if key else entry
    body[name] = [*(old if isinstance(old, list) else []), item]
    if not target.is_dir():
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(yaml.safe_dump(body), errors="surrogatepass")


def graft(root: Path, path: Path, dice: random.Random) -> None:
    """Adds a file from the fixture of a rule."""
    fixture = dice.choice(FIXTURES)
    for source in sorted(fixture.rglob("*")):
        target = root / source.relative_to(fixture)
        if source.is_file() and not os.path.lexists(target):
            with contextlib.suppress(OSError):  # a file or a link to nowhere may be where the folder should go
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, target)


def git_folder(root: Path, path: Path, dice: random.Random) -> None:
    """Breaks files of Git."""
    name = dice.choice((".git/HEAD", ".git/index", ".git/config", ".git", ".gitmodules", ".gitattributes"))
    target = root / name
    if target.is_dir():
        shutil.rmtree(target)
    if target.parent.is_dir():
        target.write_text(dice.choice((*ODD_TEXTS[:12], "gitdir: .", "ref: refs/heads/nowhere\n")), newline="")


def rekey(root: Path, path: Path, dice: random.Random) -> None:
    """Removes, repeats, moves or indents a line."""
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
    """Replaces one file with another."""
    others = sorted(other for other in root.rglob("*.yaml") if other.is_file())
    if others:
        path.write_bytes(dice.choice(others).read_bytes())


def link(root: Path, path: Path, dice: random.Random) -> None:
    """Replaces a file or folder with a link: to itself, in a circle, outside the repository, dangling, or to another file."""
    others = sorted(other for other in root.rglob("*") if ".git" not in other.parts)
    there = os.path.relpath(dice.choice(others), path.parent)
    if dice.random() < 0.2 and path.parent != root:
        path = path.parent
        shutil.rmtree(path)
    else:
        path.unlink()
    path.symlink_to(dice.choice((path.name, there, there, "..", ".", "/", "/dev/zero", "/etc/passwd", "nowhere", str(root), "../" * 40)))


def swap_folder(root: Path, path: Path, dice: random.Random) -> None:
    """Replaces a file with a folder or a pipe without a writer."""
    path.unlink()
    path.mkdir() if dice.random() < 0.5 else os.mkfifo(path)


def forbid(root: Path, path: Path, dice: random.Random) -> None:
    """Removes all permissions."""
    path.chmod(0)


def settings(root: Path, path: Path, dice: random.Random) -> None:
    name = dice.choice(("devloop.yaml", ".sops.yaml", ".gitignore", "k8s/kustomization.yaml", ".gitattributes"))
    (root / name).parent.mkdir(exist_ok=True)
    (root / name).write_text(dice.choice(ODD_TEXTS), newline="")


WAYS: tuple[Callable[[Path, Path, random.Random], None], ...] = (
    flip,
    cut,
    delete,
    delete_folder,
    *[retype] * 8,
    *[rekey] * 2,
    *[garble] * 3,
    *[alias] * 2,
    *[enlist] * 2,
    encode,
    replace,
    append,
    rename,
    copy,
    graft,
    link,
    swap_folder,
    forbid,
    settings,
    git_folder,
)
