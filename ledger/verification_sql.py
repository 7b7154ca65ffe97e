"""The queries of verification: plain reads of the tables, in an order that makes the first bad row definite.

Each ``..._PROBLEMS`` query returns only bad rows, as ``row`` (its name) and ``what`` (what is wrong with it).
"""

# One row a posting, HEAD columns of its transaction first. What is hashed comes as text, instants as
# microseconds since 1970: to make values of all that and text again would be half of the time.
HEAD = 18
_LEGS = """
SELECT t.id::text, t.key, t.kind, t.position, t.postings, t.request_hash, t.commitment, uuid_send(t.salt),
    trunc(extract(epoch FROM t.effective_at) * 1000000)::text,
    trunc(extract(epoch FROM t.recorded_at) * 1000000)::text,
    t.settles::text, t.reverses::text, t.reference, t.metadata::text, t.personal_digest,
    uuid_send(s.salt), s.content::text, e.transaction_id IS NOT NULL,
    p.seq, p.position, p.amount::text, p.amount > 0 AND p.amount < 'NaN',
    d.code, c.code, d.currency, c.currency,
    t.reverses IS NOT NULL OR (f.kind IS NOT NULL AND (f.settles IS NULL OR f.settles = o.kind))
FROM ledger.transaction t
LEFT JOIN ledger.posting p ON p.transaction_id = t.id
LEFT JOIN ledger.account d ON d.id = p.debit_account
LEFT JOIN ledger.account c ON c.id = p.credit_account
LEFT JOIN ledger.flow f ON f.kind = t.kind AND f.debit_family = d.family AND f.credit_family = c.family
LEFT JOIN ledger.transaction o ON o.id = t.settles
LEFT JOIN ledger.personal s ON s.transaction_id = t.id
LEFT JOIN ledger.erasure e ON e.transaction_id = t.id
"""
TRANSACTIONS = _LEGS + "ORDER BY t.id, p.seq"
ONE_TRANSACTION = _LEGS + "WHERE t.id = :id ORDER BY p.seq"

ORPHANED_POSTINGS = """
SELECT p.transaction_id || ' ' || p.seq AS row, 'its transaction does not exist' AS what
FROM ledger.posting p
WHERE NOT EXISTS (SELECT FROM ledger.transaction t WHERE t.id = p.transaction_id)
ORDER BY p.transaction_id, p.seq LIMIT 1
"""

ORPHANED_PERSONAL = """
SELECT s.transaction_id::text AS row, 'its transaction does not exist, or it was erased' AS what
FROM ledger.personal s
WHERE NOT EXISTS (SELECT FROM ledger.transaction t WHERE t.id = s.transaction_id)
    OR EXISTS (SELECT FROM ledger.erasure e WHERE e.transaction_id = s.transaction_id)
ORDER BY s.transaction_id LIMIT 1
"""

# what settles and reverses, by original and debited account; and reversals, which mirror account by account
ORIGINAL_PROBLEMS = """
WITH used AS (
    SELECT coalesce(t.settles, t.reverses) AS original, p.debit_account, sum(p.amount) AS spent
    FROM ledger.transaction t JOIN ledger.posting p ON p.transaction_id = t.id
    WHERE t.settles IS NOT NULL OR t.reverses IS NOT NULL
    GROUP BY 1, 2
), mirrored AS (
    SELECT t.reverses AS original, p.debit_account, p.credit_account, sum(p.amount) AS spent
    FROM ledger.transaction t JOIN ledger.posting p ON p.transaction_id = t.id
    WHERE t.reverses IS NOT NULL
    GROUP BY 1, 2, 3
)
SELECT u.original::text AS row, 'more was settled and reversed than it credited' AS what
FROM used u
WHERE u.spent > coalesce((
    SELECT sum(p.amount) FROM ledger.posting p
    WHERE p.transaction_id = u.original AND p.credit_account = u.debit_account
), 0)
UNION ALL
SELECT m.original::text, 'it was reversed by something that is not its mirror image'
FROM mirrored m
WHERE m.spent > coalesce((
    SELECT sum(p.amount) FROM ledger.posting p
    WHERE p.transaction_id = m.original
        AND p.credit_account = m.debit_account AND p.debit_account = m.credit_account
), 0)
ORDER BY 1 LIMIT 1
"""

