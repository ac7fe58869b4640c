"""The lines of fields in templates of charts."""

from __future__ import annotations

import pytest

from devloop.model.causes.field_paths import Field
from devloop.model.causes.template_lines import only_line, says, template_line

TEMPLATE = """\
{{- if .Values.enabled }}
apiVersion: v1
kind: Service
metadata:
  name: {{ .Release.Name }}-api
spec:
  ports:
    - port: 80
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}-api
  labels:
    {{- include "labels" . | nindent 4 }}
spec:
  replicas: {{ .Values.replicas }}
  template:
    spec:
      initContainers:
        - name: api
          image: first
      containers:
      - name: proxy
        image: {{ .Values.proxy }}
        resources:
          requests:
            memory: 1Mi
          limits:
            memory: 2Mi
      - image: second
        name: api
        args: [serve]
        {{- with .Values.resources }}
        resources:
          {{- toYaml . | nindent 10 }}
        {{- end }}
        {{- if .Values.debug }}
        command: [debug]
        {{- else }}
        command: [run]
        {{- end }}
{{- end }}
---
kind: Deployment
metadata:
  name: {{ .Release.Name }}-worker
"""
POD: Field = ("spec", "template", "spec")
API: Field = (*POD, "containers", {"name": "api"})


@pytest.mark.parametrize(
    ("field", "line"),
    [
        ((), "kind: Deployment"),
        (("spec", "replicas"), "replicas: {{ .Values.replicas }}"),
        ((*POD, "initContainers", {"name": "api"}, "image"), "image: first"),
        ((*POD, "containers", {"name": "proxy"}, "image"), "image: {{ .Values.proxy }}"),
        ((*POD, "containers", {"name": "proxy"}, "resources", "limits", "memory"), "memory: 2Mi"),
        ((*API, "image"), "- image: second"),
        ((*API, "args"), "args: [serve]"),
        ((*API, "resources", "limits", "memory"), "resources:"),
        ((*API, "command"), "- image: second"),  # one of two
        ((*API, "livenessProbe"), "- image: second"),
        ((*POD, "containers", {"name": "other"}, "image"), "containers:"),
        ((*POD, "containers", 0, "image"), "containers:"),
        (("metadata", "labels", "app"), "labels:"),
    ],
)
def test_a_field_of_a_template(field: Field, line: str) -> None:
    number = template_line(TEMPLATE, "Deployment", "shop-api", field)
    assert TEMPLATE.splitlines()[number - 1].strip() == line
    assert number > 9


def test_a_kind_that_no_line_gives_or_that_several_objects_have() -> None:
    assert template_line(TEMPLATE, "Secret", "shop-api", ()) == 0
    assert template_line(TEMPLATE, "Deployment", "shop-other", ()) == 0
    assert template_line("kind: {{ .kind }}\n", "Secret", "shop-api", ()) == 0
    assert template_line("kind: Service\n", "Service", "any", ()) == 1


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("resources: [no-such-file.yaml]\n", 1),
        ("resources:\n  - a/no-such-file.yaml\n  # no-such-file.yaml\n  - no-such-file.yaml\n", 4),
        ("- no-such-file.yaml\n- no-such-file.yaml\n", 0),
        ("resources: [other.yaml]\n", 0),
    ],
)
def test_the_only_line_that_names_a_file(text: str, line: int) -> None:
    assert only_line(text, "no-such-file.yaml does not exist") == line


@pytest.mark.parametrize(
    ("line", "value", "agrees"),
    [
        ("    - name: web", "web", True),
        ("    - name: settings", "settings-d54f89gf97", True),
        ("      name: other # web", "web", False),
        ("      name: ${name}", "web", True),
        ("  ports: [{port: 70000}]", 70000, True),
        ("  envFrom:", "web", True),
        ("  - web", "other", False),
        ("  optional: true", True, True),
        ("  optional: false", True, False),
        ("  name: other", {"a": 1}, True),
    ],
)
def test_whether_a_line_may_give_a_value(line: str, value: object, agrees: bool) -> None:
    assert says(line, value) is agrees
