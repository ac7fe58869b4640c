"""What is wrong with a ksail.yaml, by itself and beside its kind.yaml."""

from __future__ import annotations

import random

import pytest

from devloop.errors import InputError

from .complete import COMPLETE_G1, COMPLETE_G2, COMPLETE_G3
from .definitions import NEW, OLD, load, problems


@pytest.mark.parametrize(
    ("line", "message", "hint"),
    [
        # keys
        ("spec: {cluster: {cnii: Cilium}}", "unknown key spec.cluster.cnii", "did you mean cni?"),
        ("spec: {cluster: {CNI: Cilium}}", "unknown key spec.cluster.CNI", "did you mean spec.cluster.cni?"),
        ("spec: {cluster: {name: a}}", "unknown key spec.cluster.name", "did you mean metadata.name?"),
        ("spec: {workload: {cni: Cilium}}", "unknown key spec.workload.cni", "did you mean spec.cluster.cni?"),
        ("spec: {cluster: {timeout: 5m}}", "unknown key spec.cluster.timeout", "did you mean spec.cluster.connection.timeout?"),
        ("spec: {cluster: {}, foo: 1}", "unknown key spec.foo", "spec may have chat, cluster, editor, provider, workload"),
        ("specs: {}", "unknown key specs", "did you mean spec?"),
        ("foo: {}", "unknown key foo", "the file may have apiVersion, kind, metadata, spec"),
        ("metadata: {labels: {}}", "unknown key metadata.labels", "metadata may have name"),
        (
            "spec: {cluster: {autoscaler: {node: {pools: [{name: a}, {nam: b}]}}}}",
            "unknown key spec.cluster.autoscaler.node.pools[1].nam",
            "did you mean name?",
        ),
        (
            "spec: {cluster: {deploymentTool: Flux}}",
            "unknown key spec.cluster.deploymentTool",
            "KSail 5.16 and later calls it spec.cluster.gitOpsEngine",
        ),
        # words
        ("spec: {cluster: {cni: cilium}}", "spec.cluster.cni is 'cilium', allowed: Default, Cilium, Calico", "did you mean Cilium?"),
        (
            "spec: {cluster: {distribution: Kind}}",
            "spec.cluster.distribution is 'Kind', allowed: Vanilla, K3s, Talos, VCluster, KWOK, EKS, GKE, AKS",
            "did you mean Vanilla?",
        ),
        (
            "spec: {cluster: {csi: LocalPathStorage}}",
            "spec.cluster.csi is 'LocalPathStorage', allowed: Default, Enabled, Disabled",
            "did you mean Enabled?",
        ),
        ("spec: {cluster: {gitOpsEngine: Helm}}", "spec.cluster.gitOpsEngine is 'Helm', allowed: None, Flux, ArgoCD", ""),
        (
            "spec: {cluster: {sops: {enabled: AGE-SECRET-KEY-1X}}}",
            "spec.cluster.sops.enabled is a private key, allowed: Default, Enabled, Disabled",
            "",
        ),
        ("spec: {cluster: {cni: '${TOKEN}'}}", "spec.cluster.cni is '${TOKEN}', allowed: Default, Cilium, Calico", ""),
        # types
        ("spec: []", "spec must be a mapping, not a list", ""),
        ("metadata: local", "metadata must be a mapping, not text", ""),
        (
            "spec: {cluster: {kubernetesVersion: 1.30}}",
            "spec.cluster.kubernetesVersion must be text, not a number",
            'quote it: "1.30"',
        ),
        ("spec: {cluster: {workers: '3'}}", "spec.cluster.workers must be an integer, not text", "remove the quotes: 3"),
        (
            "spec: {cluster: {workers: '${N}'}}",
            "spec.cluster.workers must be an integer, not text",
            "variables are expanded in strings only",
        ),
        ("spec: {cluster: {workers: 1.5}}", "spec.cluster.workers must be an integer, not a number", ""),
        ("spec: {cluster: {workers: true}}", "spec.cluster.workers must be an integer, not true or false", ""),
        ("spec: {cluster: {cni: [Cilium]}}", "spec.cluster.cni must be one of Default, Cilium, Calico, not a list", ""),
        ("spec: {cluster: {certManager: 1}}", "spec.cluster.certManager must be one of Enabled, Disabled, not an integer", ""),
        ("spec: {workload: {validateOnPush: Enabled}}", "spec.workload.validateOnPush must be true or false, not text", ""),
        ("spec: {workload: {watch: {hooks: make}}}", "spec.workload.watch.hooks must be a list of texts, not text", ""),
        ("spec: {workload: {watch: {hooks: [make, {}]}}}", "spec.workload.watch.hooks[1] must be text, not a mapping", ""),
        ("spec: {cluster: {autoscaler: {node: {pools: {}}}}}", "spec.cluster.autoscaler.node.pools must be a list, not a mapping", ""),
        ("spec: {cluster: {connection: kind-a}}", "spec.cluster.connection must be a mapping, not text", ""),
        # constraints
        ("spec: {cluster: {workers: -1}}", "spec.cluster.workers is -1, the minimum is 0", ""),
        (
            "metadata: {name: Local}",
            "metadata.name is 'Local', it must be lower case letters, digits and dashes, a letter first",
            "",
        ),
        (f"metadata: {{name: {'a' * 64}}}", "metadata.name has 64 characters, at most 63 are allowed", ""),
        (
            "spec: {cluster: {connection: {timeout: 1d12h}}}",
            "spec.cluster.connection.timeout is '1d12h', it must be a duration like 90s, 10m or 1h30m",
            "",
        ),
        (
            "spec: {cluster: {connection: {timeout: 0s}}}",
            "spec.cluster.connection.timeout '0s' is not a duration",
            "use a format like 90s, 10m or 1h30m",
        ),
        ("spec: {cluster: {connection: {timeout: 999h}}}", "spec.cluster.connection.timeout is 999h, the maximum is one week", ""),
        # values that do not go together
        ("spec: {cluster: {distribution: EKS, provider: Docker}}", "spec.cluster.provider is Docker, but EKS runs on AWS", ""),
        (
            "spec: {cluster: {distribution: KWOK, provider: Hetzner}}",
            "spec.cluster.provider is Hetzner, but KWOK runs on Docker or Kubernetes",
            "",
        ),
        (
            "spec: {workload: {kustomizationFile: a/kustomization.yaml}}",
            "spec.workload.kustomizationFile is 'a/kustomization.yaml', but despite its name this field takes a folder",
            "write a",
        ),
        (
            "spec: {cluster: {connection: {context: kind-../x}}}",
            "spec.cluster.connection.context sets the cluster name to '../x'"
            ", which is invalid: use at most 63 lower case letters, digits, dashes and dots",
            "",
        ),
    ],
)
def test_problem(line: str, message: str, hint: str) -> None:
    assert problems(NEW + line + "\n", TOKEN="geheim") == [(f"ksail.yaml:3: {message}", hint)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            NEW + "spec:\n  connection: {context: a}\n  cluster: {}\n",
            "ksail.yaml:4: spec.connection belongs to KSail 2 and 3, but spec.cluster on line 5 makes this a KSail 5.16 and later file"
            " | use instead: spec.cluster.connection",
        ),
        (
            NEW + "spec:\n  cluster: {}\n  project: {}\n",
            "ksail.yaml:5: spec.project belongs to KSail 2 and 3, but spec.cluster on line 4 makes this a KSail 5.16 and later file"
            " | convert the whole file to KSail 5.16 and later",
        ),
        (
            NEW + "spec:\n  cni: Cilium\n",
            "ksail.yaml:4: spec.cni belongs to KSail 4 to 5.5, but apiVersion on line 1 makes this a KSail 5.16 and later file"
            " | use instead: spec.cluster.cni",
        ),
        (
            NEW + "spec:\n  distribution: Kind\n",
            "ksail.yaml:4: spec.distribution belongs to KSail 4 to 5.5, but apiVersion on line 1 makes this a KSail 5.16 and later file"
            " | use instead: spec.cluster.distribution",
        ),
        (
            OLD + "spec:\n  cluster: {}\n  sourceDirectory: k8s\n",
            "ksail.yaml:5: spec.sourceDirectory belongs to KSail 4 to 5.5, but spec.cluster on line 4 makes this a KSail 5.6 to 5.15 file"
            " | use instead: spec.workload.sourceDirectory",
        ),
        (
            OLD + "metadata: {name: a}\n",
            "ksail.yaml:3: metadata belongs to KSail 5.6 to 5.15, but apiVersion on line 1 makes this a KSail 4 to 5.5 file"
            " | convert the whole file to KSail 4 to 5.5",
        ),
        (
            NEW + "spec:\n  project: {}\n  chat: {}\n",
            "ksail.yaml:5: spec.chat belongs to KSail 5.16 and later, but spec.project on line 4 makes this a KSail 2 and 3 file"
            " | convert the whole file to KSail 2 and 3",
        ),
        (
            NEW + "spec:\n  project: {distribution: Vanilla}\n",
            "ksail.yaml:4: spec.project.distribution is 'Vanilla', allowed: Kind, K3d, Native, K3s | did you mean Kind?",
        ),
        (
            NEW + "spec:\n  project: {gitOpsEngine: Flux}\n",
            "ksail.yaml:4: unknown key spec.project.gitOpsEngine | KSail 2 and 3 calls it spec.project.deploymentTool",
        ),
        (
            OLD + "spec: {options: {kind: {a: b}}}\n",
            "ksail.yaml:3: spec.options.kind must be an empty mapping, not a mapping | ",
        ),
        ("kind: Cluster\nspec: {cluster: {}}\n", "ksail.yaml:1: apiVersion is missing | add apiVersion: ksail.io/v1alpha1"),
        ("apiVersion: ksail.io/v1alpha1\n", "ksail.yaml:1: kind is missing | add kind: Cluster"),
        (
            "apiVersion: ksail.io/v1\nkind: Cluster\n",
            "ksail.yaml:1: apiVersion is 'ksail.io/v1', allowed: ksail.io/v1alpha1 | did you mean ksail.io/v1alpha1?",
        ),
        (
            "apiVersion: kasil.io/v1alpha1\nkind: Cluster\n",
            "ksail.yaml:1: apiVersion is 'kasil.io/v1alpha1', allowed: ksail.io/v1alpha1 | did you mean ksail.io/v1alpha1?",
        ),
        ("apiVersion: ksail.io/v1alpha1\nkind: cluster\n", "ksail.yaml:2: kind is 'cluster', allowed: Cluster | did you mean Cluster?"),
        (NEW + "kind: Cluster\n", "ksail.yaml:3: key kind is duplicated, first on line 2 | keep one of them"),
    ],
)
def test_problem_of_generation(text: str, expected: str) -> None:
    [(message, hint)] = problems(text)
    assert f"{message} | {hint}" == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("apiVersion: apps/v1\nkind: Deployment\n", "1: this is an object of kind 'Deployment' (apiVersion 'apps/v1')"),
        ("kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\n", "2: this is a Kind configuration (apiVersion 'kind.x-k8s.io/v1alpha4')"),
        ("apiVersion: k3d.io/v1alpha5\nkind: Simple\n", "1: this is a k3d configuration (apiVersion 'k3d.io/v1alpha5')"),
        ("apiVersion: skaffold/v4beta11\nkind: Config\n", "1: this is a Skaffold configuration (apiVersion 'skaffold/v4beta11')"),
        (
            "apiVersion: fluxcd.controlplane.io/v1\nkind: FluxInstance\n",
            "1: this is a Flux Operator object (apiVersion 'fluxcd.controlplane.io/v1')",
        ),
        (
            "apiVersion: cluster.x-k8s.io/v1beta1\nkind: Cluster\n",
            "1: this is a Cluster API object (apiVersion 'cluster.x-k8s.io/v1beta1')",
        ),
        ("version: v1alpha1\nmachine: {}\n", "1: this is a Talos machine configuration"),
        ("services: {}\n", "1: this is a Compose file"),
        ("- a\n", "1: not a mapping, so not a KSail definition"),
        ("# hm\nhello\n", "2: not a mapping, so not a KSail definition"),
    ],
)
def test_a_file_of_another_tool(text: str, message: str) -> None:
    ending = "" if "mapping" in message else ", not a KSail definition"
    hint = "a KSail definition starts with `apiVersion: ksail.io/v1alpha1` and `kind: Cluster`"
    assert problems(text) == [(f"ksail.yaml:{message}{ending}", hint)]


