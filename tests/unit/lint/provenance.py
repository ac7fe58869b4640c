"""Kustomizations with a fault, and where findings say that it is."""

from __future__ import annotations

from collections.abc import Callable

from devloop.diagnostic import Diagnostic

KUSTOMIZATION = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n"


COMPONENT = "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n"


WEB = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: default
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - name: web
          image: example.org/web:1.0
          resources:
            requests: {cpu: 1m, memory: 1Mi}
            limits: {cpu: 1m, memory: 1Mi}
"""


FLUX = """\
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata:
  name: apps
  namespace: flux-system
spec:
  interval: 10m
  timeout: 1m
  prune: true
  wait: true
  path: ./apps
  sourceRef:
    kind: GitRepository
    name: flux-system
"""


MERGE = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: default}
spec:
  template:
    spec:
      containers:
        - name: web
          image: example.org/web:latest
"""


OPERATION = """\
[
 {"op": "add", "path": "/spec/template/spec/containers/0",
  "value": {"name": "web",
   "image": "web:latest"}}
]
"""


REPLACE = """\
- op: replace
  path: /spec/template/spec/containers/0/image
  value: example.org/web:latest
"""


Check = Callable[..., list[Diagnostic]]


def apps(text: str, base: str = "base/web.yaml") -> str:
    return f"{KUSTOMIZATION}resources: [{base}]\n{text}"


def locations(findings: list[Diagnostic]) -> list[str]:
    return [f"{finding.path}:{finding.line} {' '.join(map(str, finding.related))}".strip() for finding in findings]


IN_PATCH = "a patch for the object in apps/base/web.yaml:14"


INLINE = "".join(f"      {line}\n" for line in MERGE.splitlines())


INLINE_REPLACE = "".join(f"      {line}\n" for line in REPLACE.splitlines())


TARGET = "    target: {kind: Deployment, name: web}\n"
