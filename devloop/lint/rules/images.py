"""Images are what they were when somebody tried them."""

from __future__ import annotations

from collections.abc import Iterator

from devloop.diagnostic import Diagnostic, Severity
from devloop.lint.rules.rule import Rule, Rules
from devloop.model.kubernetes.image import Image, parse_image
from devloop.model.kubernetes.manifest import Manifest
from devloop.model.kubernetes.pod_templates import PodContainer, pod_template
from devloop.model.lint.context import KustomizationContext, LintContext

Used = tuple[KustomizationContext, Manifest, PodContainer, str]


def _used(subject: LintContext) -> tuple[Used, ...]:
    """The images that can be known, with where they are used."""
    return tuple(used for unit, manifest in subject.manifests for used in _used_by(unit, manifest))


def _used_by(unit: KustomizationContext, manifest: Manifest) -> Iterator[Used]:
    pod = pod_template(manifest)
    for container in pod.containers if pod else ():
        text = container.body.get("image")
        if isinstance(text, str) and text and f"{container.pointer}/image" not in manifest.unknown:
            yield unit, manifest, container, text


def _about(used: Used, message: str, hint: str = "") -> Diagnostic:
    unit, manifest, container, _ = used
    return unit.about(manifest, f"{manifest}: {message}", *container.field, "image", hint=hint)


def latest(subject: LintContext) -> Iterator[Diagnostic]:
    """No tag, or the tag that means whatever came last."""
    for used in subject.once(_used):
        _, _, container, text = used
        image = parse_image(text)
        if image and image.floats:
            what = "the tag latest" if image.tag else "neither a tag nor a digest, which means latest"
            yield _about(
                used, f"the image {text} of container {container.name} has {what}", f"write {image.name}:VERSION or {image.name}@sha256:..."
            )


def malformed(subject: LintContext) -> Iterator[Diagnostic]:
    """No runtime would take it."""
    for used in subject.once(_used):
        _, _, container, text = used
        if parse_image(text) is None:
            yield _about(used, f"{text!r} of container {container.name} is no reference to an image", _malformed_hint(text))


def _malformed_hint(text: str) -> str:
    if text != text.strip():
        return "take the white space away"
    if text.startswith(("http://", "https://")):
        return "take the protocol away"
    if parse_image(text.lower()):
        return "names of images are lower case"
    return "write [REGISTRY/]NAME[:TAG][@sha256:DIGEST]"


def several_versions(subject: LintContext) -> Iterator[Diagnostic]:
    """One image, several versions of it in one environment."""
    found: dict[tuple[str, str], dict[str, Used]] = {}
    for used in subject.once(_used):
        image = parse_image(used[3])
        if image:
            versions = found.setdefault((used[0].inspected.environment.name, image.name), {})
            versions.setdefault(_version(image), used)
    for (_, name), versions in found.items():
        if len(versions) > 1:
            last = versions[max(versions)]
            yield _about(last, f"the image {name} is used in {len(versions)} versions: {', '.join(sorted(versions))}")


def _version(image: Image) -> str:
    return image.tag or image.digest[:19] or "latest"


RULES: Rules = {
    "images/latest": Rule(
        latest,
        Severity.WARNING,
        "the same manifest runs another program tomorrow, and no revision of the repository tells which",
        "write the tag of a release, or a digest",
    ),
    "images/malformed": Rule(
        malformed,
        Severity.ERROR,
        "the kubelet refuses the reference, and the pod never starts",
        "write the image as [REGISTRY/]NAME[:TAG][@sha256:DIGEST], in lower case",
    ),
    "images/several-versions": Rule(
        several_versions,
        Severity.INFO,
        "two versions of one image in one environment are often a forgotten update",
        "use the same version everywhere, or let one place set it with images of a kustomization.yaml",
    ),
}
