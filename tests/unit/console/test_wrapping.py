"""Text on a terminal of any width."""

from __future__ import annotations

import re

import pytest

from devloop.console import Console
from devloop.errors import InputError
from devloop.hint import command


def narrow(monkeypatch: pytest.MonkeyPatch, columns: int = 40) -> None:
    """Makes rich use a terminal."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", str(columns))


def plain(text: str) -> list[str]:
    """The lines without colours."""
    return re.sub(r"\x1b\[[0-9;]*m", "", text).splitlines()


def test_sentences_are_wrapped_and_commands_are_not(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    narrow(monkeypatch)
    hint = command("kubectl --context devloop-local --namespace flux-system get kustomizations")
    Console().error(InputError("this is a sentence that is too long\nand has two lines", hint=hint))
    assert plain(capsys.readouterr().err) == [
        "error: this is a sentence that is too",
        "       long",
        "       and has two lines",
        f"hint: {hint}",
    ]


def test_a_hint_that_is_a_sentence_is_wrapped(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    narrow(monkeypatch)
    Console().error(InputError("no", hint="use a format like 90s, 10m or 1h30m, or leave it out"))
    assert plain(capsys.readouterr().err) == ["error: no", "hint: use a format like 90s, 10m or", "      1h30m, or leave it out"]


def test_long_words_are_not_cut(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    narrow(monkeypatch)
    path = "/a/very/long/path/that/does/not/fit/into/a/line/of/forty/columns"
    Console().error(InputError(f"cannot write {path} today"))
    assert plain(capsys.readouterr().err) == ["error: cannot write", f"       {path}", "       today"]


def test_a_narrow_terminal_has_no_last_column(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [("etcd", "25 MiB", "/cache/tools/etcd"), ("kube-apiserver", "101 MiB", "/cache/tools/kube-apiserver")]
    Console().table(("tool", "size", "path"), rows)
    wide = capsys.readouterr().out
    narrow(monkeypatch)
    Console().table(("tool", "size", "path"), rows)
    lines = "\n".join(plain(capsys.readouterr().out))
    assert "/cache/tools/etcd" in wide
    assert "etcd              25 MiB" in wide, "numbers are to the right"
    assert "/cache/tools" not in lines
    assert "kube-apiserver   101 MiB" in lines
    assert "the column path needs a wider terminal," in lines
