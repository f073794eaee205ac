"""What accompanies a disclosure of substance use records (42 CFR part 2), in the words the rule fixes.

The statements are those of 42 CFR §2.32(a)(1) and (2) as amended by 89 FR 12472 (16 February 2024, in force since
16 April 2024, to be complied with since 16 February 2026); read on 22 November 2026. They are the law's own words and
stand in English whatever the document's language. §2.32(b): a copy of the consent, or a clear explanation of its scope,
goes along; the bridge holds no copy of a paper form, so it explains. Compared with public copies of the amended text:
compliancecosmos.org (the opening of §2.32), govregs.com (§2.31), 22 November 2026.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from bridge.documents.content import Line
from bridge.documents.words import Words

FULL: Final = (
    "This record which has been disclosed to you is protected by Federal confidentiality rules (42 CFR part 2). These "
    "rules prohibit you from using or disclosing this record, or testimony that describes the information contained in "
    "this record, in any civil, criminal, administrative, or legislative proceedings by any Federal, State, or local "
    "authority, against the patient, unless authorized by the consent of the patient, except as provided at 42 CFR "
    "2.12(c)(5) or as authorized by a court in accordance with 42 CFR 2.64 or 2.65. In addition, the Federal rules "
    "prohibit you from making any other use or disclosure of this record unless at least one of the following "
    "applies:\n"
    "(i) Further use or disclosure is expressly permitted by the written consent of the individual whose information "
    "is being disclosed in this record or as otherwise permitted by 42 CFR part 2.\n"
    "(ii) You are a covered entity or business associate and have received the record for treatment, payment, or "
    "health care operations, or\n"
    "(iii) You have received the record from a covered entity or business associate as permitted by 45 CFR part 164, "
    "subparts A and E.\n"
    "A general authorization for the release of medical or other information is NOT sufficient to meet the required "
    "elements of written consent to further use or redisclose the record (see 42 CFR 2.31)."
)
SHORT: Final = "42 CFR part 2 prohibits unauthorized use or disclosure of these records."


@dataclass(frozen=True, slots=True)
class Scope:
    """One consent as its recipient may know it: who gave it, for what, which classes of content, which days."""

    authority: str
    purpose: str
    classes: tuple[str, ...]
    first_day: str
    last_day: str = ""
    form: str = ""  # the paper form's own name or number


@dataclass(frozen=True, slots=True)
class Disclosure:
    """What goes along with substance use records: the statement, and the consents they rest on."""

    recipient: str
    scopes: tuple[Scope, ...]
    full: bool = True

    def lines(self, say: Words) -> Iterator[Line]:
        """The lines of a document's foot."""
        yield Line(FULL if self.full else SHORT, say("part2"), "en" if say.language != "en" else "")
        for scope in self.scopes:
            yield Line(explained(scope, self.recipient, say), say("consent-scope"))

    def note(self, say: Words) -> str:
        """The same in the words of one annotation, always with the short statement."""
        return "\n".join((SHORT, *(explained(scope, self.recipient, say) for scope in self.scopes)))


def explained(scope: Scope, recipient: str, say: Words) -> str:
    """The scope of one consent, as one line in the document's language."""
    until = f" {say('consent-until')} {scope.last_day}" if scope.last_day else ""
    classes = ", ".join(say.code("content", name) for name in scope.classes)
    said = [
        say.code("by", scope.authority),
        f"{say('consent-to')} {recipient}",
        f"{say('consent-for')} {say.code('purpose', scope.purpose)}",
        f"{say('consent-of')} {classes}",
        f"{say('consent-from')} {scope.first_day}{until}",
    ]
    form = f". {say('consent-form')}: {scope.form}" if scope.form else ""
    return "; ".join(said) + form
