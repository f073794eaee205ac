"""Referrals as practices send them, in every form that is taken. Nobody here is real."""

from __future__ import annotations

from typing import Any

from bridge.model import type_json

SYSTEM = "urn:oid:2.16.840.1.113883.19.5.1"
NUMBER = {"system": "urn:oid:2.16.840.1.113883.19.5.2", "value": "REF-77"}


def patient(number: str = "m-1", **more: Any) -> type_json:
    return {
        "resourceType": "Patient",
        "id": "p",
        "identifier": [{"system": SYSTEM, "value": number}],
        "name": [{"family": "Ejemplo", "given": ["Luz"]}],
        "birthDate": "2021-03-04",
        **more,
    }


def request(subject: str = "#p", **more: Any) -> type_json:
    return {
        "resourceType": "ServiceRequest",
        "identifier": [NUMBER],
        "status": "active",
        "intent": "order",
        "code": {"text": "Family partner"},
        "subject": {"reference": subject},
        "reasonCode": [{"text": "Sleepless nights"}],
        "authoredOn": "2026-02-19",
        "requester": {"display": "Dr. Lee Chen"},
        "note": [{"text": "La mamá pide ayuda."}],
        **more,
    }


def contained(**more: Any) -> type_json:
    return request(contained=[patient()], **more)


def bundle(type: str = "transaction", **more: Any) -> type_json:
    entries: list[type_json] = [
        {"fullUrl": "urn:uuid:0f1d5a3e-3b0e-4f5c-8f3c-2f6d1c9d7a11", "resource": patient()},
        {
            "fullUrl": "urn:uuid:6a1d5a3e-3b0e-4f5c-8f3c-2f6d1c9d7a12",
            "resource": request("urn:uuid:0f1d5a3e-3b0e-4f5c-8f3c-2f6d1c9d7a11", **more),
        },
    ]
    if type != "collection":
        for entry in entries:
            entry["request"] = {"method": "POST", "url": entry["resource"]["resourceType"]}
    return {"resourceType": "Bundle", "type": type, "entry": entries}


def task(**more: Any) -> type_json:
    inside = [patient(), {**request(), "id": "r"}]
    return {
        "resourceType": "Task",
        "contained": inside,
        "status": "requested",
        "intent": "order",
        "focus": {"reference": "#r"},
        "for": {"reference": "#p"},
        **more,
    }
