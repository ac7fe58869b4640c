"""Image references are valid and pinned."""

from collections.abc import Iterator
from typing import Any

from devloop.diagnostic import Diagnostic, Severity
from devloop.lint.rules.rule import Rule, Rules
from devloop.model.kubernetes.image import parse_image
from devloop.model.kubernetes.manifest import Manifest
from devloop.model.kubernetes.pod_templates import PodContainer, pod_template
from devloop.model.lint.context import KustomizationContext, LintContext

# The Kustomization, its object, the container and the image of the container.
ImageUse = tuple[KustomizationContext, Manifest, PodContainer, str]


def _image_uses(context: LintContext) -> tuple[ImageUse, ...]:
    """All images whose reference is known."""
    return tuple(
        (kustomization, manifest, container, image)
        for kustomization, manifest in context.manifests
        if (pod := pod_template(manifest))
        for container in pod.containers
        if isinstance(image := container.body.get("image"), str) and image and f"{container.pointer}/image" not in manifest.unknown
    )


def _diagnostic(use: ImageUse, template: str, hint: str = "", **arguments: Any) -> Diagnostic:
    kustomization, manifest, container, image = use
    arguments = {"container": container.name, "image": image, **arguments}
    return kustomization.about(manifest, "{object}: " + template, *container.field, "image", hint=hint, **arguments)


def latest(context: LintContext) -> Iterator[Diagnostic]:
    for use in context.once(_image_uses):
        image = parse_image(use[3])
        if image and image.floats:
            what = "the tag latest" if image.tag else "neither a tag nor a digest, so latest is used"
            hint = f"write {image.name}:VERSION or {image.name}@sha256:..."
            yield _diagnostic(use, "the image {image} of container {container} has " + what, hint)


def malformed(context: LintContext) -> Iterator[Diagnostic]:
    for use in context.once(_image_uses):
        if parse_image(use[3]) is None:
            yield _diagnostic(use, "{image!r} of container {container} is not a valid image reference", _malformed_hint(use[3]))


def _malformed_hint(image: str) -> str:
    if image != image.strip():
        return "remove the white space"
    if image.startswith(("http://", "https://")):
        return "remove the scheme"
    if parse_image(image.lower()):
        return "image names are lower case"
    return "write [REGISTRY/]NAME[:TAG][@sha256:DIGEST]"


def several_versions(context: LintContext) -> Iterator[Diagnostic]:
    found: dict[tuple[str, str], dict[str, ImageUse]] = {}
    for use in context.once(_image_uses):
        if image := parse_image(use[3]):
            versions = found.setdefault((use[0].environment.name, image.name), {})
            versions.setdefault(image.tag or image.digest[:19] or "latest", use)
    for (_, name), versions in found.items():
        if len(versions) > 1:
            message, names = "the image {image} is used in {count} versions: {versions}", ", ".join(sorted(versions))
            yield _diagnostic(versions[max(versions)], message, image=name, count=len(versions), versions=names)


RULES: Rules = {
    "images/latest": Rule(
        latest,
        Severity.WARNING,
        "the same manifest may run a different program tomorrow, and no revision of the repository records which",
        "use the tag of a release, or a digest",
    ),
    "images/malformed": Rule(
        malformed,
        Severity.ERROR,
        "the kubelet rejects the reference, so the pod never starts",
        "write the image as [REGISTRY/]NAME[:TAG][@sha256:DIGEST], in lower case",
    ),
    "images/several-versions": Rule(
        several_versions,
        Severity.INFO,
        "two versions of one image in one environment are often a forgotten update",
        "use the same version everywhere, or set it once with images in a kustomization.yaml",
    ),
}
