"""Masks for secret values, and texts without the credentials in their URLs."""

import re

# kustomize-controller's mask for a value encrypted by SOPS, and the same in Base64, for `data` of a Secret.
SOPS_MASK = "**SOPS**"
SOPS_MASK_ENCODED = "KipTT1BTKio="

MASK = "***"

_USER = re.compile(r"(?<=://)[^/@\s]*@")
_PASSWORD = re.compile(r"(?<=://)[^/@\s]*:[^/@\s]*@|(?<=://)[^/@\s]{20,}@")
_PARAMETER = re.compile(r"(?i)((?:[?&]|--)[\w-]*(?:token|key|secret|password|passwd|signature)=)(?![$<*])[^&\s'\",\]]+")


def strip_credentials(text: str) -> str:
    """Removes users and passwords from URLs."""
    return _USER.sub("", text)


def mask_credentials(text: str) -> str:
    """Masks passwords and tokens in URLs and arguments (`--password=`); a user name alone stays."""
    return _PARAMETER.sub(rf"\g<1>{MASK}", _PASSWORD.sub(f"{MASK}@", text)) if "://" in text or "=" in text else text
