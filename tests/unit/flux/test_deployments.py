"""Deployments of the Flux controllers."""

from __future__ import annotations

from devloop.flux.deployments import ARTIFACTS_PORT, HEALTH_PORTS, deployments


def test_controllers_do_not_need_the_cluster_network() -> None:
    for deployment in deployments({name: f"image/{name}" for name in HEALTH_PORTS}, "local-control-plane", {}):
        pod = deployment["spec"]["template"]["spec"]
        assert pod["hostNetwork"]
        assert {"operator": "Exists"} in pod["tolerations"]
        assert pod["dnsPolicy"] == "Default"
        assert pod["nodeName"] == "local-control-plane"
        [container] = pod["containers"]
        environment = {entry["name"]: entry.get("value") for entry in container["env"]}
        assert environment["KUBERNETES_SERVICE_HOST"] == "localhost"
        assert container["resources"]["limits"].keys() == {"cpu", "memory"}
        assert not container["securityContext"]["allowPrivilegeEscalation"]


def test_controllers_use_different_ports() -> None:
    ports = [*HEALTH_PORTS.values(), ARTIFACTS_PORT]
    assert len(set(ports)) == len(ports)


def test_artifacts_have_the_name_of_the_node_which_keeps_it_when_its_address_changes() -> None:
    [source, kustomize] = deployments(dict.fromkeys(("source-controller", "kustomize-controller"), "image"), "local-control-plane", {})
    [container] = source["spec"]["template"]["spec"]["containers"]
    assert f"--storage-adv-addr=local-control-plane:{ARTIFACTS_PORT}" in container["args"]
    assert not any("storage" in argument for argument in kustomize["spec"]["template"]["spec"]["containers"][0]["args"])
