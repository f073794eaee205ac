"""A value as an EHR files it that keeps values in flowsheet rows: the site's own table, LOINC code → row."""

from __future__ import annotations

from bridge.ehr.context import ShapeContext, finding
from bridge.model import Finding, Part, type_json

LOINC = "http://loinc.org"


def in_flowsheet(resource: type_json, part: Part, context: ShapeContext) -> tuple[type_json, list[Finding]]:
    """An Observation with the site's row among its codings; an error where this EHR wants a row and none is named.

    Any other type is as it was.
    """
    if part.type != "Observation" or not (context.flowsheets or context.vendor.flowsheet.value):
        return resource, []
    code = resource.get("code", {})
    codings = code.get("coding", [])
    rows = [
        {key: value for key, value in (("system", row.system), ("code", row.code), ("display", row.display)) if value}
        for coding in codings
        if coding.get("system") == LOINC and (row := context.flowsheets.get(coding.get("code", ""))) is not None
    ]
    known = {(coding.get("system"), coding.get("code")) for coding in codings}
    more = [row for row in rows if (row["system"], row["code"]) not in known]
    findings = []
    if not rows and context.vendor.flowsheet.value:
        rule = "this EHR files a value in a flowsheet row, and the site's `flowsheets` name none for its LOINC code"
        findings.append(finding("ehr-flowsheet", "Observation.code", rule, part))
    return {**resource, "code": {**code, "coding": [*codings, *more]}} if more else resource, findings
