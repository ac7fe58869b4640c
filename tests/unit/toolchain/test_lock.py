"""The lock file that we ship."""

from __future__ import annotations

from devloop.toolchain.lock import load_lock


def test_go_modules_agree_with_the_lock_file() -> None:
    for tool in load_lock().values():
        content = (tool.folder / "go.mod").read_text()
        assert (tool.folder / "go.sum").stat().st_size or "require" not in content, tool.name
        if tool.module:
            assert f"\t{tool.module} v{tool.version}\n" in content, tool.name
            assert f"tool {tool.package}\n" in content.replace("\ttool ", "tool "), tool.name


def test_data_of_other_modules_is_of_the_version_that_is_pinned() -> None:
    tools = load_lock()
    pinned = {tool.module: tool.version for tool in tools.values() if tool.module}
    borrowed = dict(name.split("@v") for tool in tools.values() for each in tool.borrowed.values() for name in each.modules)
    assert {name: version for name, version in borrowed.items() if name in pinned} == {
        name: version for name, version in pinned.items() if name in borrowed
    }
    assert {"github.com/fluxcd/source-controller", "github.com/fluxcd/kustomize-controller"} <= borrowed.keys() & pinned.keys()


def test_what_cannot_tell_its_version_is_not_looked_for_on_path() -> None:
    for tool in load_lock().values():
        assert bool(tool.ask) == bool(tool.answer), tool.name
        assert bool(tool.ask) != bool(tool.has_data or not tool.module), tool.name
