"""Why an image cannot be pulled. The texts are those of Docker 20.10 to 29, containerd and registries."""

from __future__ import annotations

import pytest

from devloop.clients.engine.pull import ImageNotPulled, PullFailure, failure_of


@pytest.mark.parametrize(
    ("text", "failure"),
    [
        ("manifest for kindest/node:v1.36.9 not found: manifest unknown: manifest unknown", PullFailure.NOT_FOUND),
        ('failed to resolve reference "docker.io/kindest/node:v1.36.9": docker.io/kindest/node:v1.36.9: not found', PullFailure.NOT_FOUND),
        (
            "toomanyrequests: You have reached your unauthenticated pull rate limit. https://www.docker.com/increase-rate-limit",
            PullFailure.RATE_LIMITED,
        ),
        (
            "pull access denied for kindest/nodes, repository does not exist or may require 'docker login': denied: "
            "requested access to the resource is denied",
            PullFailure.DENIED,
        ),
        ('Head "https://ghcr.io/v2/a/b/manifests/c": unauthorized', PullFailure.DENIED),
        (
            'Get "https://registry-1.docker.io/v2/": dial tcp: lookup registry-1.docker.io on 10.0.0.1:53: no such host',
            PullFailure.UNREACHABLE,
        ),
        ('Get "https://ghcr.io/v2/": net/http: TLS handshake timeout', PullFailure.UNREACHABLE),
        ('Get "https://ghcr.io/v2/": net/http: request canceled while waiting for connection', PullFailure.UNREACHABLE),
        ("received unexpected HTTP status: 503 Service Unavailable", PullFailure.UNREACHABLE),
        ('Get "https://mirror.corp/v2/": x509: certificate signed by unknown authority', PullFailure.UNTRUSTED),
        ("no matching manifest for linux/arm64/v8 in the manifest list entries", PullFailure.WRONG_PLATFORM),
        ("filesystem layer verification failed for digest sha256:ab", PullFailure.OTHER),
    ],
)
def test_the_reason_in_an_error_of_the_engine(text: str, failure: PullFailure) -> None:
    assert failure_of(text) is failure


@pytest.mark.parametrize("failure", PullFailure)
def test_each_reason_has_a_message_and_a_next_step(failure: PullFailure) -> None:
    error = ImageNotPulled("ghcr.io/a/b:1", failure, "why")
    assert "ghcr.io" in error.message
    assert str(error.hint)
    assert str(error.or_else(", or build it").hint).endswith(", or build it")
