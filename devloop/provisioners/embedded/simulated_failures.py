"""Pods that fail on request: kwok stages, selected by an annotation of the pod, that write the status and the events of a kubelet.

kwok's format: https://kwok.sigs.k8s.io/docs/user/stages-configuration/. Events cannot use its templates, so their texts are short.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from textwrap import indent
from typing import Any

from devloop.provisioners.embedded.pod_stages import FIRST_STATUS, KEPT, NEW, Expression, Stage, ordinary_stages, stage

ANNOTATION = "devloop.dev/simulate"

RESTART = 300  # milliseconds from the end of a container to the next state
BACK_OFF = '([(.status.containerStatuses[0].restartCount // 1) * 10, 300] | min | tostring) + "s"'

EXIT_CODE = (
    f'{{{{ $given := splitList "=" (index $root.metadata.annotations "{ANNOTATION}") }}}}'
    "{{ if eq (len $given) 2 }}{{ last $given | atoi }}{{ else }}1{{ end }}"
)
NOT_PULLED = 'failed to pull and unpack image "{{ .image }}": failed to resolve image: {{ .image }}: not found'
RESTARTING = "back-off restarting failed container={{ .name }} pod={{ $pod.name }}_{{ $pod.namespace }}({{ $pod.uid }})"
NO_PROGRAM = 'failed to create containerd task: runc create failed: exec: "simulated": executable file not found in $PATH'
NO_CONFIG = (
    '{{ $missing := "configmap \\"simulated\\"" }}'
    "{{ range .envFrom }}"
    '{{ with .configMapRef }}{{ $missing = printf "configmap %q" .name }}{{ end }}'
    '{{ with .secretRef }}{{ $missing = printf "secret %q" .name }}{{ end }}'
    "{{ end }}"
    "{{ range .env }}{{ with .valueFrom }}"
    '{{ with .configMapKeyRef }}{{ $missing = printf "configmap %q" .name }}{{ end }}'
    '{{ with .secretKeyRef }}{{ $missing = printf "secret %q" .name }}{{ end }}'
    "{{ end }}{{ end }}"
    "{{ $missing }} not found"
)


@dataclass(frozen=True)
class Step:
    """A state of all containers of a pod: `state` and `last` are templates of ContainerState, `event` a warning's reason and text.

    `after` is the jq path of a status that has to exist, "" for a new pod; `delay` is in milliseconds, or a jq expression of a duration.
    """

    state: str
    event: tuple[str, str] | None = None
    after: str = ""
    delay: int | str = 0
    phase: str = "Pending"
    last: str = ""


def stages() -> str:
    """kwok's configuration, one document for each stage."""
    failing = [_stage(failure, number, step) for failure, steps in FAILURES.items() for number, step in enumerate(steps)]
    return "".join(f"---\n{json.dumps(each)}\n" for each in [*ordinary_stages(), *failing])


def _waiting(reason: str, message: str = "") -> str:
    return f"waiting:\n  reason: {reason}\n" + (f"  message: |-\n    {message}\n" if message else "")


def _terminated(reason: str, exit_code: str, message: str = "") -> str:
    times = "  startedAt: {{ $started | Quote }}\n  finishedAt: {{ $now | Quote }}\n"
    return f"terminated:\n  exitCode: {exit_code}\n  reason: {reason}\n{times}" + (f"  message: |-\n    {message}\n" if message else "")


def _restarting(end: str, first: Step | None = None) -> tuple[Step, ...]:
    """The steps of a container that ends with `end`, waits, and starts again; `first` is its state before, default `end`."""
    running = first or Step(end, phase="Running")
    ended = ".state.running" if first else ".state.terminated"
    waiting = _waiting("CrashLoopBackOff", RESTARTING)
    back_off = Step(waiting, ("BackOff", "Back-off restarting failed container"), ended, RESTART, "Running", end)
    again = Step(running.state, running.event, '.state.waiting | select(.reason == "CrashLoopBackOff")', BACK_OFF, "Running", end)
    return running, back_off, again


