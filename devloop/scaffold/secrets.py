"""The plaintext Secrets of the sample platform with new random values; they stay in memory until SOPS has encrypted them."""

import json
import secrets
from collections.abc import Mapping

from devloop.model.flux.names import NAMESPACE

_MANIFEST = """\
apiVersion: v1
kind: Secret
metadata:
  name: {name}
  namespace: {namespace}
type: Opaque
stringData:
"""


def sample_secrets(environment: str) -> dict[str, str]:
    """Path in the repository -> manifest."""
    overlay = f"k8s/clusters/{environment}"
    return {
        f"{overlay}/variables/secret.enc.yaml": _secret(NAMESPACE, "variables-cluster", _random("alert_webhook_token")),
        f"{overlay}/apps/storefront/secret.enc.yaml": _secret("storefront", "storefront", _random("SESSION_KEY", "ORDERS_TOKEN")),
    }


def _random(*keys: str) -> dict[str, str]:
    return {key: secrets.token_urlsafe(24) for key in keys}


def _secret(namespace: str, name: str, data: Mapping[str, str]) -> str:
    return _MANIFEST.format(name=name, namespace=namespace) + "".join(f"  {key}: {json.dumps(value)}\n" for key, value in data.items())
