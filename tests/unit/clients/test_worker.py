"""The build worker itself: that it builds as Flux does, keeps secrets, says in plain words what is wrong, and survives its own death."""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from devloop.clients.sops import encrypt, new_key_pair
from devloop.clients.worker import Worker, WorkerDied
from devloop.errors import DevloopError

GOLDENS = Path(__file__).parents[4] / "shared/cases/flux-goldens"
KUSTOMIZATION = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n"
COMPONENT = "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n"
SETTINGS = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\n  namespace: default\ndata:\n  colour: blue\n"
PLAIN = "hunter2-and-more"

Build = Callable[..., dict[str, Any]]
Start = Callable[..., Build]


@pytest.fixture
def start(worker_program: Path, tmp_path: Path) -> Iterator[Start]:
    """Starts a worker for a folder; the result builds ./apps of it, or whatever `spec` says, and gives the worker's result."""
    workers: list[Worker] = []

    def start(root: Path, identities: str = "") -> Build:
        workers.append(Worker(worker_program, root, identities))

        def build(name: str = "apps", body: Mapping[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
            question = {
                "scope": "local",
                "base": ".",
                "namespace": "flux-system",
                "name": name,
                "object": body or kustomization(name, **spec),
            }
            [answer] = workers[-1].ask_all([{"build": question}])
            result: dict[str, Any] = answer["result"]
            return result

        return build

    yield start
    for worker in workers:
        worker.close()


def kustomization(name: str, **spec: Any) -> dict[str, Any]:
    metadata = {"namespace": "flux-system", "name": name}
    return {
        "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
        "kind": "Kustomization",
        "metadata": metadata,
        "spec": {"path": "./apps"} | spec,
    }


def write(root: Path, files: Mapping[str, str | bytes]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return root


def bodies(result: Mapping[str, Any]) -> list[dict[str, Any]]:
    assert "failure" not in result, result["failure"]
    return [built["body"] for built in result["objects"]]


# -- as Flux builds ---------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def goldens(tmp_path: Path) -> Path:
    if not GOLDENS.is_dir():
        pytest.skip("../shared/cases is not here")
    return Path(shutil.copytree(GOLDENS, tmp_path / "goldens"))


def documents(path: Path) -> list[dict[str, Any]]:
    return [each for each in yaml.safe_load_all(path.read_text().replace("{{ .fluxns }}", "flux-system")) if each]


def owned(objects: list[dict[str, Any]], name: str, namespace: str = "flux-system") -> list[dict[str, Any]]:
    """With the labels that kustomize-controller adds when it applies."""
    for each in objects:
        labels = each["metadata"].setdefault("labels", {})
        labels |= {"kustomize.toolkit.fluxcd.io/name": name, "kustomize.toolkit.fluxcd.io/namespace": namespace}
    return objects


@pytest.mark.parametrize(
    ("folder", "golden", "extra"),
    [
        ("podinfo", "podinfo", {"decryption": {"provider": "sops"}}),
        ("delete-service", "podinfo-without-service", {}),
        ("var-substitution", "podinfo-with-var-substitution", {}),
        ("ignore", "podinfo-with-ignore", {}),
    ],
)
def test_flux_build_kustomization_gives_the_same(start: Start, goldens: Path, folder: str, golden: str, extra: dict[str, Any]) -> None:
    root = goldens / "flux2-build-kustomization"
    (root / "ignore/.sourceignore").write_text("/*\n!/configmap.yaml\n!/secret.yaml\n")  # as the options of that test say
    [given] = documents(root / "podinfo-kustomization.yaml")
    given["spec"] |= {"path": folder} | extra
    assert owned(bodies(start(root)("podinfo", given)), "podinfo") == documents(root / f"{golden}-result.yaml")


def test_flux_build_kustomization_gives_the_same_recursively(start: Start, goldens: Path) -> None:
    root = goldens / "flux2-build-kustomization"
    [given] = documents(root / "podinfo-kustomization.yaml")
    given["spec"] |= {"path": "podinfo-with-my-app"}
    build = start(root)
    parents = bodies(build("podinfo", given))
    children = bodies(build("my-app", parents[0]))
    expected = documents(root / "podinfo-with-my-app-result.yaml")
    assert owned(parents, "podinfo") + owned(children, "my-app", "default") == expected


def test_flux_build_library_gives_the_same(start: Start, goldens: Path) -> None:
    root = goldens / "pkg-kustomize"
    (root / "resources/.sourceignore").unlink()  # the library's test overrides it
    [given] = documents(root / "kustomization.yaml")
    given["spec"]["path"] = "resources"
    assert bodies(start(root)("app", given)) == documents(root / "kustomization_expected.yaml")


def test_flux_build_library_gives_the_same_without_what_source_controller_leaves_out(start: Start, goldens: Path) -> None:
    root = goldens / "pkg-kustomize"
    with (root / "resources/.sourceignore").open("a") as ignored:
        ignored.write("!config.yaml\n")  # what the library's test adds to "/*"
    [given] = documents(root / "kustomization.yaml")
    given["spec"]["path"] = "resources"
    assert bodies(start(root)("app", given)) == documents(root / "kustomization_with_ignore_expected.yaml")


def test_flux_build_library_gives_the_same_with_variables(start: Start, goldens: Path) -> None:
    root = goldens / "pkg-kustomize"
    (root / "resources/.sourceignore").unlink()
    write(root, {"vars/configmap.yaml": (root / "configmap.yaml").read_text()})
    [given] = documents(root / "kustomization_varsub.yaml")
    given["spec"]["path"] = "resources"
    build = start(root)
    build("vars", path="./vars")
    assert bodies(build("app", given)) == documents(root / "kustomization_varsub_expected.yaml")


def test_a_folder_without_kustomization_is_built_without_what_source_controller_leaves_out(start: Start, tmp_path: Path) -> None:
    files = {"settings.yaml": SETTINGS, ".sops.yaml": "creation_rules: []", "drafts/x.yaml": "a: [", ".sourceignore": "drafts/\n.sops.yaml"}
    result = start(write(tmp_path / "repo", {f"apps/{name}": text for name, text in files.items()}))()
    assert [built["origin"] for built in result["objects"]] == ["apps/settings.yaml"]
    assert result["files"] == ["apps/settings.yaml"]


def test_odd_names_redefined_anchors_and_plain_equals_signs_are_fine(start: Start, tmp_path: Path) -> None:
    data = "  a: &x one\n  b: &x two\n  c: *x\n  '=': =\n"
    root = write(tmp_path / "re+po (old)", {"apps/settings+more.yaml": SETTINGS + data})
    assert bodies(start(root)())[0]["data"] == {"colour": "blue", "a": "one", "b": "two", "c": "two", "=": "="}


def test_origins_are_known_through_bases_components_and_generators(start: Start, tmp_path: Path) -> None:
    root = write(
        tmp_path / "repo",
        {
            "apps/kustomization.yaml": KUSTOMIZATION + "resources: [../base]\ncomponents: [../extra]\n",
            "base/kustomization.yaml": KUSTOMIZATION + "resources: [settings.yaml]\n",
            "base/settings.yaml": SETTINGS,
            "extra/kustomization.yaml": COMPONENT + "configMapGenerator:\n- name: made\n  literals: [a=b]\n",
        },
    )
    built = start(root)()["objects"]
    assert [each["origin"] for each in built] == ["base/settings.yaml", "extra/kustomization.yaml"]
    assert all("annotations" not in each["body"]["metadata"] for each in built)


def test_the_repository_is_never_written_to(start: Start, tmp_path: Path) -> None:
    root = write(tmp_path / "repo", {"apps/settings.yaml": SETTINGS, "more/kustomization.yaml": KUSTOMIZATION + "namePrefix: a-\n"})
    before = {path: path.stat().st_mtime_ns for path in (root, *root.rglob("*"))}
    build = start(root)
    build()
    build(path="./more")
    assert {path: path.stat().st_mtime_ns for path in (root, *root.rglob("*"))} == before


def test_a_sourceignore_replaces_what_is_excluded_by_default(start: Start, tmp_path: Path) -> None:
    """Then .sops.yaml is a manifest like any other, in Flux too."""
    root = write(tmp_path / "repo", {"apps/settings.yaml": SETTINGS, "apps/.sops.yaml": "creation_rules: []", "docs/.sourceignore": "x"})
    assert start(root)()["failure"]["message"] == ".sops.yaml holds no Kubernetes object"


def test_a_link_to_outside_the_source_is_refused(start: Start, tmp_path: Path) -> None:
    root = write(tmp_path / "repo", {"apps/kustomization.yaml": KUSTOMIZATION + "resources: [passwd.yaml]\n"})
    (root / "apps/passwd.yaml").symlink_to("/etc/passwd")
    failure = start(root)()["failure"]
    assert (failure["kind"], failure["message"]) == ("build", "apps/passwd.yaml is a symbolic link, which Flux leaves out of a source")


def test_an_object_that_is_too_deep_for_readers_of_the_answer_is_none(start: Start, tmp_path: Path) -> None:
    def deep(levels: int) -> Path:
        note = "[" * levels + "]" * levels
        return write(tmp_path / str(levels), {"apps/a.yaml": f"{SETTINGS}extra: {note}\n"})

    assert start(deep(199))()["objects"]
    failure = start(deep(200))()["failure"]
    assert (failure["kind"], failure["path"]) == ("unknown", "apps/a.yaml")
    assert failure["message"] == "ConfigMap/default/settings is nested more than 200 levels deep"


def test_an_answer_that_cannot_be_read_is_the_end_of_the_worker(tmp_path: Path) -> None:
    (tmp_path / "worker").write_text("#!/bin/sh\nwhile read line; do echo nonsense; done\n")
    (tmp_path / "worker").chmod(0o755)
    with Worker(tmp_path / "worker", tmp_path) as worker:
        assert worker.ask_all([{"build": {}}])[0]["failure"]["kind"] == "crash"


def test_what_is_remote_is_left_out_and_named(start: Start, tmp_path: Path) -> None:
    remote = ["https://example.com/x.yaml", "github.com/example/base?ref=v1"]
    listed = "".join(f"- {each}\n" for each in remote)
    root = write(tmp_path / "repo", {"apps/kustomization.yaml": KUSTOMIZATION + f"resources:\n- a.yaml\n{listed}", "apps/a.yaml": SETTINGS})
    result = start(root)()
    assert (len(bodies(result)), [(each["name"], each["line"]) for each in result["remote"]]) == (1, [(remote[0], 5), (remote[1], 6)])


def test_a_patch_for_something_remote_is_no_mistake(start: Start, tmp_path: Path) -> None:
    patch = "patches:\n- patch: |\n    {apiVersion: v1, kind: ConfigMap, metadata: {name: far}}\n"
    root = write(tmp_path / "repo", {"apps/kustomization.yaml": KUSTOMIZATION + "resources: ['https://example.com/x.yaml']\n" + patch})
    assert start(root)()["failure"]["kind"] == "remote"


# -- plain words ------------------------------------------------------------------------------------------------------------------------

FAULTS: dict[str, tuple[dict[str, str], str]] = {
    "a file that is not there": (
        {"kustomization.yaml": "resources:\n- gone.yaml\n"},
        "apps/kustomization.yaml:4: gone.yaml does not exist",
    ),
    "a folder that is not there": (
        {"kustomization.yaml": "resources:\n- ../gone/\n"},
        "apps/kustomization.yaml:4: gone does not exist",
    ),
    "deep inside": (
        {"kustomization.yaml": "resources:\n- in\n", "in/kustomization.yaml": KUSTOMIZATION + "resources:\n- gone.yaml\n"},
        "apps/in/kustomization.yaml:4: gone.yaml does not exist",
    ),
    "inside a component": (
        {"kustomization.yaml": "components:\n- in\n", "in/kustomization.yaml": COMPONENT + "resources:\n- gone.yaml\n"},
        "apps/in/kustomization.yaml:4: gone.yaml does not exist",
    ),
    "a generator's file": (
        {"kustomization.yaml": "configMapGenerator:\n- name: a\n  files:\n  - conf/x.conf\n"},
        "apps/kustomization.yaml:6: conf/x.conf does not exist",
    ),
    "a folder without kustomization.yaml": (
        {"kustomization.yaml": "resources:\n- in\n", "in/a.yaml": SETTINGS},
        "apps/kustomization.yaml:4: apps/in has no kustomization.yaml",
    ),
    "a component among the resources": (
        {"kustomization.yaml": "resources:\n- in\n", "in/kustomization.yaml": COMPONENT + "namePrefix: a-\n"},
        "apps/kustomization.yaml:4: in is a component",
    ),
    "one object twice": (
        {"kustomization.yaml": "resources:\n- a.yaml\n- b.yaml\n", "a.yaml": SETTINGS, "b.yaml": SETTINGS},
        "apps/kustomization.yaml:5: ConfigMap/default/settings is there twice",
    ),
    "a patch for nothing": (
        {
            "kustomization.yaml": "resources: [a.yaml]\npatches:\n- path: p.yaml\n",
            "a.yaml": SETTINGS,
            "p.yaml": SETTINGS.replace("settings", "x"),
        },
        "apps/kustomization.yaml:0: the patch for ConfigMap/default/x matches no object",
    ),
    "a text where a list should be": (
        {"kustomization.yaml": "resources: a.yaml\n", "a.yaml": SETTINGS},
        "apps/kustomization.yaml:3: the field resources cannot be of type string",
    ),
    "no object": (
        {"kustomization.yaml": "resources:\n- a.yaml\n", "a.yaml": "colour: blue\n"},
        "apps/a.yaml:0: a.yaml holds no Kubernetes object",
    ),
    "a circle": (
        {"kustomization.yaml": "resources:\n- in\n", "in/kustomization.yaml": KUSTOMIZATION + "resources:\n- ../\n"},
        "apps/in/kustomization.yaml:4: apps/in refers back to apps",
    ),
    "helm charts": (
        {"kustomization.yaml": "helmCharts:\n- name: x\n  repo: https://example.com\n"},
        "apps/kustomization.yaml:3: Flux does not build helmCharts",
    ),
    **{
        f"a schema that is none: {schema}": (
            {
                "kustomization.yaml": "resources: [a.yaml]\npatches: [{path: a.yaml}]\nopenapi: {path: b.json}\n",
                "a.yaml": SETTINGS,
                "b.json": schema,
            },
            "apps/kustomization.yaml:5: the schema that openapi names cannot be read",
        )
        for schema in ('{"definitions": ', '{"definitions": {"a": {"x-kubernetes-group-version-kind": [{"kind": "A"}]}}}')
    },
    "an anchor that contains itself, in a generator": (
        {"kustomization.yaml": "generators: [a.yaml]\n", "a.yaml": SETTINGS + "  a: &a\n    b: *a\n"},
        "apps/a.yaml:9: the anchor a contains itself",
    ),
    "an anchor that contains itself, in a patch": (
        {"kustomization.yaml": "resources: [a.yaml]\npatches:\n- patch: |-\n    a: &a\n      b: *a\n", "a.yaml": SETTINGS},
        "apps/kustomization.yaml:0: the anchor a contains itself",
    ),
    "what kustomize panics at": (
        {"kustomization.yaml": "resources: [a.yaml]\ncrds:\n- b.json\n", "a.yaml": SETTINGS, "b.json": ""},
        "apps/kustomization.yaml:0: kustomize breaks off in sigs.k8s.io/kustomize/api/internal/accumulator.makeNameToApiMap: "
        "runtime error: index out of range [0] with length 0",
    ),
    "a patch without a target": (
        {
            "kustomization.yaml": "resources:\n- in\n",
            "in/kustomization.yaml": KUSTOMIZATION + "resources: [a.yaml]\npatchesJson6902:\n- path: p.yaml\n",
            "in/a.yaml": SETTINGS,
            "in/p.yaml": "- {op: add, path: /data/a, value: b}\n",
        },
        "apps/in/kustomization.yaml:4: a patch of patchesJson6902 has no target",
    ),
    "a key twice": (
        {"kustomization.yaml": "resources:\n- a.yaml\n", "a.yaml": SETTINGS + "  colour: red\n"},
        "apps/a.yaml:8: the key colour is there twice",
    ),
    "no YAML, in the second document": (
        {"kustomization.yaml": "resources:\n- a.yaml\n", "a.yaml": SETTINGS + "---\n" + SETTINGS.replace("blue", "blue: green")},
        "apps/a.yaml:15: mapping values are not allowed in this context",
    ),
}


@pytest.mark.parametrize("case", FAULTS)
def test_a_failure_is_told_in_plain_words_at_its_place(start: Start, tmp_path: Path, case: str) -> None:
    files, expected = FAULTS[case]
    texts = {f"apps/{name}": KUSTOMIZATION + text if name == "kustomization.yaml" else text for name, text in files.items()}
    failure = start(write(tmp_path / "repo", texts))()["failure"]
    assert f"{failure['path']}:{failure.get('line', 0)}: {failure['message']}" == expected


# -- variables --------------------------------------------------------------------------------------------------------------------------


def test_variables_come_from_what_was_built_before_and_inline_ones_win(start: Start, tmp_path: Path) -> None:
    text = SETTINGS.replace("blue", "${colour}-${size}-${shape:=round}-$${kept}")
    root = write(tmp_path / "repo", {"vars/a.yaml": SETTINGS.replace("default", "flux-system") + "  size: small\n", "apps/b.yaml": text})
    build = start(root)
    build("vars", path="./vars")
    references = [{"kind": "ConfigMap", "name": "settings"}]
    result = build(postBuild={"substituteFrom": references, "substitute": {"size": "large"}})
    assert bodies(result)[0]["data"]["colour"] == "blue-large-round-${kept}"


def test_an_undefined_variable_is_an_error_unless_the_object_opts_out(start: Start, tmp_path: Path) -> None:
    root = write(tmp_path / "repo", {"apps/a.yaml": SETTINGS.replace("blue", "${nobody}")})
    failure = start(root)(postBuild={"substitute": {"a": "b"}})["failure"]
    assert (failure["kind"], failure["message"], failure["line"]) == ("undefined", "the variable nobody is not defined", 7)
    optout = "  annotations: {kustomize.toolkit.fluxcd.io/substitute: disabled}\ndata:"
    write(root, {"apps/a.yaml": SETTINGS.replace("blue", "${nobody}").replace("\ndata:", f"\n{optout}")})
    assert bodies(start(root)(postBuild={"substitute": {"a": "b"}}))[0]["data"]["colour"] == "${nobody}"


def test_a_variable_from_an_object_that_nothing_renders_is_unknown(start: Start, tmp_path: Path) -> None:
    root = write(tmp_path / "repo", {"apps/a.yaml": SETTINGS.replace("blue", "x-${far}-${near:=y}")})
    [built] = start(root)(postBuild={"substituteFrom": [{"kind": "Secret", "name": "elsewhere"}]})["objects"]
    assert built["body"]["data"]["colour"] == "x-${far}-y"
    assert built["unknown"] == ["/data/colour"]


def test_the_value_of_a_secret_reaches_paths_but_is_never_shown(start: Start, tmp_path: Path) -> None:
    secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: settings, namespace: flux-system}\nstringData: {place: hidden-corner}\n"
    child = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: child, namespace: flux-system}\n"
    files = {"vars/a.yaml": secret, "apps/child.yaml": child + "spec: {path: './${place}'}\n", "hidden-corner/a.yaml": SETTINGS}
    build = start(write(tmp_path / "repo", files))
    build("vars", path="./vars")
    shown = build(postBuild={"substituteFrom": [{"kind": "Secret", "name": "settings"}]})
    assert "hidden-corner" not in json.dumps(shown["objects"])
    assert bodies(shown)[0]["spec"]["path"] == "./${place}"


# -- secrets ----------------------------------------------------------------------------------------------------------------------------

SECRET = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: door\nstringData:\n  password: " + PLAIN + "\n"


@pytest.fixture(scope="session")
def vault(sops_program: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str]:
    """A repository with something encrypted in every format, the private key, and the public one."""
    root = tmp_path_factory.mktemp("vault")
    public, private = new_key_pair()
    (root / ".sops.yaml").write_text(
        f"creation_rules:\n- path_regex: secret.yaml$\n  encrypted_regex: ^(data|stringData)$\n  age: {public}\n- age: {public}\n"
    )
    files = {
        "apps/secret.yaml": SECRET,
        "apps/door.env": f"password={PLAIN}\n",
        "apps/door.json": json.dumps({"password": PLAIN}),
        "apps/door.ini": f"[door]\npassword = {PLAIN}\n",
        "apps/door.bin": PLAIN,
        "apps/patch.yaml": SETTINGS.replace("blue", PLAIN),
    }
    rules = (root / ".sops.yaml").read_text()
    (root / ".sops.yaml").write_text(rules.replace("secret.yaml$", "(secret|patch).yaml$"))
    generators = "secretGenerator:\n- name: env\n  envs: [door.env]\n- name: files\n  files: [door.json, door.ini, door.bin]\n"
    write(root, {name: encrypt(sops_program, root, name, text.encode()) for name, text in files.items()})
    patches = "patches:\n- path: patch.yaml\n"
    write(
        root,
        {
            "apps/settings.yaml": SETTINGS,
            "apps/kustomization.yaml": KUSTOMIZATION + "resources: [secret.yaml, settings.yaml]\n" + generators + patches,
        },
    )
    return root, private, public


SOPS = {"provider": "sops"}


def test_secrets_are_opened_and_never_shown(start: Start, vault: tuple[Path, str, str]) -> None:
    root, private, _ = vault
    result = start(root, private)(decryption=SOPS)
    text = json.dumps(result)
    assert bodies(result)
    assert PLAIN not in text
    assert base64.b64encode(PLAIN.encode()).decode() not in text
    assert not any(base64.b64encode(PLAIN.encode()).decode()[:12] in value for value in text.split('"'))
    assert result["objects"][0]["secret"] == "opened"
    assert bodies(result)[0] == {**yaml.safe_load(SECRET), "stringData": {"password": "**SOPS**"}}


def test_their_values_are_there_for_other_builds(start: Start, vault: tuple[Path, str, str], tmp_path: Path) -> None:
    root = Path(shutil.copytree(vault[0], tmp_path / "repo"))
    write(root, {"child/a.yaml": SETTINGS.replace("colour: blue", "colour: ${password}"), f"{PLAIN}/b.yaml": SETTINGS})
    write(root, {"far/k.yaml": json.dumps(kustomization("near", path="./${password}"))})
    build = start(root, vault[1])
    build(decryption=SOPS, targetNamespace="flux-system")
    reference = {"substituteFrom": [{"kind": "Secret", "name": "door"}]}
    assert bodies(build("child", path="./child", postBuild=reference))[0]["data"]["colour"] == "${password}"
    assert build("far", path="./far", postBuild=reference)["objects"][0]["unknown"] == ["/spec/path"]


def test_without_the_key_everything_stays_closed_and_nothing_fails(start: Start, vault: tuple[Path, str, str]) -> None:
    result = start(vault[0], new_key_pair()[1])(decryption=SOPS)
    assert {built["body"]["kind"]: built.get("secret") for built in result["objects"][:1]} == {"Secret": "sealed"}
    assert bodies(result)[0]["stringData"] == {"password": "**SOPS**"}
    assert "sops" not in bodies(result)[0]
    assert result["encrypted"] == [
        f"apps/{name}" for name in ("door.bin", "door.env", "door.ini", "door.json", "patch.yaml", "secret.yaml")
    ]


def test_every_format_can_be_checked(worker_program: Path, vault: tuple[Path, str, str]) -> None:
    root, private, public = vault
    names = [f"apps/{name}" for name in ("secret.yaml", "door.env", "door.json", "door.ini", "door.bin")]
    with Worker(worker_program, root, private) as worker:
        openings = worker.check_files(names)
    assert [(opening.path, opening.recipients, opening.error) for opening in openings] == [(name, (public,), "") for name in names]


def test_what_cannot_be_opened_is_named_with_the_reason(worker_program: Path, vault: tuple[Path, str, str], tmp_path: Path) -> None:
    root = Path(shutil.copytree(vault[0], tmp_path / "repo"))
    secret = (root / "apps/secret.yaml").read_text()
    azure = (
        "sops:\n  azure_kv:\n  - {vaultUrl: https://x.vault.azure.net, key: k, version: v, created_at: '2024-01-01T00:00:00Z', enc: x}\n"
    )
    tail = "  lastmodified: '2024-01-01T00:00:00Z'\n  mac: ENC[AES256_GCM,data:eA==,iv:eA==,tag:eA==,type:str]\n  version: 3.9.0\n"
    changed = {
        "apps/changed.yaml": secret.replace("name: door", "name: gate"),
        "apps/azure.yaml": "a: b\n" + azure + tail,
        "apps/clear.yaml": SECRET,
    }
    write(root, changed)
    with Worker(worker_program, root, vault[1]) as worker:
        openings = worker.check_files([*changed, "apps/gone.yaml"])
    with Worker(worker_program, root) as worker:
        [keyless] = worker.check_files(["apps/secret.yaml"])
    assert [opening.reason for opening in (*openings, keyless)] == ["mac", "service", "format", "format", "key"]
    assert openings[1].error == "Azure Key Vault cannot be asked here"


def test_a_key_that_cannot_be_read_is_not_quoted(worker_program: Path, tmp_path: Path) -> None:
    with Worker(worker_program, tmp_path, "AGE-SECRET-KEY-NONSENSE") as worker, pytest.raises(DevloopError) as error:
        worker.check_files(["a"])
    assert "NONSENSE" not in str(error.value)


# -- life and death ---------------------------------------------------------------------------------------------------------------------


def test_a_worker_that_dies_is_started_again_and_knows_what_it_knew(worker_program: Path, tmp_path: Path) -> None:
    files = {"vars/a.yaml": SETTINGS.replace("default", "flux-system"), "apps/b.yaml": SETTINGS.replace("blue", "${colour}!")}
    root = write(tmp_path / "repo", files)
    source = {"substituteFrom": [{"kind": "ConfigMap", "name": "settings"}]}

    def question(name: str, **spec: Any) -> dict[str, Any]:
        return {"build": {"scope": "x", "base": ".", "namespace": "flux-system", "name": name, "object": kustomization(name, **spec)}}

    with Worker(worker_program, root) as worker:
        worker.ask_all([question("vars", path="./vars")])
        worker._connection.process.kill()
        worker._connection.process.wait()
        [answer] = worker.ask_all([question("apps", postBuild=source)])
    assert bodies(answer["result"])[0]["data"]["colour"] == "blue!"


def test_closing_ends_what_is_going_on(worker_program: Path, tmp_path: Path) -> None:
    worker = Worker(worker_program, write(tmp_path / "repo", {"apps/a.yaml": SETTINGS}))
    future = worker.request({"decryption": {"paths": ["x"] * 200_000}})
    process = worker._connection.process
    worker.close()
    assert process.poll() is not None
    with pytest.raises(WorkerDied):
        future.result(timeout=10)
        raise WorkerDied("it was quicker than that")
