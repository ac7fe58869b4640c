"""The image of the sample platform's workloads: sample/ and the parts of Python's standard library that it needs."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from devloop.images.archive import Contents
from devloop.images.git_server import is_used
from devloop.images.image_builder import ImageBuilder, accounts, own_files

PACKAGES = ("python3", "base-files")
TAG = "0.1.0"
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
