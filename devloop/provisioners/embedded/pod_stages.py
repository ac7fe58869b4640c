"""Stages of kwok for pods: they become ready at once, those of Jobs complete, and deleted ones go.

kwok has stages of its own, but leaves them out where a configuration has any for pods. The format and the functions of the templates:
https://kwok.sigs.k8s.io/docs/user/stages-configuration/
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Stage = dict[str, Any]
Expression = Mapping[str, Any]

KEPT: Expression = {"key": ".metadata.deletionTimestamp", "operator": "DoesNotExist"}
DELETED: Expression = {**KEPT, "operator": "Exists"}
# A pod gets its address with its first status.
NEW: Expression = {"key": ".status.podIP", "operator": "DoesNotExist"}
RUNNING: Expression = {"key": ".status.phase", "operator": "In", "values": ["Running"]}
OF_JOB: Expression = {"key": ".metadata.ownerReferences[]?.kind", "operator": "In", "values": ["Job"]}

COMPLETED = 'terminated: {exitCode: 0, reason: Completed, startedAt: "{{ $now }}", finishedAt: "{{ $now }}"}'

FIRST_STATUS = (
    """\
hostIP: {{ NodeIPWith .spec.nodeName | Quote }}
podIP: {{ PodIPWith .spec.nodeName (or .spec.hostNetwork false) (or .metadata.uid "") .metadata.name .metadata.namespace | Quote }}
startTime: "{{ $now }}"
initContainerStatuses:
{{ range .spec.initContainers }}
- name: {{ .name | Quote }}
  image: {{ .image | Quote }}
  imageID: ""
  ready: true
  restartCount: 0
  state:
  {{ if eq (or .restartPolicy "") "Always" }}
    running: {startedAt: "{{ $now }}"}
  {{ else }}
    """
    + COMPLETED
    + """
  {{ end }}
{{ end }}
"""
)

READY = """\
phase: Running
conditions:
{{ range list "Initialized" "Ready" "ContainersReady" }}
- {type: {{ . }}, status: "True", lastTransitionTime: "{{ $now }}"}
{{ end }}
{{ range .spec.readinessGates }}
- {type: {{ .conditionType | Quote }}, status: "True", lastTransitionTime: "{{ $now }}"}
{{ end }}
"""


def stage(name: str, when: Sequence[Expression], then: Mapping[str, Any], **more: Any) -> Stage:
    """What happens to a pod to which all of `when` applies."""
    spec = {"resourceRef": {"apiGroup": "v1", "kind": "Pod"}, "selector": {"matchExpressions": [*when]}, "next": dict(then), **more}
    return {"apiVersion": "kwok.x-k8s.io/v1alpha1", "kind": "Stage", "metadata": {"name": name}, "spec": spec}


def ordinary_stages() -> list[Stage]:
    """Those of pods that do not fail."""
    ready = READY + FIRST_STATUS + _containers('running: {startedAt: "{{ $now }}"}', ready=True)
    completed = "phase: Succeeded\n" + _containers(COMPLETED, ready=False)
    return [
        stage("pod-ready", [KEPT, NEW], {"statusTemplate": "{{ $now := Now }}\n" + ready}),
        stage("pod-complete", [KEPT, RUNNING, OF_JOB], {"statusTemplate": "{{ $now := Now }}\n" + completed}),
        stage("pod-delete", [DELETED], {"finalizers": {"empty": True}, "delete": True}),
    ]


def _containers(state: str, *, ready: bool) -> str:
    flag = str(ready).lower()
    fields = [
        "name: {{ .name | Quote }}",
        "image: {{ .image | Quote }}",
        'imageID: ""',
        f"ready: {flag}",
        f"started: {flag}",
        "restartCount: 0",
    ]
    items = "\n  ".join([*fields, f"state:\n    {state}"])
    return f"containerStatuses:\n{{{{ range .spec.containers }}}}\n- {items}\n{{{{ end }}}}\n"
