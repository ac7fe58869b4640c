"""A report as JUnit XML, for test result views: a suite per environment, a case per Kustomization and rule family with findings.

The shape is what Jenkins and GitLab read: https://github.com/testmoapp/junitxml.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from xml.etree import ElementTree as Xml

from devloop.diagnostic import Diagnostic, Location, Scope, Severity
from devloop.model.causes.cause import Cause
from devloop.model.commands import Target
from devloop.model.report import Outcome, Readiness, Report, Status

# The suite of findings without an environment.
REPOSITORY = "repository"

# XML 1.0 allows no other control characters.
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def to_junit(report: Report) -> str:
    """One document: errors are failures, other findings go to the output of their case."""
    suites = [_suite(name, cases) for name, cases in _environments(report) if cases]
    document = Xml.Element("testsuites", _counts(suites) | {"name": f"devloop {report.command}"})
    document.extend(suites)
    Xml.indent(document)
    return Xml.tostring(document, encoding="unicode", xml_declaration=True) + "\n"


def _environments(report: Report) -> Iterator[tuple[str, list[Xml.Element]]]:
    families = sorted({"build", *(f.family for f in report.findings if any(scope.kustomization for scope in f.scopes))})
    names = dict.fromkeys([k.environment or report.environment for k in report.kustomizations])
    for name in names or ([report.environment] if report.environment else []):
        steps = [] if report.target is Target.REPOSITORY else [_step(name, step) for step in report.steps]
        own = [k for k in report.kustomizations if (k.environment or report.environment) == name]
        cases = [case for k in own for case in _kustomization(name, k, families, report.findings)]
        causes = [_cause(name, cause) for cause in report.causes]
        yield name, [*steps, *cases, *causes, *_others(name, [f for f in report.findings if Scope(name) in f.scopes])]
    yield REPOSITORY, list(_others(REPOSITORY, [finding for finding in report.findings if not finding.scopes]))


def _kustomization(environment: str, k: Readiness, families: Sequence[str], findings: Iterable[Diagnostic]) -> Iterator[Xml.Element]:
    own = [finding for finding in findings if Scope(environment, k.id) in finding.scopes]
    for name in families:
        case = _case(f"{environment}.{k.id}", name, k.seconds, [finding for finding in own if finding.family == name])
        if name == "build" and not k.ready and not len(case):
            Xml.SubElement(case, "failure", {"message": _clean(k.message), "type": _clean(k.reason)})
        elif k.reason in ("NotHere", "NotKnown") and not len(case):
            Xml.SubElement(case, "skipped", {"message": _clean(k.message)})
        yield case


def _others(classname: str, findings: Sequence[Diagnostic]) -> Iterator[Xml.Element]:
    for name in sorted({finding.family for finding in findings}):
        yield _case(classname, name, 0.0, [finding for finding in findings if finding.family == name])


def _step(environment: str, step: Outcome) -> Xml.Element:
    case = _case(f"{environment}.steps", step.title, step.seconds)
    if step.status is Status.FAILED:
        Xml.SubElement(case, "failure", {"message": _clean(step.message), "type": "step"}).text = _clean(str(step.hint))
    elif step.status is Status.SKIPPED:
        Xml.SubElement(case, "skipped", {"message": _clean(step.message)})
    return case


def _cause(environment: str, cause: Cause) -> Xml.Element:
    case = _case(f"{environment}.{cause.kustomization or 'cluster'}", str(cause.object), 0.0)
    failed = cause.severity is Severity.ERROR
    element = Xml.SubElement(case, *(("failure", {"message": _clean(cause.message), "type": cause.id}) if failed else ("system-out",)))
    place = [str(Location(cause.path, cause.line)), *(f"note: {each}" for each in cause.related)] if cause.path else []
    hint = [f"hint: {cause.hint}"] if cause.hint else []
    element.text = _clean("\n".join([*place, *cause.log, *hint] if failed else [str(cause), *place]))
    return case


def _case(classname: str, name: str, seconds: float, findings: Sequence[Diagnostic] = ()) -> Xml.Element:
    case = Xml.Element("testcase", {"classname": _clean(classname), "name": _clean(name), "time": f"{seconds:.3f}"})
    errors = [finding for finding in findings if finding.severity is Severity.ERROR]
    if errors:
        more = f" and {len(errors) - 1} more" if len(errors) > 1 else ""
        failure = Xml.SubElement(case, "failure", {"message": _clean(errors[0].message) + more, "type": errors[0].rule})
        failure.text = "\n".join(map(_line, errors))
    if others := [finding for finding in findings if finding.severity is not Severity.ERROR]:
        Xml.SubElement(case, "system-out").text = "\n".join(map(_line, others))
    return case


def _line(finding: Diagnostic) -> str:
    notes = [*(f"\n  note: {related}" for related in finding.related), *([f"\n  hint: {finding.hint}"] if finding.hint else [])]
    return _clean(f"{finding.path}:{finding.line}: {finding.severity}: {finding.message} [{finding.rule}]{''.join(notes)}")


def _suite(name: str, cases: Sequence[Xml.Element]) -> Xml.Element:
    skipped = sum(case.find("skipped") is not None for case in cases)
    failed = sum(case.find("failure") is not None for case in cases)
    counts = {"tests": str(len(cases)), "failures": str(failed), "errors": "0", "skipped": str(skipped)}
    suite = Xml.Element("testsuite", {"name": _clean(name)} | counts)
    suite.extend(cases)
    return suite


def _counts(suites: Sequence[Xml.Element]) -> dict[str, str]:
    return {key: str(sum(int(suite.get(key, "0")) for suite in suites)) for key in ("tests", "failures", "errors")}


def _clean(text: str) -> str:
    return _FORBIDDEN.sub("\ufffd", text)
