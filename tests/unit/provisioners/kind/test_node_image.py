"""Which node image a definition gets."""

from __future__ import annotations

import pytest

from devloop.errors import InputError
from devloop.model.cluster.definition import ClusterDefinition, NodeConfiguration
from devloop.provisioners.kind.node_image import NodeImage, node_image
from devloop.toolchain import Toolchain

PUBLISHED = {version: f"kindest/node:v{version}@sha256:0" for version in ("1.37.0", "1.36.4", "1.36.1", "1.35.8")}
OWN = {"1.36.4": "own"}


def choose(wanted: str, own: dict[str, str]) -> NodeImage:
    return node_image(ClusterDefinition("local", "G3", "ksail.yaml", kubernetes_version=wanted), own, PUBLISHED, "1.36.4")


@pytest.mark.parametrize(
    ("wanted", "version"),
    [("v1.36.4", "1.36.4"), ("1.35.8", "1.35.8"), ("", "1.36.4"), ("v1.36", "1.36.4"), ("1.37", "1.37.0")],
)
def test_a_published_version_is_used_as_it_is(wanted: str, version: str) -> None:
    assert choose(wanted, {}) == NodeImage(PUBLISHED[version])


@pytest.mark.parametrize(
    ("wanted", "version"), [("v1.36.3", "1.36.4"), ("v1.36.2", "1.36.1"), ("v1.35.0", "1.35.8"), ("1.37.12", "1.37.0")]
)
def test_the_nearest_patch_is_used_and_named(wanted: str, version: str) -> None:
    chosen = choose(wanted, {})
    assert chosen.reference == PUBLISHED[version]
    assert f"v{version}" in chosen.note
    assert f"v{wanted.removeprefix('v')}" in chosen.note


@pytest.mark.parametrize(("wanted", "noted"), [("v1.36.4", False), ("", False), ("v1.36", False), ("v1.36.5", True)])
def test_our_own_image_comes_before_a_published_one(wanted: str, noted: bool) -> None:
    chosen = choose(wanted, OWN)
    assert chosen.reference == "own"
    assert bool(chosen.note) == noted


def test_a_version_exactly_between_two_takes_the_newer_one() -> None:
    images = {"1.36.2": "two", "1.36.4": "four"}
    assert node_image(ClusterDefinition("x", "G3", "ksail.yaml", kubernetes_version="1.36.3"), {}, images, "").reference == "four"


@pytest.mark.parametrize("wanted", ["v1.30.0", "1.30", "2.0.0", "latest"])
def test_another_minor_version_is_an_error_that_lists_what_there_is(wanted: str) -> None:
    with pytest.raises(InputError, match=r"ksail\.yaml: there is no node image for Kubernetes") as error:
        choose(wanted, OWN)
    assert "v1.37.0, v1.36.4, v1.36.1, v1.35.8" in str(error.value.hint)


def test_images_of_the_nodes_themselves_need_no_other() -> None:
    nodes = (NodeConfiguration("control-plane", image="mine:v1"),)
    definition = ClusterDefinition("local", "G3", "ksail.yaml", kubernetes_version="1.30.0", nodes=nodes)
    assert node_image(definition, {}, PUBLISHED, "1.36.4") == NodeImage("")


def test_the_lock_has_an_image_of_the_pinned_version() -> None:
    toolchain = Toolchain()
    images = toolchain.node_images()
    assert toolchain.version("kubelet") in images
    assert all(reference.startswith(f"kindest/node:v{version}@sha256:") for version, reference in images.items())
