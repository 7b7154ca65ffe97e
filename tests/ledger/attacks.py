"""Raw SQL that would bend the books of one example, given its accounts' ids and the prefix of its keys.

None of it may be done: the application lacks the right, the owner and the superuser meet the triggers.
"""

_WRITE = """
WITH t AS (
    INSERT INTO ledger.transaction (
        id, salt, position, effective_at, recorded_at, postings, kind, key, request_hash, commitment)
    SELECT gen_random_uuid(), gen_random_uuid(), pg_current_xact_id()::text::bigint + {shift}, {at},
        clock_timestamp(), {postings}, '{kind}', :key || 'raw', '', ''
    RETURNING id, position
)
INSERT INTO ledger.posting (transaction_id, position, debit_account, credit_account, seq, amount)
SELECT t.id, t.position,
    (SELECT id FROM ledger.account WHERE id = ANY (:ids) AND family = '{debit}' ORDER BY id LIMIT 1),
    (SELECT id FROM ledger.account WHERE id = ANY (:ids) AND family = '{credit}' ORDER BY id DESC LIMIT 1),
    1, {amount}
FROM t
"""
_PURCHASE = {
    "shift": "0", "at": "ledger.now()", "postings": "1", "kind": "purchase", "debit": "benefit",
    "credit": "escrow", "amount": "0.01",
}  # fmt: skip
_MINE = "(SELECT id FROM ledger.transaction WHERE starts_with(key, :prefix) ORDER BY position, id LIMIT 1)"


def _write(**change: str) -> str:
    return _WRITE.format(**{**_PURCHASE, **change})


ATTACKS = {
    "overdraw": _write(amount="100000000"),
    "overdraw the pool": _write(kind="drawing", debit="pool", credit="benefit", amount="100000000"),
    "spend escrow without a purchase": _write(kind="cancellation", debit="escrow", credit="benefit"),
    "let money flow elsewhere": _write(kind="purchase", debit="fund"),
    "write in another's place": _write(shift="-1"),
    "say more postings": _write(postings="2"),
    "write into the far future": _write(at="ledger.now() + interval '3 days'"),
    "write into antiquity": _write(at="'1999-01-01'"),
    "move nothing": _write(amount="0"),
    "move less than nothing": _write(amount="-1"),
    "add a posting": "INSERT INTO ledger.posting"
    f" SELECT transaction_id, position, debit_account, credit_account, 9, 1"
    f" FROM ledger.posting WHERE transaction_id = {_MINE} AND seq = 1",
    "edit an amount": "UPDATE ledger.posting SET amount = amount + 1 WHERE debit_account = ANY (:ids)",
    "delete postings": "DELETE FROM ledger.posting WHERE credit_account = ANY (:ids)",
    "rename a key": f"UPDATE ledger.transaction SET key = key || 'x' WHERE id = {_MINE}",
    "delete a transaction": f"DELETE FROM ledger.transaction WHERE id = {_MINE}",
    "empty the journal": "TRUNCATE ledger.transaction, ledger.posting",
    "edit a balance": "UPDATE ledger.balance SET credits = credits + 1 WHERE account_id = ANY (:ids)",
    "give free what is held": "UPDATE ledger.balance SET held = 0 WHERE account_id = ANY (:ids)",
    "delete a balance": "DELETE FROM ledger.balance WHERE account_id = ANY (:ids)",
    "loosen a guard": "UPDATE ledger.account SET guard = 'none' WHERE id = ANY (:ids)",
    "delete accounts": "DELETE FROM ledger.account WHERE id = ANY (:ids)",
    "lengthen a hold": "UPDATE ledger.hold SET expires_at = expires_at + interval '1 year'",
    "forget how a hold ended": "DELETE FROM ledger.hold_resolution",
    "hold beyond the balance": "INSERT INTO ledger.hold"
    " (id, position, expires_at, account_id, credit_account, amount, kind, key, request_hash)"
    " SELECT gen_random_uuid(), pg_current_xact_id()::text::bigint, ledger.now() + interval '1 hour',"
    " d.id, c.id, 100000000, 'purchase', :key || 'raw', ''"
    " FROM ledger.account d, ledger.account c WHERE d.id = ANY (:ids) AND c.id = ANY (:ids)"
    " AND d.family = 'benefit' AND c.family = 'escrow'",
    "forge a roll-up": "INSERT INTO ledger.rollup SELECT id, current_date, ledger.watermark(), 1, 100000000"
    " FROM ledger.account WHERE id = ANY (:ids) AND family = 'escrow'",
    "close the future": "INSERT INTO ledger.closed_period VALUES (ledger.now() + interval '1 day')",
    "open the past": "DELETE FROM ledger.closed_period",
    "reorder the leaves": "UPDATE ledger.leaf SET number = -number",
    "cut the tail": "DELETE FROM ledger.seal",
    "change a checkpoint": "UPDATE ledger.checkpoint SET note = ''",
}
