"""The node image for Kind (https://kind.sigs.k8s.io/docs/design/node-image/): Debian, systemd, containerd, the kubelet, kubeadm,
the entrypoint and units in node/, and the unpacked images of the control plane and of Flux's controllers.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager

from devloop.images import flux
from devloop.images.archive import Contents, Entry, folder, link, program
from devloop.images.control_plane import PAUSE_TAG, control_plane, references
from devloop.images.image_builder import ImageBuilder, accounts, certificates, own_files
from devloop.images.layout import write_metadata
from devloop.model.flux.names import CONTROLLERS

PACKAGES = (
    "base-files", "bash", "dash", "coreutils", "grep", "sed", "findutils", "hostname", "tar", "gzip", "jq",
    "systemd", "systemd-sysv", "containerd", "runc", "containernetworking-plugins",
    "iptables", "nftables", "iproute2", "conntrack", "ethtool", "socat", "kmod", "mount", "util-linux", "procps", "ca-certificates",
)  # fmt: skip
PROGRAMS = ("kubeadm", "kubelet", "kubectl")
# Debian installs them in usr/lib/cni.
_PLUGINS = ("bridge", "host-local", "loopback", "portmap", "ptp")
_UNUSED = (
    "usr/bin/containerd-shim-runc-v1", "usr/bin/containerd-stress", "usr/lib/systemd/system-generators/", "usr/lib/systemd/user/",
    "usr/lib/udev/", "usr/share/zoneinfo/", "usr/share/perl", "usr/lib/x86_64-linux-gnu/perl", "etc/containerd/", "usr/lib/cni/",
    "usr/share/polkit-1/", "usr/share/dbus-1/", "usr/lib/systemd/catalog/", "usr/lib/x86_64-linux-gnu/gconv/", "etc/init.d/",
    "var/lib/systemd/", "var/run/", "var/lock/",
)  # fmt: skip
# The units of systemd that a node needs in addition to its own.
_WANTED = ("/systemd-journald.service", "/systemd-journald.socket", "/systemd-journald-dev-log.socket")
_UNITS = ("containerd.service", "kubelet.service", "volumes.path")

ENTRYPOINT = ["/usr/local/bin/entrypoint"]
# systemd powers off on this signal, not on SIGTERM, and detects the container by this variable.
CONFIG = {
    "Entrypoint": ENTRYPOINT,
    "Env": ["container=docker", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin"],
    "StopSignal": "SIGRTMIN+3",
}
BAKE = ["/kind/bin/bake", "/bake"]
# overlayfs cannot use the image's own overlay file system as upper layer; containerd needs the capability for mounts only.
BAKE_OPTIONS = {"tmpfs": {"/bake": "exec"}, "cap_add": ["SYS_ADMIN"], "security_opt": ["seccomp=unconfined", "apparmor=unconfined"]}


@contextmanager
def node(builder: ImageBuilder) -> Iterator[Contents]:
    """Everything but containerd's state, which node/kind/bin/bake writes."""
    with ExitStack() as stack:
        debian = stack.enter_context(builder.debian(PACKAGES))
        called = references(builder.toolchain.version("kubelet")) | {name: flux.reference(builder.toolchain, name) for name in CONTROLLERS}
        images = dict(stack.enter_context(control_plane(builder)))
        images |= {name: stack.enter_context(flux.controller(builder, name)) for name in CONTROLLERS}
        yield Contents((*_system(debian), *_kubernetes(builder), *_own(builder), *_layers(images, called)), CONFIG)


def _system(debian: tuple[Entry, ...]) -> Iterator[Entry]:
    yield from (entry for entry in debian if _is_used(entry.path))
    yield from accounts()
    yield certificates(debian)
    plugins = {f"usr/lib/cni/{name}": f"opt/cni/bin/{name}" for name in _PLUGINS}
    yield from (Entry(plugins[e.path], e.content, e.mode) for e in debian if e.path in plugins)
    for path in ("proc", "sys", "run", "run/lock", "mnt", "var/log", "var/lib/containerd", "etc/cni/net.d", "etc/kubernetes"):
        yield folder(path)
    for path, target in (("var/run", "/run"), ("var/lock", "/run/lock"), ("etc/mtab", "../proc/self/mounts")):
        yield link(path, target)


def _is_used(path: str) -> bool:
    if path.startswith(_UNUSED) or f"{path}/".startswith(_UNUSED):
        return False
    if ".wants/" in path and path.startswith("usr/lib/systemd/system/"):
        return path.endswith(_WANTED)
    return path not in ("proc", "sys", "run", "mnt", "tmp", "etc/passwd", "etc/group", "etc/nsswitch.conf", "etc/mtab")


def _kubernetes(builder: ImageBuilder) -> Iterator[Entry]:
    yield from (program(f"usr/bin/{name}", builder.tool(name)) for name in PROGRAMS)
    yield Entry("kind/version", f"v{builder.toolchain.version('kubelet')}".encode())
    yield link("usr/local/bin/containerd", "/usr/bin/containerd")


def _own(builder: ImageBuilder) -> Iterator[Entry]:
    yield from own_files("node", lambda text: text.replace("@PAUSE@", PAUSE_TAG))
    units = "etc/systemd/system"
    yield link(f"{units}/default.target", "/usr/lib/systemd/system/multi-user.target")
    yield from (link(f"{units}/multi-user.target.wants/{unit}", f"../{unit}") for unit in _UNITS)


def _layers(images: Mapping[str, Contents], called: Mapping[str, str]) -> Iterator[Entry]:
    """The unpacked images in /kind/layers, and their metadata for containerd; `called`: name -> reference."""
    metadata = io.BytesIO()
    unpacked = write_metadata(metadata, {name: (called[name], contents, {}) for name, contents in images.items()})
    for name, contents in images.items():
        yield folder(f"kind/layers/{name}")
        yield from (entry.under(f"kind/layers/{name}") for entry in contents.entries)
    yield Entry("kind/images.tar", metadata.getvalue())
    yield Entry("kind/images.txt", "".join(f"{image.name} {image.config} {image.layer}\n" for image in unpacked).encode())