RUNNING = "running:\n  startedAt: {{ $now | Quote }}\n"
PULLING = Step(_waiting("ContainerCreating"))
FAILURES: dict[str, tuple[Step, ...]] = {
    "image-pull": (
        Step(_waiting("ErrImagePull", NOT_PULLED), ("Failed", "Error: ErrImagePull")),
        Step(
            _waiting("ImagePullBackOff", f'Back-off pulling image "{{{{ .image }}}}": ErrImagePull: {NOT_PULLED}'),
            ("Failed", "Error: ImagePullBackOff"),
            '.state.waiting | select(.reason == "ErrImagePull")',
            1000,
        ),
    ),
    "image-name": (
        Step(
            _waiting("InvalidImageName", 'Failed to apply default image tag "{{ .image }}": invalid reference format'),
            ("Failed", "Error: InvalidImageName"),
        ),
    ),
    "config": (Step(_waiting("CreateContainerConfigError", NO_CONFIG)),),
    "pending": (PULLING,),
    "volume": (Step(PULLING.state, ("FailedMount", 'MountVolume.SetUp failed for volume "simulated" : configmap "simulated" not found')),),
    "start": _restarting(_terminated("StartError", "128", NO_PROGRAM)),
    "crash": _restarting(_terminated("Error", EXIT_CODE)),
    "out-of-memory": _restarting(_terminated("OOMKilled", "137")),
    "readiness": (Step(RUNNING, ("Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503"), phase="Running"),),
    "liveness": _restarting(
        _terminated("Error", "137"),
        Step(RUNNING, ("Unhealthy", "Liveness probe failed: HTTP probe failed with statuscode: 500"), phase="Running"),
    ),
}


def _stage(failure: str, number: int, step: Step) -> Stage:
    """The weight goes before that of the ordinary stages, which also match."""
    then: dict[str, Any] = {"statusTemplate": _status(step)}
    if step.event:
        then["event"] = {"type": "Warning", "reason": step.event[0], "message": step.event[1]}
    more: dict[str, Any] = {"weight": 1}
    if step.delay:
        is_fixed = isinstance(step.delay, int)
        more["delay"] = {"durationMilliseconds": step.delay} if is_fixed else {"durationFrom": {"expressionFrom": step.delay}}
    return stage(f"simulate-{failure}-{number}", _conditions(failure, step), then, **more)


def _conditions(failure: str, step: Step) -> list[Expression]:
    chosen = {"key": f'.metadata.annotations["{ANNOTATION}"] // "" | split("=")[0]', "operator": "In", "values": [failure]}
    if not step.after:
        return [chosen, KEPT, NEW]
    running = {"key": ".status.phase", "operator": "In", "values": ["Pending", "Running"]}
    return [chosen, KEPT, running, {"key": f".status.containerStatuses[0]{step.after}", "operator": "Exists"}]


def _status(step: Step) -> str:
    """The template of the pod's status; a pod that must not restart fails with its containers."""
    restarts = "add (int $before.restartCount) 1" if step.state.startswith("waiting:\n  reason: CrashLoop") else "int $before.restartCount"
    last = f"  lastState:\n{indent(step.last, '    ')}" if step.last else ""
    fails = f'{{{{ if eq $root.spec.restartPolicy "Never" }}}}Failed{{{{ else }}}}{step.phase}{{{{ end }}}}'
    return (
        "{{ $now := Now }}{{ $root := . }}{{ $pod := .metadata }}\n"
        + ("" if step.after else _NEW_POD)
        + f"phase: {fails if step.state.startswith('terminated') else step.phase}\n"
        + "containerStatuses:\n"
        + "{{ range $index, $item := .spec.containers }}{{ with $item }}\n"
        + '{{ $before := dict "restartCount" 0 }}'
        + "{{ with $root.status.containerStatuses }}{{ $before = index . $index }}{{ end }}"
        + "{{ $started := $now }}{{ with $before.state }}{{ with .running }}{{ $started = .startedAt }}{{ end }}{{ end }}\n"
        + '- name: {{ .name | Quote }}\n  image: {{ .image | Quote }}\n  imageID: ""\n  ready: false\n'
        + f"  started: {'true' if step.state.startswith('running') else 'false'}\n"
        + f"  restartCount: {{{{ {restarts} }}}}\n"
        + f"  state:\n{indent(step.state, '    ')}{last}"
        + "{{ end }}{{ end }}\n"
    )


_NEW_POD = (
    """\
{{ $names := list }}{{ range .spec.containers }}{{ $names = append $names .name }}{{ end }}
conditions:
- {type: Initialized, status: "True", lastTransitionTime: {{ $now | Quote }}}
{{ range $type := list "Ready" "ContainersReady" }}
- type: {{ $type }}
  status: "False"
  reason: ContainersNotReady
  message: {{ printf "containers with unready status: [%s]" (join " " $names) | Quote }}
  lastTransitionTime: {{ $now | Quote }}
{{ end }}
"""
    + FIRST_STATUS
)
