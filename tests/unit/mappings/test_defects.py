"""The list of the oracles' defects is true: their answer is what it says, and so is ours."""

from __future__ import annotations

import json

import pytest

from tests.unit.mappings.defects import DEFECTS, Defect
from tests.unit.mappings.oracle import ours_expression, ours_template, theirs_expression, theirs_template


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: str(defect.name))
def test_defect(defect: Defect) -> None:
    template = defect.template or not isinstance(defect.case, str)
    ours = (ours_template if template else ours_expression)(defect.case, defect.record, None)
    theirs = (theirs_template if template else theirs_expression)(defect.case, defect.record)
    assert json.dumps(ours) == json.dumps(defect.ours)
    assert json.dumps(theirs) == json.dumps(defect.theirs), "healed by a new release? then take it off the list"
    assert defect.rule
