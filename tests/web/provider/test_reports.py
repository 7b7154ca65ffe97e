"""Plots whose findings, tables and files are the figures of the database."""

from datetime import timedelta

from flask.testing import FlaskClient

from marketplace import clock
from marketplace.db import transaction
from marketplace.enrolments import completion, reviewing, trends
from tests.web.conftest import read, words
from tests.web.provider.conftest import Stall, counted

PLOTS = "/lembaga/grafik"


def test_a_new_provider_reads_that_there_is_nothing_yet(desk: FlaskClient) -> None:
    page = words(desk.get(PLOTS).text)
    assert "Belum ada kelas yang mulai dalam 12 pekan terakhir." in page
    assert "Belum ada kelas yang dinyatakan selesai dalam 12 pekan terakhir." in page
    assert "Belum ada ulasan dalam 12 pekan terakhir." in page
    assert "Belum ada hak lembaga dalam 12 pekan terakhir." in page
    assert desk.get(f"{PLOTS}/lain.csv").status_code == 404


def test_each_plot_has_its_finding_its_table_and_its_file(desk: FlaskClient, stall: Stall) -> None:
    run = stall.make_run()
    sold = stall.sell(run, "Ratna Lestari", "Yohanes Tukan", "Sulastri")
    for enrolment, attended in zip(sold, (4, 2, 0), strict=True):
        stall.attend(enrolment, attended)
    stall.pass_until_over(run)
    with transaction() as current:
        completion.complete_run(current, run.id, None)
        for enrolment, stars in zip(sold, (5, 2), strict=False):
            reviewing.review(current, enrolment.id, enrolment.participant_id, stars, "Begitulah.")
    page = desk.get(PLOTS)
    assert "3 dari 20, 15% dalam 12 pekan. Tertinggi 15% pada pekan" in words(page.text)
    assert "1 dari 3, 33% dalam 12 pekan." in words(page.text)
    found = "Rp1.181.250 diakui, Rp0 melewati masa keberatan, Rp0 dibayarkan dalam 12 pekan."
    assert found in words(page.text)
    found = "Rata-rata 3,5 dari 2 ulasan dalam 12 pekan. Satu atau dua bintang: 1."
    assert found in words(page.text)
    cards = read(page.text).select("section.kartu")
    assert [len(card.select("details tbody tr")) for card in cards] == [12, 12, 12, 12]
    axis = [each.get_text() for each in cards[2].select("svg.plot-lebar text[x='-30']")]
    assert axis == ["0", "1", "2", "3", "4", "5"]
    assert all(len(card.select("svg.plot-lebar rect")) in {12, 36} for card in cards)
    now = clock.now(stall.session)
    files = [
        desk.get(f"{PLOTS}/{name}.csv").data.decode("utf-8-sig")
        for name in ("kursi", "selesai", "uang", "nilai")
    ]
    week = trends.weeks_until(now)[-1]
    assert files[1].splitlines()[-1] == f"{week},1,3,33"
    assert files[2].splitlines()[0] == "Pekan mulai,Diakui,Melewati masa keberatan,Dibayarkan"
    assert files[2].splitlines()[-1] == f"{week},1181250,0,0"
    assert files[3].splitlines()[-1] == f"{week},3.5,2,1"
    stall.session.rollback()
    later = now + timedelta(days=20)
    money = trends.money_by_week(stall.session, stall.provider.id, later)
    assert sum(each.matured for each in money) == 1_181_250


def test_plots_take_the_same_queries_for_more_rows(desk: FlaskClient, stall: Stall) -> None:
    run = stall.make_run()
    stall.sell(run, "Satu")
    desk.get(PLOTS)
    with counted() as few:
        desk.get(PLOTS)
    stall.sell(run, "Dua", "Tiga")
    stall.sell(stall.make_run(), "Empat")
    with counted() as many:
        desk.get(PLOTS)
    assert len(many) == len(few)
