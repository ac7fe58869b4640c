"""The table of docs/toolchain.md says which programs have a pinned checksum."""

from __future__ import annotations

from pathlib import Path

from devloop.toolchain.lock import load_lock

PAGE = Path(__file__).parents[3] / "docs" / "toolchain.md"
DEVELOPMENT = {"worker", "kubelet", "kubeadm", "kube-proxy", "coredns", "actionlint", "staticcheck", "registry"}


def test_the_table_matches_the_lock() -> None:
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.read_text().splitlines() if line.startswith("| ")]
    platforms, documented = rows[0][1:], {}
    for names, *cells in rows[1:]:
        parts = names.split(", ")
        suffix = "-controller" if "-controller" in parts[-1] and parts[0][-1] == "-" else ""
        for name in parts:
            documented[name.removesuffix("-") + suffix if name.endswith("-") else name] = cells
    tools = {name: tool for name, tool in load_lock().items() if name not in DEVELOPMENT}
    assert set(documented) == set(tools)
    for name, tool in tools.items():
        for platform, cell in zip(platforms, documented[name], strict=True):
            assert (cell == "yes") == (platform in tool.releases), (name, platform)
            assert (cell == "image") == (bool(tool.image and "@" in tool.image.reference) and platform.startswith("linux")), (
                name,
                platform,
            )
