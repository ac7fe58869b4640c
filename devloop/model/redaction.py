"""What stands in an output for a value that nobody may see, and texts without the credentials in their URLs."""

import re

# What kustomize-controller logs for a value that SOPS encrypted, and the same in Base64, which is what `data` of a Secret holds.
SOPS_MASK = "**SOPS**"
SOPS_MASK_ENCODED = "KipTT1BTKio="

MASK = "***"

_USER = re.compile(r"(?<=://)[^/@\s]*@")
_PASSWORD = re.compile(r"(?<=://)[^/@\s]*:[^/@\s]*@|(?<=://)[^/@\s]{20,}@")


def strip_credentials(text: str) -> str:
    """The text with neither users nor passwords in its URLs."""
    return _USER.sub("", text)


def mask_credentials(text: str) -> str:
    """The text with a mask for passwords and tokens in its URLs; the name of a user alone stays."""
    return _PASSWORD.sub(f"{MASK}@", text)
