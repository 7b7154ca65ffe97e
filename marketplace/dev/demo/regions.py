"""Where the demonstration's people live: some regencies of all 38 provinces.

Codes and names are Kemendagri's (public facts); the weight is roughly the share of people that the
demonstration takes from there, so that Java is fullest and no province is empty.
"""

from dataclasses import dataclass

_DISTRICTS = ("01", "02", "03")
# Regencies whose first districts have other numbers, because the first ones were split off.
_OTHER_DISTRICTS = {
    "3204": ("05", "06", "07"),
    "5310": ("01", "03", "05"),
    "8101": ("01", "02", "06"),
    "9202": ("03", "04", "05"),
}

# code | name | weight | naming traditions, the commonest first
_TABLE = """
1171|Kota Banda Aceh|3|aceh
1108|Kabupaten Aceh Utara|3|aceh
1271|Kota Medan|7|batak tionghoa melayu jawa
1207|Kabupaten Deli Serdang|4|batak jawa melayu
1371|Kota Padang|4|minang
1306|Kabupaten Agam|2|minang
1471|Kota Pekanbaru|4|melayu minang batak
1571|Kota Jambi|2|melayu jawa
1671|Kota Palembang|4|melayu jawa tionghoa
1771|Kota Bengkulu|2|melayu
1871|Kota Bandar Lampung|4|jawa melayu
1802|Kabupaten Lampung Tengah|3|jawa bali
1971|Kota Pangkal Pinang|1|melayu tionghoa
2171|Kota Batam|3|melayu batak jawa minang
3171|Kota Administrasi Jakarta Pusat|3|betawi jawa tionghoa
3173|Kota Administrasi Jakarta Barat|6|betawi tionghoa jawa
3174|Kota Administrasi Jakarta Selatan|5|betawi jawa sunda minang
3175|Kota Administrasi Jakarta Timur|7|betawi jawa batak
3201|Kabupaten Bogor|9|sunda betawi
3204|Kabupaten Bandung|7|sunda
3205|Kabupaten Garut|5|sunda
3212|Kabupaten Indramayu|4|jawa sunda
3216|Kabupaten Bekasi|6|sunda betawi jawa
3273|Kota Bandung|5|sunda tionghoa jawa
3276|Kota Depok|4|betawi sunda jawa
3301|Kabupaten Cilacap|4|jawa
3311|Kabupaten Sukoharjo|3|jawa
3320|Kabupaten Jepara|3|jawa
3323|Kabupaten Temanggung|2|jawa
3372|Kota Surakarta|3|jawa tionghoa
3374|Kota Semarang|5|jawa tionghoa
3402|Kabupaten Bantul|3|jawa
3404|Kabupaten Sleman|3|jawa
3471|Kota Yogyakarta|2|jawa
3507|Kabupaten Malang|6|jawa
3509|Kabupaten Jember|5|jawa madura
3515|Kabupaten Sidoarjo|5|jawa madura
3526|Kabupaten Bangkalan|3|madura
3578|Kota Surabaya|7|jawa madura tionghoa
3602|Kabupaten Lebak|3|sunda
3603|Kabupaten Tangerang|6|sunda betawi tionghoa
3671|Kota Tangerang|4|betawi sunda tionghoa
5102|Kabupaten Tabanan|2|bali
5103|Kabupaten Badung|2|bali
5171|Kota Denpasar|3|bali
5203|Kabupaten Lombok Timur|4|sasak
5271|Kota Mataram|2|sasak bali
5307|Kabupaten Sikka|2|flores
5310|Kabupaten Manggarai|2|flores
5371|Kota Kupang|2|timor flores
6107|Kabupaten Bengkayang|1|dayak tionghoa
6171|Kota Pontianak|3|melayu dayak tionghoa
6271|Kota Palangkaraya|2|dayak banjar
6303|Kabupaten Banjar|2|banjar
6371|Kota Banjarmasin|3|banjar
6471|Kota Balikpapan|2|banjar bugis jawa
6472|Kota Samarinda|3|banjar bugis jawa
6503|Kabupaten Nunukan|1|dayak bugis
6571|Kota Tarakan|1|bugis dayak jawa
7102|Kabupaten Minahasa|2|minahasa
7171|Kota Manado|2|minahasa
7271|Kota Palu|2|bugis
7306|Kabupaten Gowa|3|bugis
7308|Kabupaten Bone|3|bugis
7318|Kabupaten Tana Toraja|1|toraja
7371|Kota Makassar|5|bugis toraja tionghoa
7471|Kota Kendari|2|buton bugis
7571|Kota Gorontalo|2|gorontalo
7604|Kabupaten Polewali Mandar|2|bugis
8101|Kabupaten Maluku Tengah|2|maluku
8171|Kota Ambon|2|maluku buton
8271|Kota Ternate|2|ternate
9103|Kabupaten Jayapura|1|papua
9171|Kota Jayapura|2|papua bugis jawa
9202|Kabupaten Manokwari|1|papua
9301|Kabupaten Merauke|1|papua jawa
9401|Kabupaten Nabire|1|papua
9501|Kabupaten Jayawijaya|1|papua
9671|Kota Sorong|1|papua maluku
"""

PROVINCES = dict(
    line.split("|")
    for line in """
11|Aceh
12|Sumatera Utara
13|Sumatera Barat
14|Riau
15|Jambi
16|Sumatera Selatan
17|Bengkulu
18|Lampung
19|Kepulauan Bangka Belitung
21|Kepulauan Riau
31|DKI Jakarta
32|Jawa Barat
33|Jawa Tengah
34|DI Yogyakarta
35|Jawa Timur
36|Banten
51|Bali
52|Nusa Tenggara Barat
53|Nusa Tenggara Timur
61|Kalimantan Barat
62|Kalimantan Tengah
63|Kalimantan Selatan
64|Kalimantan Timur
65|Kalimantan Utara
71|Sulawesi Utara
72|Sulawesi Tengah
73|Sulawesi Selatan
74|Sulawesi Tenggara
75|Gorontalo
76|Sulawesi Barat
81|Maluku
82|Maluku Utara
91|Papua
92|Papua Barat
93|Papua Selatan
94|Papua Tengah
95|Papua Pegunungan
96|Papua Barat Daya
""".splitlines()
    if line
)


@dataclass(frozen=True, slots=True)
class Regency:
    """A regency or city: four-digit code, its name, and whom one meets there."""

    code: str
    name: str
    weight: int
    traditions: tuple[str, ...]

    @property
    def province_code(self) -> str:
        return self.code[:2]

    @property
    def province(self) -> str:
        return PROVINCES[self.province_code]

    @property
    def districts(self) -> tuple[str, ...]:
        """Two-digit numbers of some of its districts."""
        return _OTHER_DISTRICTS.get(self.code, _DISTRICTS)


def _regency(line: str) -> Regency:
    code, name, weight, traditions = line.split("|")
    return Regency(code, name, int(weight), tuple(traditions.split()))


REGENCIES = tuple(_regency(line) for line in _TABLE.splitlines() if line)
