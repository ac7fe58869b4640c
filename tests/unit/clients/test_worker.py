"""The build worker itself: it builds as Flux does, says in plain words what is wrong, and survives its own death."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from devloop.clients.worker import Worker, WorkerDied

from .builds import COMPONENT, KUSTOMIZATION, SETTINGS, Start, bodies, kustomization, write


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
