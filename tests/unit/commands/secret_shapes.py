"""Folders of a repository with a canary in every shape that the value of a secret can have."""

from __future__ import annotations

import base64
import json

CANARY = "canary-Zq81vT"
ENCODED = base64.b64encode(CANARY.encode()).decode()
META = "metadata: {name: db, namespace: default}\n"
ODD = "metadata: {name: A_, namespace: default}\n"
SECRET = f"apiVersion: v1\nkind: Secret\n{META}"
PLAIN = f"{SECRET}stringData: {{user: x}}\n"
CLEAR = f"{SECRET}stringData:\n  password: {CANARY}\n---\n"
CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c, namespace: default}\n"
POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: A_, namespace: default}\nspec:\n  containers:\n  - name: a\n    image: b:1\n"


def copied(path: str, kind: str) -> str:
    """A kustomization file that copies the password of the Secret."""
    return (
        "resources: [a.yaml]\nreplacements:\n- source: {kind: Secret, name: db, fieldPath: stringData.password}\n"
        f"  targets:\n  - select: {{kind: {kind}}}\n    fieldPaths: [{path}]\n    options: {{create: true}}\n"
    )


def patched(text: str, target: str = "kind: Secret") -> str:
    lines = "".join(f"    {line}\n" for line in text.splitlines())
    return f"resources: [a.yaml]\npatches:\n- target: {{{target}}}\n  patch: |\n{lines}"


def chart(name: str, template: str, spec: str, **more: str) -> dict[str, str]:
    """A HelmRelease and its chart, in the folder `name`."""
    release = (
        f"apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {{name: {name}, namespace: default}}\nspec:\n  interval: 5m\n"
    )
    source = "{kind: GitRepository, name: flux-system, namespace: flux-system}"
    release += f"  chart: {{spec: {{chart: ./{name}/chart, sourceRef: {source}}}}}\n{spec}"
    files = {"chart/Chart.yaml": "apiVersion: v2\nname: tiny\nversion: 0.1.0\n", "chart/templates/a.yaml": template, "a.yaml": release}
    return files | {"kustomization.yaml": "resources: [a.yaml]\n"} | more


def values(name: str) -> str:
    """HelmRelease values from a Secret in clear."""
    secret = (
        f"apiVersion: v1\nkind: Secret\nmetadata: {{name: {name}, namespace: default}}\nstringData:\n  values.yaml: |\n    auth: {CANARY}\n"
    )
    return f"  valuesFrom: [{{kind: Secret, name: {name}}}]\n---\n{secret}"


FAIL = '{{ fail (printf "bad %v" .Values.auth) }}\n'
STRICT = json.dumps({"properties": {"auth": {"type": "integer"}, "password": {"pattern": "^x$"}}})
JSON_PATCH = json.dumps(
    [{"op": "add", "path": "/stringData/password", "value": CANARY}, {"op": "replace", "path": "/metadata/name", "value": "A_"}]
)

IN_JSON = {"data": {"password": ENCODED}, "metadata": {"name": "A_"}, "apiVersion": "v1"}

