"""How people are called in the regions of Indonesia. Every name is put together at random.

A tradition has given names, second names and perhaps clans (marga, fam). Many people have one name
only, and a form that asks for a surname fails them; `single` is how often that is so.
"""

from dataclasses import dataclass
from random import Random

from marketplace.participants.nik import Sex


@dataclass(frozen=True, slots=True)
class Tradition:
    """Pools of names, written as words with spaces between; a name of two words uses `_`."""

    men: str
    women: str
    men_second: str = ""
    women_second: str = ""
    clans: str = ""
    men_prefix: str = ""
    women_prefix: str = ""
    single: float = 0.0
    second: float = 1.0
    prefix: float = 0.0


TRADITIONS = {
    "jawa": Tradition(
        men="Sugeng Slamet Suparman Paijo Wahyu Bayu Dimas Eko Dwi Tri Joko Bambang Agung Teguh Rizki "
        "Arif Galih Yoga Supriyadi Mulyono Wagimin Ngatiman Ponidi Sukirno Aditya Fajar Prasetyo Budi "
        "Catur",
        women="Sri Endah Wahyuni Sumarni Suminah Ngatini Tumini Partini Dewi Rini Retno Ayu Dian Fitri Siti "
        "Nur Tri Dwi Lestari Puji Wulan Ratna Indah Anisa Kartika Mega Yuni Eka Rahayu Murni",
        men_second="Santoso Wibowo Prasetyo Nugroho Purnomo Kurniawan Setiawan Saputra Utomo Raharjo "
        "Wicaksono Susilo Haryanto Pamungkas Hidayat Riyadi Cahyono Adi_Saputro Tri_Laksono",
        women_second="Lestari Wulandari Rahayu Handayani Astuti Ningsih Utami Puspitasari Kusumawati "
        "Widyastuti Setyowati Maharani Anggraeni Purwanti Rahmawati Fitriani Suryandari Hapsari Nur_Aini "
        "Dewi_Sekar",
        single=0.3,
    ),
    "sunda": Tradition(
        men="Asep Dadang Cecep Ujang Dede Entis Iwan Yayan Deden Jajang Aep Agus Encep Rahmat Ridwan "
        "Rizal Gilang Rangga Yadi Tatang Endang Wawan Hilman Fauzi",
        women="Neng Euis Ai Iis Imas Cucu Eneng Yeni Lilis Teti Nia Rina Tini Dewi Siti Ani Lina Yuyun Elis "
        "Resti Intan Wida Popon Santi",
        men_second="Suhendar Sutisna Permana Hidayat Kurnia Mulyana Sopandi Gunawan Sunarya Ruhiyat "
        "Supriatna Iskandar Nurjaman Hermawan Ramdani Taufik Komarudin Setiana",
        women_second="Rohaeni Nurhayati Kartini Sumiati Nuraeni Komariah Rosmiati Aisyah Maryati Susilawati "
        "Rahmawati Mulyati Juariah Fatimah Hodijah Sukaesih Marlina Yulianti",
        single=0.08,
    ),
    "betawi": Tradition(
        men="Ahmad Muhammad Abdul Saiful Rojali Mardani Zaenal Hasan Ridho Syamsul Nasrul Udin Fadli "
        "Rahmat Irfan Maulana",
        women="Siti Nur Maimunah Rodiah Fatmah Zahra Halimah Rohayati Masitoh Mutia Nabila Aisyah "
        "Komalasari Yulia",
        men_second="Fauzi Syarif Hakim Mukhtar Junaedi Sanusi Rosyid Firmansyah Mansyur Ramadhan Hafiz "
        "Bahtiar Yusuf",
        women_second="Marhamah Nurlaila Hasanah Khadijah Azizah Zubaedah Salma Amelia Rahma Kamilah Fadilah "
        "Safitri",
        single=0.08,
    ),
    "madura": Tradition(
        men="Moh. Abd. Achmad Imam Hasan Syaiful Ach. Mat Busri Suryadi Fathor",
        women="Siti Hosniyah Maisaroh Sumiyati Rohimah Musrifah Nur Ummi Hasanatul Suhartini",
        men_second="Rofiki Hosen Rahman Bukhori Muzakki Hamid Syafii Farid Subairi Ghozali Munir Holil",
        women_second="Aminah Kholifah Jamilah Hamidah Romlah Kamariyah Zainab Hotimah Mutmainnah Aisyah",
        single=0.1,
    ),
    "batak": Tradition(
        men="Parlindungan Togar Binsar Jonggi Saut Ronald Daniel Josua Marihot Tumpal Poltak Andreas "
        "Ruben Samuel Bonar Manaek Hasudungan Immanuel",
        women="Rotua Tiurma Ria Duma Lasmaria Rosmauli Melva Christina Natalia Hotmaida Nurmala Debora "
        "Ester Yohana Rumondang Tiominar Sondang Lamria",
        men_second="Parulian Martua Halomoan Jefri Roni Maruli Pardamean Edison",
        women_second="Uli Maria Rosa Theresia Magdalena Veronika Elisabeth Mariana",
        clans="Sihombing Manurung Simanjuntak Nainggolan Hutapea Sitorus Panjaitan Pasaribu Siregar Harahap "
        "Tarigan Ginting Sembiring Saragih Purba Lumbantoruan Situmorang Tampubolon Marpaung Gultom",
        second=0.3,
    ),
    "minang": Tradition(
        men="Syafril Zulkifli Yusrizal Afrizal Ilham Rafki Hendri Doni Erizal Nofrizal Fadhil Arif "
        "Yulizar Masrul",
        women="Yusnidar Rahmi Nelfi Desi Yenti Gustina Fitri Mutia Silvia Elfira Nurbaiti Upik Wirda "
        "Rosmaini",
        men_second="Hidayat Putra Anwar Hamdi Rasyid Illahi Syahputra Fikri Rahman",
        women_second="Yanti Gusti Rahmadani Oktavia Elvira Permata Suryani Hasanah Marlena",
        clans="Chaniago Piliang Koto Tanjung Sikumbang Jambak Melayu Guci",
        single=0.12,
        second=0.7,
    ),
    "melayu": Tradition(
        men="Muhammad Raja Said Tengku Zulfikar Hafiz Ridwan Syahrial Azhar Amran Irwan Faisal Kemas "
        "Firdaus Herman",
        women="Nurul Siti Raja Tengku Salmah Masayu Rosnani Wan Yulia Hasnah Aini Khairani Nyimas Zaleha",
        men_second="Syahputra Effendi Hamzah Fadillah Iskandar Azmi Kurniawan Saputra Ibrahim Anhar Mahmud",
        women_second="Hidayati Maharani Oktarina Zahara Aprilia Mardiana Fitria Sakinah Nazira Humaira",
        single=0.1,
    ),
    "aceh": Tradition(
        men="Teuku Muhammad Zulfan Nasruddin Iskandar Mukhlis Fakhrurrazi Munawar Safrizal Rizwan Mahdi "
        "Aulia",
        women="Cut Nurul Rahmah Mutia Safira Rauzah Ulfa Nazariah Darmawati Fitriani Meutia Aklima",
        men_second="Ramli Ismail Yahya Syahrul Abdullah Usman Ilyas Maulana Zakaria Hanafiah",
        women_second="Hayati Zahara Husna Mardhiah Aisyah Nadia Sari Safrina Khairunnisa Dahlia",
        single=0.12,
    ),
    "bali": Tradition(
        men="Wayan Made Nyoman Ketut Putu Gede Kadek Komang",
        women="Wayan Made Nyoman Ketut Putu Luh Kadek Komang",
        men_second="Suardana Sudarma Widiantara Artawan Adnyana Mahardika Sukerta Pradnyana Wirawan Yasa "
        "Suastika Budiarta",
        women_second="Sukarmini Suryani Ariani Puspayanti Widiastuti Sudiari Adnyani Lestari Sriasih Purnami "
        "Dewantari",
        men_prefix="I",
        women_prefix="Ni",
        prefix=1.0,
    ),
    "sasak": Tradition(
        men="Lalu Muhammad Suhaili Sahnun Zulkarnain Haerudin Mahsun Amaq Jumadil Saparudin Hamzan",
        women="Baiq Siti Nurhasanah Inaq Hidayatul Zohratul Sri Maenah Rohani Nurul Haeriah",
        men_second="Wiranata Hamdani Satriawan Jayadi Fathurrahman Rusdi Munawir Supardi Azhari",
        women_second="Handayani Hartini Aulia Mariani Juniati Fitriah Sakdiah Apriani Humaeroh",
        single=0.12,
    ),
    "flores": Tradition(
        men="Yohanes Fransiskus Petrus Agustinus Kornelis Benediktus Stefanus Marselinus Robertus Silvester",
        women="Maria Yuliana Theresia Agnes Kristina Bernadeta Yosefina Margaretha Elisabet Paulina",
        men_second="Don_Bosco Hendrikus Ferdinandus Emanuel",
        women_second="Goreti Florida Nona Immaculata",
        clans="Jehadun Ngabut Wangge Dua Keytimu Parera Lering Mbete Gadi Nggajo Da_Cunha Djawa",
        second=0.35,
    ),
    "timor": Tradition(
        men="Yusuf Melkianus Markus Nikodemus Yermias Soleman Thomas Obed Daud Gerson",
        women="Yuliana Dorkas Welmince Marselina Ance Ester Orpa Adriana Merry Naomi",
        clans="Nenobais Tefa Banunaek Lassa Benu Taneo Selan Manafe Ndolu Bessie Foeh Lakapu",
    ),
    "dayak": Tradition(
        men="Yosef Albertus Markus Lukas Hendrikus Kristianus Agustinus Sabran Yulius Ambrosius",
        women="Theresia Yuliana Lusia Norhana Anastasia Monika Katarina Rusmina Veronika Melania",
        men_second="Jampi Nyaong Acan Kilat Usman Bawai Sungkup Alui Lawai Ngau",
        women_second="Suli Lawing Idau Sani Bulan Hera Tening Ubung Dayang Lending",
        single=0.05,
    ),
    "banjar": Tradition(
        men="Muhammad Ahmad Syahrani Rusdiansyah Hairudin Gusti Fahrurazi Akhmad Rahmadi Supian Jailani "
        "Mahyuni",
        women="Norhayati Siti Rusmilawati Norhasanah Mariatul Rahmah Noor Galuh Jumiati Fauziah Misnawati "
        "Mahrita",
        men_second="Ramadhani Noor Hidayatullah Arsyad Ansari Maulidi Fitriadi Rifani Zaini",
        women_second="Jannah Hasanah Kiptiah Aulia Safitri Latifah Maulida Hikmah Wahdah",
        single=0.22,
    ),
    "bugis": Tradition(
        men="Andi Muhammad Baso Sudirman Syamsuddin Ambo Rusli Amiruddin Haeruddin Ilham Daeng Arsyad Takdir",
        women="Andi Besse Hasnawati Nurhayati Rosdiana Sitti Marhuma Daeng Indo Fatmawati Nurmiati Hasriani",
        men_second="Mappangara Tenri Asse Lolo Rahman Parawansa Makkasau Bahtiar Yusran Nawir Saleh",
        women_second="Tenri Batari Rahmi Nurdiana Ramlah Aminah Rosmini Sulfiani Halijah Mariama",
        single=0.18,
    ),
    "toraja": Tradition(
        men="Yohanis Markus Daniel Agustinus Yulius Simon Petrus Luther",
        women="Ludia Agustina Ribka Yuliana Maria Damaris Elis Kristina",
        clans="Pongtuluran Tandilino Rante_Allo Palimbong Tangkelangi Sarungallo Patandean Bunga Lembang "
        "Salurante",
    ),
    "buton": Tradition(
        men="La_Ode La La_Ode Muhammad Hasrun Sarifuddin Rahmat",
        women="Wa_Ode Wa Sitti Wa_Ode Nurlela Hasna Rosmina",
        men_second="Kaimuddin Hasan Safiun Ramli Sahrun Jufri Munir Alimin",
        women_second="Rahmawati Salma Hartati Nuriati Fitri Samsia Yuliana Asriani",
    ),
    "gorontalo": Tradition(
        men="Abdul Rahmat Ismail Ramdan Yusuf Hamzah Rivai Taufik",
        women="Fatmah Sri Hadija Rahmatia Nurain Yulinda Maryam Ulin",
        clans="Hulopi Pakaya Mohune Lamusu Monoarfa Tangahu Djafar Kadir Husain Bouti",
    ),
    "minahasa": Tradition(
        men="Jefry Stenly Maikel Rommy Ferdy Vecky Christian Noldy Jantje Billy",
        women="Meike Sherly Olvie Fera Grace Novita Jein Cindy Syane Merlin",
        men_second="Adrian Frans Rocky Alfrits",
        women_second="Gloria Natalia Deisy Maria",
        clans="Rondonuwu Wowor Pangemanan Kalalo Mandagi Tumbelaka Lumingkewas Rorimpandey Sumual Karundeng "
        "Rawung",
        second=0.3,
    ),
    "maluku": Tradition(
        men="Jacob Semuel Frangky Abdul Ongen Jemmy Izaac Rifai Marthen Yongky",
        women="Ona Grace Feby Jacoba Sitti Novalin Martha Wa Ester Yola",
        clans="Latumahina Pattinama Tuhumury Sahetapy Leiwakabessy Tomasoa Lestaluhu Tuasikal Hehanussa "
        "Matulessy Siahaya",
    ),
    "ternate": Tradition(
        men="Muhammad Iswan Rusdi Arifin Fahri Sofyan Hidayat Risman",
        women="Nurain Sarifa Fatma Rahma Sunarti Nona Jubaida Masita",
        clans="Umar Hamid Tjan Abdullah Kamarullah Soleman Marsaoly Djumati Sangaji Albaar",
    ),
    "papua": Tradition(
        men="Yohanis Yakob Otniel Menase Beni Elias Frans Natan Lukas Pilemon Demianus Isak",
        women="Yosephina Dorina Yuliana Orpa Fransina Naomi Yakoba Agustina Martina Selfina Regina",
        clans="Wenda Tabuni Kogoya Yikwa Rumbiak Mandacan Wonda Sroyer Wanggai Kambuaya Ohee Felle Mahuze "
        "Gebze Pekei Douw Rumaropen Yarangga Asso Hisage",
    ),
    "tionghoa": Tradition(
        men="Hendra Kevin Andreas Steven Willy Susanto Johan Edwin Ferry Wei_Ming Kian_Seng Vincent Robby "
        "Hartono",
        women="Melissa Lili Vivian Susan Mei_Lan Jessica Yenny Fenny Linda Siu_Lan Cynthia Meliana Stefani",
        clans="Wijaya Gunawan Halim Tanuwijaya Lim Tandiono Kusuma Santosa Liem Setiadi Oei Tanujaya "
        "Hartanto Budiman Susilo Limantara",
    ),
}

