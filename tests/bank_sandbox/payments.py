"""Factories for the bank's side: payment files, and messages as a bank would write them."""

from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

from marketplace.payouts.bank import TREASURY_ACCOUNT
from marketplace.payouts.iso20022 import CreditTransfer, Debtor, PaymentFile

RUN = UUID(int=0xB0)
APPROVED_AT = datetime(2030, 3, 4, 2, 30, tzinfo=UTC)
DEBTOR = Debtor("Manajemen Pelaksana Program", "BMRIIDJA", TREASURY_ACCOUNT)


def transfer(number: int = 1, *, account: str | None = None, amount: int | None = None) -> CreditTransfer:
    """Payout `number`; unless told, its amount and account differ from those of all others."""
    return CreditTransfer(
        payout_id=UUID(int=number),
        amount=Decimal(amount if amount is not None else 1_000_000 + number),
        creditor_name=f"Lembaga Pelatihan {number}",
        bank_code="014",
        account_number=account or f"70000000{number:04d}",
        remittance=f"Pembayaran pelatihan {number}",
    )


def payment(*transfers: CreditTransfer, run_id: UUID = RUN, at: datetime = APPROVED_AT) -> PaymentFile:
    return PaymentFile(run_id, at, DEBTOR, transfers or (transfer(),))


def status_report(body: str, group: str = "", version: str = "pain.002.001.12") -> bytes:
    """A pain.002 around `body` (OrgnlPmtInfAndSts elements) and `group` (after OrgnlMsgNmId)."""
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:{version}"><CstmrPmtStsRpt>
<GrpHdr><MsgId>A1</MsgId><CreDtTm>2030-03-04T10:00:00</CreDtTm></GrpHdr>
<OrgnlGrpInfAndSts><OrgnlMsgId>{RUN.hex}</OrgnlMsgId><OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId>
{group}</OrgnlGrpInfAndSts>{body}</CstmrPmtStsRpt></Document>""".encode()


def entry(amount: str, reference: str = "R1", *, direction: str = "DBIT", details: str = "") -> str:
    """One Ntry of a camt.053."""
    return f"""<Ntry><NtryRef>{reference}</NtryRef><Amt Ccy="IDR">{amount}</Amt>
<CdtDbtInd>{direction}</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>2030-03-04</Dt></BookgDt>
<AcctSvcrRef>{reference}</AcctSvcrRef><BkTxCd><Prtry><Cd>1</Cd></Prtry></BkTxCd>
<NtryDtls>{details}</NtryDtls></Ntry>"""


def statement(entries: str, closing: str, opening: str = "0", closing_direction: str = "DBIT") -> bytes:
    """A camt.053 with one statement; balances are amounts with their direction."""
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt>
<GrpHdr><MsgId>S1</MsgId><CreDtTm>2030-03-04T20:00:00</CreDtTm></GrpHdr>
<Stmt><Id>S-1</Id><ElctrncSeqNb>1</ElctrncSeqNb><Acct><Id><Othr><Id>{TREASURY_ACCOUNT}</Id></Othr></Id></Acct>
{_balance("OPBD", opening, "CRDT")}{_balance("CLBD", closing, closing_direction)}
{entries}</Stmt></BkToCstmrStmt></Document>""".encode()


def _balance(code: str, amount: str, direction: str) -> str:
    return f"""<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy="IDR">{amount}</Amt>
<CdtDbtInd>{direction}</CdtDbtInd><Dt><Dt>2030-03-04</Dt></Dt></Bal>"""
