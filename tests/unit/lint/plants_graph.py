"""A fault for each rule about relations: graph, variables, layers, the platform as a whole."""

from __future__ import annotations

import shutil

from .planting import BASES, STOREFRONT, SYNC, Plant, added, both, edit, edited, listed, new
from .plants_files import PLAIN

APPS = f"{BASES}/sync/apps.yaml"
REPORT = f"{STOREFRONT}/cron-job-report.yaml"
INFRASTRUCTURE = f"{BASES}/infrastructure"
RELEASE = f"{BASES}/apps/catalogue/helm-release.yaml"
AGAIN = """\
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata:
  name: apps
  namespace: flux-system
spec:
  path: ./k8s/bases/apps
  sourceRef:
    kind: GitRepository
    name: flux-system
"""
TEAM = AGAIN.replace("apps", "web")
NAMESPACE = "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: storefront\n"
ALERTS = "apiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\nmetadata:\n  name: a\n  namespace: monitoring\n"
VARIABLES = f"{BASES}/variables/config-map.yaml"

PLANTS: dict[str, Plant] = {
    "graph/path-missing": edited(APPS, "cluster-name/apps", "cluster-name/aps"),
    "graph/path-outside": edited(APPS, r"\./k8s/clusters/cluster-name/apps", "../k8s/clusters/prod/apps"),
    "graph/dependency-missing": edited(APPS, "- name: infrastructure$", "- name: infrastucture"),
    "graph/dependency-cycle": Plant(
        edit(f"{BASES}/sync/variables.yaml", "^spec:\n", "spec:\n  dependsOn:\n    - name: apps\n"), APPS, at="- name: infrastructure"
    ),
    "graph/rendered-twice": Plant(listed(INFRASTRUCTURE, "apps.yaml", AGAIN), APPS, at="apiVersion"),
    "graph/two-owners": added("namespace.yaml", NAMESPACE, at="apiVersion", folder=INFRASTRUCTURE),
    "graph/definition-missing": added("rule.yaml", ALERTS, at="kind", folder=INFRASTRUCTURE),
    "graph/namespace-missing": Plant(edit(f"{STOREFRONT}/kustomization.yaml", r"^  - namespace.yaml\n", ""), REPORT, at="metadata"),
    "graph/service-account-missing": Plant(
        edit(f"{STOREFRONT}/kustomization.yaml", r"^  - service-account.yaml\n", ""), REPORT, at="serviceAccountName"
    ),
    "graph/variables-missing": edited(SYNC, "name: variables-distribution", "name: variables-distributions"),
    "graph/source-missing": edited(RELEASE, r"name: flux-system(\n *namespace)", r"name: gone\1", at="name: gone"),
    "graph/values-missing": edited(
        RELEASE, "^  values:", "  valuesFrom:\n    - kind: ConfigMap\n      name: gone\n  values:", at="name: gone"
    ),
    "graph/key-elsewhere": edited(SYNC, "name: sops-age", "name: sops-keys"),
    "graph/long-timeout": edited(SYNC, "timeout: 5m", "timeout: 1h"),
    "graph/no-prune": edited(SYNC, "prune: true", "prune: false"),
    "graph/unreached": Plant(new("k8s/teams/web/all.yaml", TEAM), "k8s/teams/web/all.yaml", at="kind: Kustomization"),
    "graph/health-check-missing": edited(APPS, r"apps/v1(\n.*\n.*storefront-worker)", r"batch/v1\1", at="batch/v1"),
    "graph/no-wait": edited(f"{BASES}/sync/infrastructure.yaml", "wait: true", "wait: false", at="apiVersion"),
    "substitution/undefined": Plant(edit(VARIABLES, "  report_schedule: .*\n", ""), REPORT, at="${report_schedule}"),
    "substitution/default-hides": Plant(
        both(
            edit(REPORT, r"\$\{report_schedule\}", "${report_in_prod:=0 3 * * *}"),
            edit("k8s/clusters/prod/variables/config-map.yaml", "^data:\n", "data:\n  report_in_prod: 0 4 * * *\n"),
        ),
        REPORT,
        at="${report_in_prod",
    ),
    "substitution/unused": edited(VARIABLES, "^data:\n", "data:\n  colour: blue\n", at="colour"),
    "layers/base": edited(
        f"{STOREFRONT}/kustomization.yaml", "^resources:\n", "resources:\n  - ../../../clusters/dev/cluster.yaml\n", at="dev"
    ),
    "layers/distribution": edited("k8s/distributions/talos/apps/kustomization.yaml", "  - ../../../bases/apps", "  - ../../kind/apps"),
    "layers/cluster": edited("k8s/clusters/prod/apps/kustomization.yaml", "  - storefront", "  - ../../dev/apps/storefront"),
    "layers/unreachable": Plant(
        new("k8s/bases/old/kustomization.yaml", "resources: []\n"), "k8s/bases/old/kustomization.yaml", at="resources"
    ),
    "constitution/gitops-first": edited(REPORT, "- report$", "- kubectl scale deployment storefront-web", at="- name: report"),
    "constitution/sops": Plant(
        lambda root: [(root / ".sops.yaml").unlink(), *[path.write_text(PLAIN) for path in root.rglob("*.enc.yaml")]],
        "k8s/clusters/local/variables/secret.enc.yaml",
        at="apiVersion",
    ),
    "constitution/declarative": edited(
        f"{INFRASTRUCTURE}/monitoring/config-map-alert-rules.yaml", "^data:\n", "data:\n  run.sh: |\n    #!/bin/sh\n    true\n", at="run.sh"
    ),
    "constitution/monitoring": Plant(
        edit(f"{INFRASTRUCTURE}/kustomization.yaml", "^  - monitoring\n", ""), "clusters/prod/ksail.yaml", at="# The prod"
    ),
    "constitution/policies": Plant(
        both(
            edit(f"{INFRASTRUCTURE}/kustomization.yaml", "^  - policies\n", ""),
            edit("k8s/clusters/local/infrastructure/kustomization.yaml", r"^patches:\n[^\0]*", ""),
            lambda root: shutil.rmtree(root / "policies"),
        ),
        "clusters/prod/ksail.yaml",
        at="# The prod",
    ),
}
