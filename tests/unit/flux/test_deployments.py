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
