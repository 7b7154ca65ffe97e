"""Status reports and statements as a bank could write them, honest or not."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from marketplace.payouts.bank import TREASURY_ACCOUNT, AnswerFile, AnswerKind
from tests.marketplace.payouts.world import MONDAY

_PAIN = "urn:iso:std:iso:20022:tech:xsd:pain.002.001.12"
_CAMT = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"


@dataclass(frozen=True)
class Line:
    """One line of a statement; `amount` is signed rupiah, as in the books."""

    amount: Decimal | int
    reference: str
    payout: UUID | None = None
    words: str = ""
    return_code: str = ""
    booked_on: date = MONDAY

    def xml(self) -> str:
        refs = f"<Refs><EndToEndId>{self.payout.hex}</EndToEndId></Refs>" if self.payout else ""
        words = f"<RmtInf><Ustrd>{self.words}</Ustrd></RmtInf>" if self.words else ""
        returned = f"<RtrInf><Rsn><Cd>{self.return_code}</Cd></Rsn></RtrInf>" if self.return_code else ""
        return f"""<Ntry><NtryRef>{self.reference}</NtryRef><Amt Ccy="IDR">{abs(self.amount)}</Amt>
<CdtDbtInd>{_direction(self.amount)}</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>
<BookgDt><Dt>{self.booked_on}</Dt></BookgDt><AcctSvcrRef>{self.reference}</AcctSvcrRef>
<BkTxCd><Prtry><Cd>1</Cd></Prtry></BkTxCd>
<NtryDtls><TxDtls>{refs}{words}{returned}</TxDtls></NtryDtls></Ntry>"""


def statement(
    lines: Sequence[Line], *, number: int = 1, opening: Decimal | int = 0, account: str = TREASURY_ACCOUNT
) -> AnswerFile:
    """A camt.053 whose lines lead from its opening to its closing balance."""
    closing = Decimal(opening) + sum((Decimal(line.amount) for line in lines), Decimal(0))
    entries = "".join(line.xml() for line in lines)
    content = f"""<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="{_CAMT}"><BkToCstmrStmt>
<GrpHdr><MsgId>S{number}</MsgId><CreDtTm>2026-11-23T20:00:00</CreDtTm></GrpHdr>
<Stmt><Id>S-{number}</Id><ElctrncSeqNb>{number}</ElctrncSeqNb>
<Acct><Id><Othr><Id>{account}</Id></Othr></Id></Acct>
{_balance("OPBD", Decimal(opening))}{_balance("CLBD", closing)}{entries}</Stmt></BkToCstmrStmt></Document>"""
    return answer(f"statement-{number}.xml", AnswerKind.STATEMENT, content.encode())


def report(run_id: UUID, lines: Sequence[tuple[UUID, str, str]], group: str = "") -> AnswerFile:
    """A pain.002 about a run: payout, status and reason code of each line."""
    body = "".join(_status(*line) for line in lines)
    info = f"<OrgnlPmtInfAndSts><OrgnlPmtInfId>{run_id.hex}</OrgnlPmtInfId>{body}</OrgnlPmtInfAndSts>"
    content = f"""<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="{_PAIN}"><CstmrPmtStsRpt>
<GrpHdr><MsgId>A1</MsgId><CreDtTm>2026-11-23T10:00:00</CreDtTm></GrpHdr>
<OrgnlGrpInfAndSts><OrgnlMsgId>{run_id.hex}</OrgnlMsgId><OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId>
{group}</OrgnlGrpInfAndSts>{info if lines else ""}</CstmrPmtStsRpt></Document>"""
    return answer("answer.xml", AnswerKind.STATUS, content.encode())


def denial(run_id: UUID) -> AnswerFile:
    """The bank's answer to an enquiry about a file that it never saw."""
    return report(run_id, [], "<StsRsnInf><Rsn><Cd>NOOR</Cd></Rsn></StsRsnInf>")


def answer(name: str, kind: AnswerKind, content: bytes) -> AnswerFile:
    return AnswerFile(name, kind, hashlib.sha256(content).digest(), content)


def _status(payout_id: UUID, status: str, reason: str) -> str:
    code = f"<StsRsnInf><Rsn><Cd>{reason}</Cd></Rsn></StsRsnInf>" if reason else ""
    return f"""<TxInfAndSts><OrgnlEndToEndId>{payout_id.hex}</OrgnlEndToEndId>
<TxSts>{status}</TxSts>{code}</TxInfAndSts>"""


def _balance(code: str, amount: Decimal) -> str:
    return f"""<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy="IDR">{abs(amount)}</Amt>
<CdtDbtInd>{_direction(amount)}</CdtDbtInd><Dt><Dt>{MONDAY}</Dt></Dt></Bal>"""


def _direction(amount: Decimal | int) -> str:
    return "CRDT" if amount >= 0 else "DBIT"
