"""Objects that only parsing shows."""

import pytest

from devloop.model.lint.file_index import ObjectText
from devloop.model.lint.object_scan import nested_objects


@pytest.mark.parametrize(
    ("path", "text", "found"),
    [
        ("a.yaml", "kind: List\nitems:\n  - kind: Secret\n    metadata: {name: a, namespace: b}\n", [("Secret", "b", "a")]),
        ("a.yaml", "kind: SecretList\nitems: [{kind: Secret, metadata: {name: a}}]\n---\nkind: Secret\n", [("Secret", "", "a")]),
        ("a.yaml", "kind: Secret\nmetadata: {name: a}\n", []),
        ("a.yaml", "kind: List\nitems: [{kind: Secret, metadata: {name: '{{ a }}\n", []),
        ("a.json", '{"kind": "Namespace", "metadata": {"name": "a"}}', [("Namespace", "", "a")]),
        ("a.json", '{"kind": "List", "items": [1, {"kind": "ConfigMap", "metadata": {"name": "a"}}]}', [("ConfigMap", "", "a")]),
        ("a.json", '["Secret"]', []),
        (
            "x/kustomization.yaml",
            "namespace: a\nsecretGenerator: [{name: b}]\nconfigMapGenerator: [{name: c, options: {disableNameSuffixHash: false}}]\n"
            "generatorOptions: {disableNameSuffixHash: true}\n",
            [("Secret", "a", "b")],
        ),
        ("x/kustomization.yaml", "secretGenerator: [{name: b}]\n", []),
    ],
)
def test_objects_of_a_bootstrap_folder(path: str, text: str, found: list[tuple[str, str, str]]) -> None:
    assert [*nested_objects(path, text.encode())] == [ObjectText(path, *each) for each in found]