PATCHES = {
    "patch-file": {
        "a.yaml": PLAIN,
        "p.json": JSON_PATCH,
        "kustomization.yaml": "resources: [a.yaml]\npatches: [{path: p.json, target: {kind: Secret}}]\n",
    },
    "patch-6902": {
        "a.yaml": PLAIN,
        "p.yaml": f"- op: add\n  path: /data/password\n  value: {ENCODED}\n- op: remove\n  path: /data/gone\n",
        "kustomization.yaml": "resources: [a.yaml]\npatchesJson6902: [{path: p.yaml, target: {version: v1, kind: Secret, name: db}}]\n",
    },
    "patch-test": {
        "a.yaml": CLEAR,
        "kustomization.yaml": patched(f"- op: test\n  path: /stringData/password\n  value: x{CANARY}"),
    },
    "patch-first": {
        "a.yaml": PLAIN,
        "kustomization.yaml": patched(f"- value: {CANARY}\n  op: replace\n  path: /stringData/a/b\n- op: nonsense", "name: db"),
    },
    "patch-whole": {
        "a.yaml": PLAIN,
        "kustomization.yaml": patched(f"- {{op: replace, path: /stringData, value: {{a: {CANARY}, b: [{CANARY}]}}}}"),
    },
    "patch-merge": {
        "a.yaml": PLAIN,
        "kustomization.yaml": "resources: [a.yaml]\npatchesStrategicMerge:\n- |-\n  stringData:\n"
        f"    password: {CANARY}\n  apiVersion: v1\n  kind: Secret\n  metadata: {{name: gone}}\n",
    },
}
MESSAGES = {
    "types": {"a.yaml": f"{SECRET}stringData:\n  list: [{CANARY}]\n  map: {{x: {CANARY}}}\n"},
    "twice": {"a.yaml": f"{SECRET}stringData:\n  password: {CANARY}\n  password: {CANARY}\n"},
    "tab": {"a.yaml": f"{SECRET}stringData:\n  password: {CANARY}\n\tother: {CANARY}\n"},
    "alias": {"a.yaml": f"{SECRET}stringData:\n  password: *{CANARY}\n"},
    "character": {"a.yaml": f'{SECRET}stringData:\n  password: "{CANARY}\\u0093"\n'},
    "base64": {"a.yaml": f"{SECRET}data:\n  password: {CANARY}!\n"},
    "lines": {
        "kustomization.yaml": "secretGenerator:\n- name: gen\n  envs: [a.env]\n",
        "a.env": f"export PASSWORD={CANARY}\nBAD {CANARY}\n",
    },
    "key-file": {"kustomization.yaml": f'secretGenerator:\n- name: gen\n  files: ["{CANARY}=x=y"]\n'},
}
COPIES = {
    "copy-label": {
        "a.yaml": CLEAR.replace(CANARY, f"'{CANARY} @'") + CONFIG,
        "kustomization.yaml": copied("metadata.labels.x", "ConfigMap"),
    },
    "copy-data": {"a.yaml": CLEAR + CONFIG, "kustomization.yaml": copied("data.x", "ConfigMap")},
    "copy-image": {"a.yaml": CLEAR + POD, "kustomization.yaml": copied("spec.containers.0.image", "Pod")},
    "copy-number": {"a.yaml": CLEAR + POD, "kustomization.yaml": copied("spec.priority", "Pod")},
}
DOCUMENTS = {
    "quoted": {"a.yaml": f'"stringData":\n  "password": "{CANARY}"\n"kind": "Secret"\n"apiVersion": "v1"\n"metadata": {{"name": "A_"}}\n'},
    "complex": {"a.yaml": f"? kind\n: Secret\napiVersion: v1\n{ODD}? data\n: password: {ENCODED}\n"},
    "tagged": {"a.yaml": f"kind: !!str Secret\napiVersion: v1\n{ODD}data: !!map\n  password: !!str {ENCODED}\n"},
    "anchored": {"a.yaml": f"kind: &k Secret\napiVersion: v1\n{ODD}x-y: &p {CANARY}\nstringData: {{a: *p}}\n"},
    "inherited": {"a.yaml": f"x-y: &x {{a: {CANARY}}}\nkind: Secret\napiVersion: v1\n{ODD}stringData:\n  <<: *x\n"},
    "flow": {"a.yaml": f"{{kind: Secret, apiVersion: v1,\n {ODD.strip()},\n data:\n  {{password:\n    {ENCODED}}}}}\n"},
    "block": {
        "a.yaml": f"apiVersion: v1\nkind: Secret\n{ODD}stringData:\n  a: |\n    pw: {CANARY}\n  b: >-\n    {CANARY}\n  c: x\n    {CANARY}\n"
    },
    "comment": {
        "a.yaml": f"# it was {CANARY}\napiVersion: v1\nkind: Secret\n# password: {CANARY}\n{ODD}stringData: {{user: x}} # {CANARY}\n"
    },
    "items": {
        "a.yaml": f"kind: List\napiVersion: v1\nitems:\n- data: {{password: {ENCODED}}}\n"
        f"  metadata: {{name: A_}}\n  apiVersion: v1\n  kind: Secret\n"
    },
    "one-line": {"a.json": json.dumps({"kind": "Secret"} | IN_JSON)},
    "sorted": {
        "a.json": json.dumps({"data": {"password": ENCODED}, "metadata": {"name": "A_"}, "kind": "Secret", "apiVersion": "v1"}, indent=2)
    },
}
RELEASES = {
    "from-fails": chart("from-fails", FAIL, values("from-fails")),
    "from-schema": chart("from-schema", CONFIG, values("from-schema"), **{"chart/values.schema.json": STRICT}),
    "from-name": chart("from-name", CONFIG.replace("name: c", 'name: "{{ .Values.auth }}"'), values("from-name")),
    "from-broken": chart("from-broken", CONFIG, values("from-broken").replace(f"auth: {CANARY}", f"{CANARY}: [")),
}
# Values by the name of their key alone: hidden in findings, and part of the objects that Flux applies.
IN_OBJECTS = {
    "named-fails": chart("named-fails", "{{ fail .Values.db.password }}\n", f"  values: {{db: {{password: {CANARY}}}}}\n"),
    "named-schema": chart("named-schema", CONFIG, f"  values: {{password: {CANARY}}}\n", **{"chart/values.schema.json": STRICT}),
    "arguments": {"a.yaml": f"{POD}    args: [--password={CANARY}]\n    env: [{{name: API_TOKEN, value: {CANARY}, bad: x}}]\n"},
}
FOLDERS = PATCHES | MESSAGES | COPIES | DOCUMENTS | RELEASES