ACCOUNT_PROBLEMS = """
SELECT a.code AS row, CASE
    WHEN f.name IS NULL THEN 'it is not what its family says'
    WHEN b.account_id IS NULL THEN 'it is counted and has no balance'
    ELSE 'its balance is guarded otherwise than it is' END AS what
FROM ledger.account a
LEFT JOIN ledger.family f ON (f.name, f.kind, f.guard, f.mode, f.currency)
    = (split_part(a.code, ':', 1), a.kind, a.guard, a.mode, a.currency)
LEFT JOIN ledger.balance b ON b.account_id = a.id
WHERE f.name IS NULL OR (a.mode = 'counted' AND b.account_id IS NULL)
    OR b.guarded_side <>
        CASE WHEN a.guard = 'none' THEN 0 WHEN a.kind IN ('asset', 'expense') THEN -1 ELSE 1 END
ORDER BY a.code LIMIT 1
"""

BALANCE_PROBLEMS = """
WITH side AS (
    SELECT debit_account AS account_id, sum(amount) AS debits, 0 AS credits FROM ledger.posting GROUP BY 1
    UNION ALL
    SELECT credit_account, 0, sum(amount) FROM ledger.posting GROUP BY 1
), folded AS (
    SELECT account_id, sum(debits) AS debits, sum(credits) AS credits FROM side GROUP BY 1
), kept AS (
    SELECT h.account_id, sum(h.amount) AS amount FROM ledger.hold h
    WHERE NOT EXISTS (SELECT FROM ledger.hold_resolution r WHERE r.hold_id = h.id)
    GROUP BY 1
)
SELECT coalesce(a.code, b.account_id::text) AS row, CASE
    WHEN a.id IS NULL OR a.mode <> 'counted' THEN 'no counted account belongs to this balance'
    WHEN (b.debits, b.credits) IS DISTINCT FROM (coalesce(f.debits, 0), coalesce(f.credits, 0))
        THEN format('it says %s debits and %s credits, its postings say %s and %s',
            b.debits, b.credits, coalesce(f.debits, 0), coalesce(f.credits, 0))
    WHEN b.held <> coalesce(k.amount, 0)
        THEN format('it says %s are held, its holds say %s', b.held, coalesce(k.amount, 0))
    ELSE 'it is below zero, holds included' END AS what
FROM ledger.balance b
LEFT JOIN ledger.account a ON a.id = b.account_id
LEFT JOIN folded f ON f.account_id = b.account_id
LEFT JOIN kept k ON k.account_id = b.account_id
WHERE a.id IS NULL OR a.mode <> 'counted'
    OR (b.debits, b.credits) IS DISTINCT FROM (coalesce(f.debits, 0), coalesce(f.credits, 0))
    OR b.held <> coalesce(k.amount, 0)
    OR b.guarded_side * (b.credits - b.debits) < abs(b.guarded_side) * b.held
ORDER BY a.code LIMIT 1
"""

SEALS = """
SELECT s.id, s.tree_size, s.through, s.root, c.origin, c.note, b.accounts, b.root AS balance_root
FROM ledger.seal s LEFT JOIN ledger.checkpoint c ON c.seal_id = s.id
LEFT JOIN ledger.balance_seal b ON b.seal_id = s.id
ORDER BY s.id
"""

LOST = "SELECT origin, tree_size, root, seal_id FROM ledger.adoption WHERE origin IS NOT NULL ORDER BY id"

LEAVES = """
SELECT l.number, l.transaction_id::text, t.key, t.position, t.commitment
FROM ledger.leaf l LEFT JOIN ledger.transaction t ON t.id = l.transaction_id
ORDER BY l.number
"""

STORED_TILE = "SELECT root, hashes FROM ledger.tile WHERE level = :level AND number = :number"

STRAY_LEAVES = """
SELECT l.number::text AS row, 'no seal reaches so far' AS what
FROM ledger.leaf l
WHERE l.number >= coalesce((SELECT max(tree_size) FROM ledger.seal), 0) OR l.number < 0
ORDER BY l.number LIMIT 1
"""

