"""What the bridge itself writes in a document, in the reader's language. Nobody else's words are translated."""

from __future__ import annotations

from typing import Final

LANGUAGES: Final = ("en", "es")

WORDS: Final[dict[str, tuple[str, str]]] = {
    # the frame
    "nothing-asked": (
        "Nothing is asked of you; this is for your information.",
        "No se le pide nada; este documento es para su información.",
    ),
    "written-by": ("Written by", "Escrito por"),
    "date": ("Date", "Fecha"),
    "corrected": (
        "This document corrects an earlier one.",
        "Este documento corrige uno anterior.",
    ),
    "supersedes": (
        "This note takes the place of an earlier one, which stays in this chart: please read this one instead.",
        "Esta nota sustituye a una anterior, que permanece en este expediente: por favor, lea esta en su lugar.",
    ),
    "disregard": (
        "Please disregard an earlier note, which still stands in this chart: it was entered in error.",
        "Por favor, no tenga en cuenta una nota anterior, que sigue en este expediente: se registró por error.",
    ),
    "disregard-title": (
        "Request to disregard an earlier note",
        "Solicitud de no tener en cuenta una nota anterior",
    ),
    "earlier": ("The earlier note", "La nota anterior"),
    "taken-back": (
        "The agency has taken this entry back.",
        "La agencia ha retirado esta entrada.",
    ),
    "takes-place-of": ("Takes the place of", "Reemplaza a"),
    "handed-back-title": ("Please disregard an earlier document", "Por favor ignore un documento anterior"),
    "handed-back": (
        "The agency has taken back the document with this delivery reference; please remove it or mark it as an error:",
        "La agencia ha retirado el documento con esta referencia; por favor elimínelo o márquelo como error:",
    ),
    "several": ("News from the agency", "Novedades de la agencia"),
    "entries": ("Entries", "Entradas"),
    "about": ("About", "Sobre"),
    "to-do": ("For the clinician", "Para el equipo médico"),
    "page": ("Page", "Página"),
    "about-document": ("About this document", "Sobre este documento"),
    "none-told": ("Nothing is said here.", "No se dice nada aquí."),
    "told-elsewhere": ("This is told under another heading.", "Esto se dice bajo otro título."),
    "call": ("Questions", "Preguntas"),
    "incomplete": (
        "This document may not hold everything the agency knows: the family and the law decide what is shared.",
        "Este documento puede no contener todo lo que la agencia sabe: la familia y la ley deciden qué se comparte.",
    ),
    "reference": ("Delivery reference", "Referencia de entrega"),
    "document": ("Note from a community agency", "Nota de una agencia comunitaria"),
    # that no consent is in force any more (release/ended.py)
    "ended-title": ("Consent to share has ended", "El consentimiento para compartir ha terminado"),
    "ended-since": (
        "The consent to share this patient's records with you is not in force any more, since",
        "El consentimiento para compartir con ustedes la información de este paciente ya no está vigente, desde el",
    ),
    "ended-after": (
        "Nothing further will be sent under it.",
        "No se enviará nada más en virtud de él.",
    ),
    "ended-before": (
        "What was sent before was true when it was sent, and stays.",
        "Lo que se envió antes era cierto cuando se envió, y permanece.",
    ),
    # what accompanies substance use records (notices.py)
    "part2": ("Federal notice (42 CFR part 2)", "Aviso federal (42 CFR parte 2)"),
    "consent-scope": ("What the written consent covers", "Qué cubre el consentimiento por escrito"),
    "consent-to": ("to", "a"),
    "consent-for": ("for", "para"),
    "consent-of": ("covering", "que abarca"),
    "consent-from": ("from", "desde el"),
    "consent-until": ("through", "hasta el"),
    "consent-form": ("Consent form", "Formulario de consentimiento"),
    "by:unstated": ("given in writing", "dado por escrito"),
    "by:self": ("given by the person themselves", "dado por la propia persona"),
    "by:parent": ("given by a parent", "dado por el padre o la madre"),
    "by:guardian": ("given by a guardian", "dado por el tutor legal"),
    "by:state": ("given by the state agency with custody", "dado por la agencia estatal con custodia"),
    "purpose:care-coordination": ("care coordination", "la coordinación del cuidado"),
    "purpose:treatment": ("treatment", "el tratamiento"),
    "content:ordinary": ("facts of the services given", "datos de los servicios prestados"),
    "content:narrative": ("what people wrote", "lo que se escribió"),
    "content:caregiver-health": ("an adult's health", "la salud de una persona adulta"),
    "content:substance-use": ("substance use records", "registros sobre uso de sustancias"),
    "content:violence-location": ("safety and places", "seguridad y lugares"),
    "content:child-welfare": ("child welfare", "protección de menores"),
    "content:screening-done": ("that a screening was done", "que se hizo una evaluación"),
    # headings for the parts of a document that has no sections of its own
    "CarePlan": ("Care plan", "Plan de cuidado"),
    "CareTeam": ("Care team", "Equipo de cuidado"),
    "Communication": ("Message", "Mensaje"),
    "Condition": ("Health concern", "Preocupación de salud"),
    "Encounter": ("Contact", "Contacto"),
    "Goal": ("Goals", "Metas"),
    "Observation": ("Findings", "Resultados"),
    "QuestionnaireResponse": ("Questionnaire", "Cuestionario"),
    "ServiceRequest": ("Service request", "Solicitud de servicio"),
    "Task": ("Task", "Tarea"),
    # labels
    "activity": ("Planned", "Previsto"),
    "answers": ("Answers", "Respuestas"),
    "description": ("Description", "Descripción"),
    "due": ("Due", "Fecha límite"),
    "for": ("For", "Para"),
    "goal": ("Goal", "Meta"),
    "in-words-of": ("In the words of", "En palabras de"),
    "interpretation": ("Interpretation", "Interpretación"),
    "kind": ("Kind", "Tipo"),
    "length": ("Length", "Duración"),
    "medium": ("By", "Por"),
    "name": ("Name", "Nombre"),
    "onset": ("Since", "Desde"),
    "person": ("Person", "Persona"),
    "place": ("Place", "Lugar"),
    "progress": ("Progress", "Avance"),
    "reason": ("Reason", "Motivo"),
    "result": ("Result", "Resultado"),
    "said": ("Message", "Mensaje"),
    "since": ("Since", "Desde"),
    "status": ("Status", "Estado"),
    "until": ("Until", "Hasta"),
    "vacant": ("nobody at present", "nadie por ahora"),
    "when": ("When", "Cuándo"),
    "with": ("With", "Con"),
    "no-value": ("no result", "sin resultado"),
    "yes": ("yes", "sí"),
    "no": ("no", "no"),
    "minutes": ("minutes", "minutos"),
    "to": ("to", "a"),
    "from": ("from", "desde el"),
    "ended": ("past on the date of this document", "ya vencido en la fecha de este documento"),
    # Encounter.class, http://terminology.hl7.org/CodeSystem/v3-ActCode
    "class:AMB": ("office or clinic", "consultorio o clínica"),
    "class:FLD": ("in the community", "en la comunidad"),
    "class:HH": ("home visit", "visita al hogar"),
    "class:VR": ("by phone or video", "por teléfono o video"),
    # statuses of the FHIR types above; one that is missing here is shown as its code
    "status:accepted": ("accepted", "aceptado"),
    "status:active": ("active", "activo"),
    "status:cancelled": ("cancelled", "cancelado"),
    "status:completed": ("completed", "completado"),
    "status:draft": ("draft", "borrador"),
    "status:failed": ("not successful", "sin éxito"),
    "status:final": ("final", "definitivo"),
    "status:finished": ("took place", "realizado"),
    "status:in-progress": ("in progress", "en curso"),
    "status:not-done": ("did not take place", "no realizado"),
    "status:on-hold": ("on hold", "en pausa"),
    "status:planned": ("planned", "previsto"),
    "status:preliminary": ("preliminary", "preliminar"),
    "status:proposed": ("proposed", "propuesto"),
    "status:rejected": ("declined", "rechazado"),
    "status:requested": ("requested", "solicitado"),
    "status:revoked": ("withdrawn", "retirado"),
}


class Words:
    """The words of one language; a language nobody wrote down is answered in English."""

    def __init__(self, language: str) -> None:
        found = language.split("-")[0].lower()
        self.language = found if found in LANGUAGES else LANGUAGES[0]
        self._at = LANGUAGES.index(self.language)

    def __call__(self, key: str) -> str:
        """The word for a key of `WORDS`. Raises KeyError."""
        return WORDS[key][self._at]

    def code(self, group: str, code: str) -> str:
        """The word for a code of a group, or the code itself."""
        return WORDS[f"{group}:{code}"][self._at] if f"{group}:{code}" in WORDS else code
