"""The parts of references to images."""

from __future__ import annotations

import pytest

from devloop.errors import InputError
from devloop.model.kubernetes.image import Image, require_image

DIGEST = f"sha256:{'ab' * 32}"


@pytest.mark.parametrize(
    ("text", "image", "registry", "repository"),
    [
        (f"kindest/node:v1.36.4@{DIGEST}", Image("kindest/node", "v1.36.4", DIGEST), "docker.io", "kindest/node"),
        (f"kindest/node@{DIGEST}", Image("kindest/node", "", DIGEST), "docker.io", "kindest/node"),
        ("busybox", Image("busybox"), "docker.io", "library/busybox"),
        ("docker.io/busybox", Image("docker.io/busybox"), "docker.io", "library/busybox"),
        ("index.docker.io/a/b:1", Image("index.docker.io/a/b", "1"), "docker.io", "a/b"),
        ("ghcr.io/a/b", Image("ghcr.io/a/b"), "ghcr.io", "a/b"),
        ("localhost/a", Image("localhost/a"), "localhost", "a"),
        ("localhost:5000/a:v1", Image("localhost:5000/a", "v1"), "localhost:5000", "a"),
        ("a/ghcr.io/b", Image("a/ghcr.io/b"), "docker.io", "a/ghcr.io/b"),
    ],
)
def test_the_parts_of_a_reference(text: str, image: Image, registry: str, repository: str) -> None:
    assert require_image(text) == image
    assert (image.registry, image.repository) == (registry, repository)


@pytest.mark.parametrize("text", ["", "upper/Case", "a:b:c", "a@sha256:1", "https://ghcr.io/a"])
def test_what_is_no_reference_is_an_error(text: str) -> None:
    with pytest.raises(InputError, match="is not a reference to an image"):
        require_image(text)
