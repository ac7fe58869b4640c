"""The last filter of findings: no password of a URL in a message or its arguments."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from devloop.diagnostic import Diagnostic
from devloop.model.redaction import mask_credentials


def without_credentials(findings: Iterable[Diagnostic]) -> Iterator[Diagnostic]:
    for found in findings:
        arguments = {name: mask_credentials(text) for name, text in found.arguments.items()}
        yield replace(found, message=mask_credentials(found.message), arguments=arguments) if "://" in found.message else found
