"""The image of the sample platform's workloads: sample/ and the parts of Python's standard library that it needs.

`up` builds it from sample.Dockerfile on any engine; the recipe needs Debian's tools instead of a registry.
"""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

from devloop.clients.engine.images import ImageStore
from devloop.images.archive import Contents
from devloop.images.dockerfile import Dockerfile
from devloop.images.git_server import is_used
from devloop.images.image_builder import HERE, KEY, REGISTRY, ImageBuilder, accounts, own_files, own_paths

PACKAGES = ("python3", "base-files")
TAG = "0.1.0"
REFERENCE = f"{REGISTRY}/sample:{TAG}"
DOCKERFILE = HERE / "sample.Dockerfile"
USER = ("sample", 65532)
_RUN = ["/usr/bin/python3", "-S", "-m", "sample"]
# Loading every module once leaves its bytecode in the image, so that no start has to compile.
WARM = ["/usr/bin/python3", "-S", "-c", "import sample.__main__, sample.serve, sample.work, sample.report, sample.observe, sample.monitor"]
_UNUSED = ("usr/bin/", "usr/sbin/", "usr/share/")
_KEPT = "usr/bin/python3"


@contextmanager
def sample(builder: ImageBuilder) -> Iterator[Contents]:
    with builder.debian(PACKAGES) as debian:
        system = (e for e in debian if is_used(e) and (e.path.startswith(_KEPT) or not e.path.startswith(_UNUSED)))
        own = (replace(entry, path=f"app/sample/{entry.path}") for entry in own_files("sample"))
        yield Contents((*system, *accounts(USER), *own), {"Entrypoint": _RUN, "User": "65532:65532", "WorkingDir": "/app"})


def ensure_image(store: ImageStore, own: Mapping[str, str], stop: threading.Event) -> bool:
    """Build the image from its Dockerfile if the engine does not have it; `own`: name -> reference of the images made here.

    Its base is then our own image with Python, else one of Docker Hub.
    """
    if "sample" in own:
        return False
    files = {f"sample/{path.relative_to(HERE / 'sample')}": path.read_bytes() for path in own_paths("sample")}
    image = Dockerfile({**files, "Dockerfile": DOCKERFILE.read_bytes()}, own.get("git-server-base", ""))
    key = image.key(store)
    if store.labels(KEY).get(REFERENCE) == key:
        return False
    image.build(store, REFERENCE, stop, KEY=key)
    return True
