"""A fault for each rule about single objects: schemas, pods and policies."""

from __future__ import annotations

from .planting import BASES, STOREFRONT, WEB, Plant, added, both, edit, edited, new

WORKER = f"{STOREFRONT}/deployment-worker.yaml"
QUOTA = f"{BASES}/components/isolated-namespace/resource-quota.yaml"
POLICY = f"{BASES}/infrastructure/policies/validating-admission-policy.yaml"
BINDING = f"{BASES}/infrastructure/policies/validating-admission-policy-binding.yaml"


def config_map(name: str = "more", data: str = "{}") -> str:
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\ndata: {data}\n"


def policy_rule(kind: str, expression: str) -> str:
    """About every Deployment."""
    return f"""\
apiVersion: devloop.dev/v1alpha1
kind: PolicyRule
ruleName: planted
ruleType: {kind}
targetResources:
  - apiGroups: [apps]
    kinds: [Deployment]
constraints:
  - expression: '{expression}'
    message: planted
enforcement: enforce
"""


no_default = edit(f"{BASES}/components/isolated-namespace/limit-range.yaml", r"^      (default|defaultRequest|max):\n.*\n.*\n", "")
no_limits = edit(WEB, r"^ +limits:\n.*\n.*\n", "")

PLANTS: dict[str, Plant] = {
    "schema/unknown-field": edited(WEB, "  replicas: 2", "  replica: 2"),
    "schema/wrong-type": edited(WEB, "  replicas: 2", "  replicas: two"),
    "schema/missing-field": edited(WEB, r"^  selector:\n(    .*\n)+", "", at="spec:"),
    "schema/invalid-value": edited(WEB, "containerPort: 8080", "containerPort: 80808"),
    "schema/duplicate-item": edited(WEB, r"^( +)- name: http$", r"\1- containerPort: 8080\n\g<0>", at="- name: http"),
    "schema/removed-api": edited(f"{STOREFRONT}/pod-disruption-budget.yaml", "policy/v1", "policy/v1beta1"),
    "schema/deprecated-api": added("endpoints.yaml", "apiVersion: v1\nkind: Endpoints\nmetadata:\n  name: shop\n", at="apiVersion"),
    "schema/unknown-kind": added("shelf.yaml", "apiVersion: shop.example/v1\nkind: Shelf\nmetadata:\n  name: novels\n", at="kind"),
    "naming/invalid": edited(f"{STOREFRONT}/service-account.yaml", "name: storefront", "name: Storefront"),
    "naming/data-key": added("more.yaml", config_map(data="\n  a/b: c"), at="a/b"),
    "naming/convention": added("more.yaml", config_map("more.or.less"), at="name"),
    "labels/syntax": edited(WEB, "component: web\nspec", "component: web-\nspec", at="component: web-"),
    "labels/selector": edited(WEB, "(matchLabels:\n.*\n.*component: )web", r"\1site", at="component: site"),
    "labels/required": Plant(
        new("devloop.yaml", "labels:\n  required: [app.kubernetes.io/version]\n  kinds: [PodDisruptionBudget]\n"),
        f"{STOREFRONT}/pod-disruption-budget.yaml",
        "  labels:",
    ),
    "resources/invalid-quantity": edited(WEB, "cpu: 200m", "cpu: 200 milli"),
    "resources/request-above-limit": edited(WEB, "cpu: 10m", "cpu: 300m"),
    "resources/limit-range": edited(WEB, "memory: 64Mi", "memory: 1Gi"),
    "resources/quota": Plant(both(no_default, no_limits), WEB, at="resources:"),
    "resources/quota-exceeded": edited(QUOTA, 'requests.cpu: "1"', "requests.cpu: 15m", at="hard:"),
    "resources/requests": Plant(both(no_default, edit(WEB, r"^ +requests:\n.*\n.*\n", ""), no_limits), WEB, at="resources:"),
    "resources/limits": Plant(both(no_default, no_limits), WEB, at="resources:"),
    "images/latest": edited(WEB, "sample:0.1.0", "sample:latest"),
    "images/malformed": edited(WEB, "image: .*", "image: https://registry.example/sample:0.1.0"),
    "images/several-versions": edited(WORKER, "sample:0.1.0", "sample:0.2.0"),
    "policy/violated": Plant(edit("k8s/clusters/prod/apps/kustomization.yaml", "count: .*", "count: 1"), WEB, at="apiVersion"),
    "policy/missing-object": Plant(
        new(
            "policies/planted.yaml",
            policy_rule(
                "generation",
                '{"apiVersion": "v1", "kind": "ConfigMap", "namespace": string(object.metadata.namespace), "name": "absent"}',
            ),
        ),
        WEB,
        at="apiVersion",
    ),
    "policy/would-change": Plant(
        new(
            "policies/planted.yaml",
            policy_rule("mutation", '[JSONPatch{op: "add", path: "/spec/revisionHistoryLimit", value: 2}]'),
        ),
        WEB,
        at="apiVersion",
    ),
    "policy/invalid": edited(POLICY, "variables.containers.all", "variables.container.all"),
    "policy/unbound": edited(BINDING, "policyName: workload-standards", "policyName: workload-standard"),
    "policy/skipped": Plant(
        edit(POLICY, r"^ +has\(object.metadata.labels\)", "        request.userInfo.username == 'flux' && has(object.metadata.labels)"),
        POLICY,
        at="apiVersion",
    ),
}
