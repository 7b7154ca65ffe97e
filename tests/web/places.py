"""Every place of the site: who is let in, and the addresses that routes have with the ids of a scene."""

from collections.abc import Iterator

from flask import Flask
from werkzeug.routing import Rule

from marketplace.enrolments.badges import BadgeKey
from marketplace.web.access import Access
from tests.web.scene import Ids, Scene

SIGNED_IN = {"newcomer", "participant", "provider", "finance", "auditor", "curator", "desk"}
ADMITTED: dict[Access, set[str]] = {
    Access.PUBLIC: {"stranger", *SIGNED_IN},
    Access.SIGNED_IN: SIGNED_IN,
    Access.PARTICIPANT: {"participant"},
    Access.PROVIDER: {"provider"},
    Access.FINANCE: {"finance", "auditor"},
    Access.CURATOR: {"curator"},
    Access.DESK: {"desk", "finance", "auditor"},
    Access.PEOPLE: {"desk", "finance"},
    Access.DEVELOPMENT: {"stranger", *SIGNED_IN},
}


def rules(app: Flask, blueprint: str, method: str) -> Iterator[Rule]:
    """The routes of a blueprint that answer a method."""
    found = (rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith(f"{blueprint}."))
    return (rule for rule in found if method in (rule.methods or set()))


def address_of(app: Flask, rule: Rule, scene: Scene, ids: Ids) -> str:
    """A route's address with these ids. What a name means depends on who uses it."""
    values: dict[str, object] = {**ids, "label": f"txn_{scene.transaction.hex}", "level": "0"}
    values["report"] = "kursi"
    values["name"], values["month"] = "000.p/1", "2026-01"
    values["kid"] = BadgeKey(app.extensions["settings"].badge_signing_keys[0]).name
    values["number"] = scene.certificate
    values["survey"] = 1
    values["code"] = "en" if rule.endpoint == "public.language" else "fund:2023"
    if rule.endpoint.startswith("finance."):
        values["run_id"] = scene.payout_run
    if rule.endpoint.startswith("applying."):
        values["document_id"] = ids["drafted_document_id"]
    adapter = app.url_map.bind("localhost")
    return adapter.build(rule.endpoint, {name: values[name] for name in rule.arguments})


def states(scene: Scene) -> Iterator[tuple[str, str]]:
    """(who, where): what routes show at other times than those of the scene's own ids."""
    own = scene.own
    yield "provider", f"/lembaga/jadwal/{own['over_run_id']}"
    yield "provider", f"/lembaga/jadwal/{own['over_run_id']}/selesai"
    yield "provider", f"/lembaga/sesi/{own['over_session_id']}/daftar-hadir"
    yield "provider", f"/lembaga/pendaftaran/{own['awaiting_id']}"
    yield "provider", f"/lembaga/pendaftaran/{own['awaiting_id']}/tolak"
    yield "provider", f"/lembaga/pendaftaran/{own['declared_id']}/koreksi"
    yield "participant", f"/kursus-saya/{own['declared_id']}/ulasan"
    yield "participant", f"/bukti/{own['awaiting_id']}"
    yield "participant", f"/beli/{own['full_run_id']}"
    yield "participant", f"/beli/{own['offered_run_id']}"
    yield "stranger", f"/sertifikat/{scene.revoked}"