def test_all_problems_of_both_files_at_once() -> None:
    found = problems(
        NEW + "spec:\n  cluster:\n    cni: Cilium\n    cni: Calico\n    workers: many\n  workload: {tagg: dev}\n",
        "nam: x\nnetworking:\n  podSubnet: ten\n",
    )
    assert [message for message, _ in found] == [
        "ksail.yaml:6: key cni is duplicated, first on line 5",
        "ksail.yaml:7: spec.cluster.workers must be an integer, not text",
        "ksail.yaml:8: unknown key spec.workload.tagg",
        "kind.yaml:3: unknown key nam",
        "kind.yaml:4: networking.disableDefaultCNI must be true, because ksail.yaml:5 selects Cilium",
        "kind.yaml:5: networking.podSubnet is 'ten', it must be a subnet like 10.244.0.0/16",
    ]


def test_the_error_as_a_whole_names_the_files() -> None:
    with pytest.raises(InputError, match=r"^2 problems in ksail\.yaml, kind\.yaml$"):
        load(NEW + "spec: {foo: 1}\n", "foo: 1\n")
    with pytest.raises(InputError, match=r"^ksail\.yaml:3: unknown key spec\.foo$") as caught:
        load(NEW + "spec: {foo: 1}\n")
    assert str(caught.value.hint) == "spec may have chat, cluster, editor, provider, workload"


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        (
            "spec: {cluster: {cni: Cilium}}\n",
            "networking: {disableDefaultCNI: false}\n",
            "kind.yaml:3: networking.disableDefaultCNI must be true, because ksail.yaml:3 selects Cilium",
        ),
        (
            "spec: {cluster: {cni: Cilium}}\n",
            "",
            "kind.yaml: networking.disableDefaultCNI must be true, because ksail.yaml:3 selects Cilium",
        ),
        (
            "spec: {cluster: {cni: Default}}\n",
            "networking: {disableDefaultCNI: true}\n",
            "kind.yaml:3: networking.disableDefaultCNI is true, but spec.cluster.cni in ksail.yaml is Default, "
            "so the cluster would have no network",
        ),
        (
            "metadata: {name: a}\nspec: {project: {}}\n",
            "name: b\n",
            "ksail.yaml:3: metadata.name is 'a', but kind.yaml:3 sets the cluster name to 'b'",
        ),
        (
            "",
            "name: '..'\n",
            "kind.yaml:3: name sets the cluster name to '..', which is invalid: use at most 63 lower case letters, digits, dashes and dots",
        ),
    ],
)
def test_files_that_do_not_fit_each_other(text: str, kind: str, message: str) -> None:
    assert [found for found, _ in problems(NEW + text, kind)] == [message]