# Words that open a name and are not one by themselves.
_NEVER_ALONE = (
    " Sri Nur Siti Dwi Tri Puji Eko Dewi Muhammad Ahmad Akhmad Abdul Abd. Moh. Ach. Mat Ummi Ai Neng"
    " Raja Said Tengku Wan Teuku Cut Lalu Baiq Amaq Inaq Gusti Galuh Andi Daeng Besse Ambo Indo La Wa"
    " Nurul Noor Hasanatul Hidayatul Zohratul Mariatul Sitti Kemas Masayu Nyimas "
)


def full_name(random: Random, tradition: str, sex: Sex) -> tuple[str, str]:
    """A name, and its clan ("" where the tradition has none), which a family shares."""
    pool = TRADITIONS[tradition]
    clan = _one(random, pool.clans)
    return given_name(random, tradition, sex, clan), clan


def given_name(random: Random, tradition: str, sex: Sex, clan: str) -> str:
    """A full name for somebody of a known clan."""
    pool = TRADITIONS[tradition]
    man = sex is Sex.MALE
    words = [_one(random, pool.men if man else pool.women)]
    alone = random.random() < pool.single and f" {words[0]} " not in _NEVER_ALONE
    if random.random() < pool.prefix:
        words.insert(0, pool.men_prefix if man else pool.women_prefix)
    if not alone and random.random() < pool.second:
        words.append(_one(random, pool.men_second if man else pool.women_second))
    return " ".join(word for word in _without_repeats([*words, "" if alone else clan]) if word)


def _one(random: Random, words: str) -> str:
    return random.choice(words.split()).replace("_", " ") if words else ""


def _without_repeats(words: list[str]) -> list[str]:
    return [word for position, word in enumerate(words) if word not in words[:position]]
