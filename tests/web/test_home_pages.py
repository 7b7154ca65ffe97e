"""A participant's home tells why money went back to the state: too late to buy, or too late to spend."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.batches import service as batches
from marketplace.batches.models import Grant
from marketplace.db import transaction
from marketplace.enrolments.cancellation import cancel_run
from marketplace.enrolments.completion import complete_run
from marketplace.identity.models import Role
from tests import factories
from tests.marketplace.enrolments.scenes import advance, attend, buy
from tests.web.conftest import SignIn, read, words, written_day

NOTHING_BOUGHT = "Belum ada pembelian sampai batas waktunya"
SCHEME_OVER = "Masa bantuan berakhir, jadi sisa saldo kembali ke negara."


def test_whoever_strays_onto_the_page_of_others_keeps_their_own_navigation(
    sign_in: SignIn, session: Session
) -> None:
    with transaction() as current:
        user = factories.make_participant(current).user
    answer = sign_in(user).get("/lembaga")
    assert answer.status_code == 403
    assert next(each["href"] for each in read(answer.text).select("nav.tab a")) == "/beranda"
    assert not read(answer.text).select("nav.sisi")


def test_who_holds_several_roles_opens_the_pages_of_each(sign_in: SignIn, session: Session) -> None:
    with transaction() as current:
        user = factories.make_user(current, *(each for each in Role if each is not Role.PARTICIPANT))
    browser = sign_in(user)
    for page in ("/kantor/pengaduan", "/kurasi", "/keuangan"):
        assert browser.get(page).status_code == 200


@pytest.mark.parametrize(
    ("take_back", "buys", "said", "unsaid"),
    [
        (batches.revoke_unspent, False, NOTHING_BOUGHT, SCHEME_OVER),
        (batches.lapse_ended, True, SCHEME_OVER, NOTHING_BOUGHT),
    ],
)
def test_home_says_why_the_balance_went_back(
    sign_in: SignIn, session: Session, owner_engine: Engine,
    take_back: Callable[[Session], int], buys: bool, said: str, unsaid: str,
) -> None:  # fmt: skip
    with transaction() as current:
        grant = factories.make_grant(current)
        if buys:
            buy(current, factories.make_run(current), grant)
        advance(current, owner_engine, _end(grant, buys) - clock.now(current) + timedelta(days=1))
        assert take_back(current) == 1
    home = words(sign_in(grant.participant.user).get("/beranda").text)
    assert said in home and unsaid not in home


@pytest.mark.parametrize(
    ("cut_short", "said"),
    [
        (False, "Tidak datang. Sisa Rp562.500 kembali ke saldo."),
        (True, "Dibatalkan lembaga di tengah jalan. Sisanya kembali ke saldo."),
    ],
)
def test_home_says_truly_how_a_course_ended(
    sign_in: SignIn, session: Session, owner_engine: Engine, cut_short: bool, said: str
) -> None:
    with transaction() as current:
        run = factories.make_run(current)
        grant = factories.make_grant(current)
        mine, other = buy(current, run, grant), buy(current, run)
        attend(current, mine if cut_short else other, 2)
        advance(current, owner_engine, timedelta(days=8 if cut_short else 11))
        if cut_short:
            cancel_run(current, run.id, None, "pengajar sakit")
        else:
            complete_run(current, run.id, None)
    home = words(sign_in(grant.participant.user).get("/beranda").text)
    assert said in home and "Selesai, hadir" not in home
    assert f"Pakai sampai {written_day(grant.spend_by)} pukul 23.59 WIB" in home
    assert f"Waktu program dimajukan {8 if cut_short else 11} hari 0 jam untuk uji coba." in home


def _end(grant: Grant, buys: bool) -> datetime:
    assert grant.first_purchase_by is not None
    return grant.spend_by if buys else grant.first_purchase_by
