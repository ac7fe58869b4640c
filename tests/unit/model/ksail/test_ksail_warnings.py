"""What of a ksail.yaml has no effect here, or is not supported."""

from __future__ import annotations

import pytest

from .complete import DEPRECATED
from .definitions import NEW, load, said


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        (
            "spec: {cluster: {distribution: Talos}}",
            None,
            "spec.cluster.distribution is Talos; devloop runs plain Kubernetes instead",
        ),
        (
            "spec: {cluster: {distribution: KWOK}}",
            None,
            "spec.cluster.distribution is KWOK; devloop runs plain Kubernetes instead",
        ),
        (
            "spec: {project: {distribution: K3d}}",
            None,
            "spec.project.distribution is K3s; devloop runs plain Kubernetes instead",
        ),
        (
            "spec: {cluster: {gitOpsEngine: None}}",
            None,
            "spec.cluster.gitOpsEngine is None; devloop uses Flux anyway",
        ),
        (
            "spec: {project: {deploymentTool: Kubectl}}",
            None,
            "spec.project.deploymentTool is None; devloop uses Flux anyway",
        ),
        (
            "spec: {project: {containerEngine: Podman}}",
            None,
            "spec.project.containerEngine is Podman; devloop uses the container engine that responds, see DOCKER_HOST",
        ),
        (
            "spec: {cluster: {connection: {context: kind-b}}}",
            "name: a\n",
            "spec.cluster.connection.context is 'kind-b', but KSail's context for this cluster is kind-a",
        ),
        ("metadata: {name: b}", "name: a\n", "metadata.name is 'b', but the cluster is named a"),
        (
            "spec: {workload: {tag: '${NOPE}'}}",
            None,
            "variable NOPE is not set, so spec.workload.tag is empty",
        ),
        (
            "spec: {workload: {kustomizationFile: ../x}}",
            None,
            "spec.workload.kustomizationFile is '../x', not a folder inside the source directory; "
            "like KSail, devloop uses the source directory itself",
        ),
    ],
)
def test_warning(text: str, kind: str | None, message: str) -> None:
    definition = load(NEW + text + "\n", kind)
    assert said(definition.warnings) == [f"ksail.yaml:3: {message}"]
    assert not definition.blockers
    assert definition.entry_path == "."


@pytest.mark.parametrize("written", ["/abs", "../x", "a/../../x", "C:\\x", "a\\b"])
def test_an_entry_outside_is_the_source_directory_itself(written: str) -> None:
    assert load(NEW + f"spec: {{workload: {{kustomizationFile: '{written}'}}}}\n").entry_path == "."


@pytest.mark.parametrize(("field", "value"), DEPRECATED.items())
def test_deprecated(field: str, value: str) -> None:
    head, _, rest = field.removeprefix("spec.").partition(".")
    nested = value
    for key in reversed(rest.split(".")):
        nested = f"{{{key}: {nested}}}"
    [warning] = load(NEW + f"spec: {{{head}: {nested}}}\n").warnings
    assert str(warning).startswith(f"ksail.yaml:3: {field} is deprecated in favour of spec.")


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        ("distribution: GKE", ["spec.cluster.distribution is GKE; devloop creates local clusters only"]),
        (
            "distribution: EKS, provider: AWS",
            ["spec.cluster.distribution is EKS; devloop creates local clusters only"],
        ),
        ("distribution: Talos, provider: Omni", ["spec.cluster.provider is Omni; devloop creates local clusters only"]),
        ("provider: Kubernetes", ["spec.cluster.provider is Kubernetes; devloop creates local clusters only"]),
        ("gitOpsEngine: ArgoCD", ["spec.cluster.gitOpsEngine is ArgoCD; devloop reconciles with Flux only"]),
        ("workers: 99999999999", ["spec.cluster.workers requests 100000000000 nodes; devloop supports at most 100"]),
        (
            "distribution: AKS, gitOpsEngine: ArgoCD",
            [
                "spec.cluster.distribution is AKS; devloop creates local clusters only",
                "spec.cluster.gitOpsEngine is ArgoCD; devloop reconciles with Flux only",
            ],
        ),
    ],
)
def test_blocker(text: str, messages: list[str]) -> None:
    definition = load(NEW + f"spec: {{cluster: {{{text}}}}}\n")
    assert said(definition.blockers) == [f"ksail.yaml:3: {message}" for message in messages]
    assert not definition.warnings
    assert len(definition.nodes) <= 200