def test_what_a_variable_holds_stays_out_of_messages_and_the_definition() -> None:
    text = NEW + "spec: {cluster: {localRegistry: {registry: 'me:${TOKEN}@ghcr.io/a/b'}, connection: {timeout: '${TOKEN}'}}}\n"
    assert "geheim" not in str(problems(text, TOKEN="geheim"))
    assert "geheim" not in repr(load(text.replace("timeout: '${TOKEN}'", ""), TOKEN="geheim"))


@pytest.mark.parametrize("seed", range(60))
def test_whatever_happens_to_a_file_it_loads_or_is_refused_with_a_line(seed: int) -> None:
    dice = random.Random(seed)
    text = dice.choice([COMPLETE_G1, COMPLETE_G2, COMPLETE_G3])
    for _ in range(dice.randint(1, 6)):
        place, length = dice.randrange(len(text)), dice.randint(0, 12)
        text = (
            text[:place]
            + dice.choice(["", "\n", "~", "[]", "{}", ": ", "- ", "'", "${X", "${X}", "*a", "&a ", "\t", "\x7f", "9", "é"])
            + text[place + length :]
        )
    try:
        definition = load(text)
    except InputError as error:
        assert error.problems
        assert all(problem.path == "ksail.yaml" and problem.message for problem in error.problems)
    else:
        assert definition.name
