"""A report as SARIF 2.1.0, for code scanning: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html."""

import hashlib
import json
import os
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from devloop import __version__
from devloop.diagnostic import Diagnostic, Severity
from devloop.lint.rules import RULES
from devloop.model.report import Report

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS: Mapping[Severity | None, str] = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}


def to_sarif(report: Report) -> str:
    """One log with one run: the rules with findings, and the findings as results."""
    rules = sorted({finding.rule for finding in report.findings})
    driver = {"name": "devloop", "semanticVersion": __version__, "rules": list(map(_rule, rules))}
    run = {
        "tool": {"driver": driver},
        "automationDetails": {"id": f"devloop/{report.command}/"},
        "columnKind": "utf16CodeUnits",
        "results": [_result(finding, rules.index(finding.rule)) for finding in report.findings],
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False) + "\n"


def _rule(name: str) -> dict[str, Any]:
    rule = RULES.get(name)
    described = {"id": name, "name": name.replace("/", "-"), "properties": {"tags": ["gitops", name.partition("/")[0]]}}
    if rule is None:
        return described
    return described | {
        "shortDescription": {"text": rule.reason},
        "help": {"text": f"{rule.reason}. To fix it: {rule.fix}.", "markdown": f"{rule.reason}.\n\n**To fix it:** {rule.fix}."},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
    }


def _result(finding: Diagnostic, index: int) -> dict[str, Any]:
    related = [
        {"id": number, "message": {"text": place.message}, "physicalLocation": _physical(place.path, place.line)}
        for number, place in enumerate(finding.related, 1)
    ]
    return {
        "ruleId": finding.rule,
        "ruleIndex": index,
        "level": _LEVELS[finding.severity],
        "message": {"text": f"{finding.message}\n{finding.hint}" if finding.hint else finding.message},
        "locations": [_location(finding)],
        **({"relatedLocations": related} if related else {}),
        "partialFingerprints": {"devloopFinding/v1": _fingerprint(finding)},
        "properties": {"environments": list(finding.environments)},
    }


def _location(finding: Diagnostic) -> dict[str, Any]:
    logical = [{"fullyQualifiedName": finding.object, "kind": "resource"}] if finding.object else []
    return {"physicalLocation": _physical(finding.path, finding.line)} | ({"logicalLocations": logical} if logical else {})


def _physical(path: str, line: int) -> dict[str, Any]:
    artifact = {"uri": quote(os.fsencode(path or "."), safe="/"), "uriBaseId": "%SRCROOT%"}
    return {"artifactLocation": artifact} | ({"region": {"startLine": line}} if line else {})


def _fingerprint(finding: Diagnostic) -> str:
    """Does not change when the finding moves to another line."""
    text = "\0".join((finding.rule, finding.path, finding.object, finding.message))
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()