UNSEALED = """
SELECT t.id || ' (' || t.key || ')' AS row, 'it was passed over when the log was sealed' AS what
FROM ledger.transaction t
WHERE t.position < (SELECT max(through) FROM ledger.seal)
    AND NOT EXISTS (SELECT FROM ledger.leaf l WHERE l.transaction_id = t.id)
ORDER BY t.id LIMIT 1
"""

STRAY_TILES = """
SELECT t.level || '/' || t.number AS row, 'the tree has no such tile' AS what
FROM ledger.tile t
WHERE (t.number + 1) * power(256, t.level + 1) > coalesce((SELECT max(tree_size) FROM ledger.seal), 0)
ORDER BY t.level, t.number LIMIT 1
"""

NEWEST_BALANCES = """
WITH newest AS (
    SELECT b.*, s.through FROM ledger.balance_seal b JOIN ledger.seal s ON s.id = b.seal_id
    ORDER BY b.seal_id DESC LIMIT 1
), side AS (
    SELECT p.debit_account AS account_id, p.amount AS debit, 0 AS credit
    FROM ledger.posting p, newest n WHERE p.position < n.through
    UNION ALL
    SELECT p.credit_account, 0, p.amount FROM ledger.posting p, newest n WHERE p.position < n.through
)
SELECT n.seal_id, n.accounts, n.secret, n.root, a.code, a.currency,
    sum(s.debit) AS debits, sum(s.credit) AS credits
FROM newest n CROSS JOIN side s JOIN ledger.account a ON a.id = s.account_id
GROUP BY n.seal_id, n.accounts, n.secret, n.root, a.id
ORDER BY a.id
"""

# each against the one before it, so every posting is added up once
ROLLUP_PROBLEMS = """
WITH step AS (
    SELECT r.*, lag(r.through, 1, 0::bigint) OVER w AS since,
        r.debits - lag(r.debits, 1, 0::numeric) OVER w AS new_debits,
        r.credits - lag(r.credits, 1, 0::numeric) OVER w AS new_credits
    FROM ledger.rollup r WINDOW w AS (PARTITION BY r.account_id ORDER BY r.through)
)
SELECT coalesce(a.code, s.account_id::text) || ' ' || s.through AS row, CASE
    WHEN a.id IS NULL OR a.mode <> 'folded' THEN 'no folded account belongs to this roll-up'
    ELSE format('since the one before it says %s debits and %s credits, the postings say %s and %s',
        s.new_debits, s.new_credits, d.amount, c.amount) END AS what
FROM step s
LEFT JOIN ledger.account a ON a.id = s.account_id
CROSS JOIN LATERAL (
    SELECT coalesce(sum(p.amount), 0) AS amount FROM ledger.posting p
    WHERE p.debit_account = s.account_id AND p.position >= s.since AND p.position < s.through
) d CROSS JOIN LATERAL (
    SELECT coalesce(sum(p.amount), 0) AS amount FROM ledger.posting p
    WHERE p.credit_account = s.account_id AND p.position >= s.since AND p.position < s.through
) c
WHERE a.id IS NULL OR a.mode <> 'folded' OR (s.new_debits, s.new_credits) <> (d.amount, c.amount)
ORDER BY s.account_id, s.through LIMIT 1
"""

# counted accounts are among the balances
FOLDED_PROBLEMS = """
SELECT a.code AS row, 'it is guarded and below zero' AS what
FROM ledger.account a
CROSS JOIN LATERAL (
    SELECT coalesce(sum(p.amount), 0) AS amount FROM ledger.posting p WHERE p.debit_account = a.id
) d CROSS JOIN LATERAL (
    SELECT coalesce(sum(p.amount), 0) AS amount FROM ledger.posting p WHERE p.credit_account = a.id
) c
WHERE a.mode = 'folded' AND a.guard <> 'none'
    AND CASE WHEN a.kind IN ('asset', 'expense') THEN d.amount < c.amount ELSE c.amount < d.amount END
ORDER BY a.code LIMIT 1
"""

PERIOD_PROBLEMS = """
SELECT t.id || ' (' || t.key || ')' AS row, 'it was written into a period that had been closed' AS what
FROM ledger.closed_period c JOIN ledger.transaction t
    ON t.effective_at < c.closed_before AND t.recorded_at > c.recorded_at
ORDER BY t.id LIMIT 1
"""
