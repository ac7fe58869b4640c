"""The control plane's images: the pinned programs under the names that this version of kubeadm expects."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from devloop.images.archive import Contents, Entry, link, program
from devloop.images.image_builder import ImageBuilder, accounts

# kubeadm's constants for the pinned Kubernetes (cmd/kubeadm/app/constants); the images carry these tags whatever they contain.
ETCD_TAG = "3.6.8-0"
PAUSE_TAG = "3.10.2"
COREDNS_TAG = "v1.14.2"

KUBERNETES = ("kube-apiserver", "kube-controller-manager", "kube-scheduler")
TOOLS = (*KUBERNETES, "kube-proxy", "etcd", "coredns")
PROXY_PACKAGES = ("iptables", "nftables", "conntrack", "kmod")
# A static program; with -P it holds a pod's namespaces and reaps orphaned processes.
PAUSE_PACKAGES = ("catatonit",)
_PATH = {"Env": ["PATH=/usr/local/bin:/usr/sbin:/usr/bin"]}


def references(kubernetes: str) -> dict[str, str]:
    """Program -> reference, as `kubeadm config images list` prints it for this version (without the leading v)."""
    registry = "registry.k8s.io"
    return {
        **{name: f"{registry}/{name}:v{kubernetes}" for name in (*KUBERNETES, "kube-proxy")},
        "etcd": f"{registry}/etcd:{ETCD_TAG}",
        "coredns": f"{registry}/coredns/coredns:{COREDNS_TAG}",
        "pause": f"{registry}/pause:{PAUSE_TAG}",
    }


@contextmanager
def control_plane(builder: ImageBuilder) -> Iterator[Mapping[str, Contents]]:
    """Program -> image. Only kube-proxy calls system programs."""
    with builder.debian(PROXY_PACKAGES) as debian, builder.debian(PAUSE_PACKAGES) as catatonit:
        plain = {name: Contents((program(f"usr/local/bin/{name}", builder.tool(name)),), _PATH) for name in (*KUBERNETES, "etcd")}
        coredns = Contents((program("coredns", builder.tool("coredns")),), {"Entrypoint": ["/coredns"]})
        held = tuple(entry for entry in catatonit if entry.path == "usr/bin/catatonit")
        pause = Contents(held, {"Entrypoint": ["/usr/bin/catatonit", "-P"]})
        proxy = Contents((*_proxy(debian), program("usr/local/bin/kube-proxy", builder.tool("kube-proxy"))), _PATH)
        yield {**plain, "coredns": coredns, "pause": pause, "kube-proxy": proxy}


def _proxy(debian: tuple[Entry, ...]) -> Iterator[Entry]:
    yield from accounts()
    unused = ("usr/share/", "usr/lib/systemd/", "usr/lib/udev/", "etc/")
    yield from (entry for entry in debian if not f"{entry.path}/".startswith(unused))
    for name in ("iptables", "ip6tables"):
        yield from (link(f"usr/local/bin/{name}{suffix}", "/usr/sbin/xtables-nft-multi") for suffix in ("", "-save", "-restore"))
