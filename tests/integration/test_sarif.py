"""SARIF against its schema, which a Go module carries; its checksum is Go's to verify."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from devloop.diagnostic import Diagnostic, Location, Related, Scope, Severity
from devloop.lint.rules import RULES
from devloop.model.report import Report
from devloop.output import FORMATS

MODULE = "github.com/owenrumney/go-sarif/v3@v3.3.1"
SUM = "h1:bKY8YnWcY8zYTiGVObC5wZLlfEvMkCxK9XMGXBbzEtQ="


@pytest.fixture(scope="session")
def schema(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    folder = tmp_path_factory.mktemp("module")
    (folder / "go.mod").write_text("module test\n")
    done = subprocess.run(["go", "mod", "download", "-json", MODULE], cwd=folder, check=True, capture_output=True)
    module = json.loads(done.stdout)
    assert module["Sum"] == SUM
    source = (Path(module["Dir"]) / "pkg/report/v210/sarif/schema.go").read_text()
    schema: dict[str, object] = json.loads(source.split("`")[1])
    return schema


@pytest.mark.integration
@pytest.mark.parametrize("found", ["nothing", "everything"])
def test_a_log_follows_the_schema(schema: dict[str, object], found: str) -> None:
    from jsonschema import Draft4Validator, FormatChecker

    scopes = (Scope("dev", "flux-system/apps"), Scope("prod"))
    findings = tuple(
        Diagnostic(
            "message",
            Location(f"a b/ü{number}.yaml", number, *(("Secret", "b", (), "a") if number % 2 else ())),
            "hint" * (number % 2),
            severity,
            scopes,
            rule,
            related=(Related("a b.yaml", number, "a patch for the object"),) * (number % 2),
        )
        for number, (rule, severity) in enumerate((rule, severity) for rule in RULES for severity in Severity)
    )
    log = json.loads(FORMATS["sarif"].write(Report("validate", "dev, prod", findings=findings if found == "everything" else ())))
    errors = Draft4Validator(schema, format_checker=FormatChecker()).iter_errors(log)
    assert [f"{'/'.join(map(str, error.path))}: {error.message}" for error in errors] == []
