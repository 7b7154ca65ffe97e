-- Back to roll-ups that nothing writes. Refused where a folded family is guarded.

ALTER TABLE ledger.family
    ADD CONSTRAINT ck_family_guarded_is_counted CHECK (guard = 'none' OR mode = 'counted');
DROP TRIGGER check_rollups ON ledger.rollup;
DROP TRIGGER check_period ON ledger.closed_period;

CREATE OR REPLACE FUNCTION ledger.check_postings() RETURNS trigger
LANGUAGE plpgsql SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off AS $$
DECLARE
    v_bad record;
BEGIN
    SELECT x.* INTO v_bad FROM (
        SELECT p.transaction_id, p.debit_account, p.credit_account, CASE
            WHEN t.id IS NULL THEN 'LG014'
            WHEN p.seq > t.postings OR p.position <> t.position OR t.position <>
                pg_current_xact_id()::text::bigint + (SELECT value FROM ledger.position_offset WHERE one) THEN 'LG010'
            WHEN d.id IS NULL OR c.id IS NULL THEN 'LG003'
            WHEN d.closed_at IS NOT NULL OR c.closed_at IS NOT NULL THEN 'LG004'
            WHEN d.currency <> c.currency THEN 'LG005'
            WHEN t.reverses IS NULL AND (f.kind IS NULL OR f.settles <> coalesce(o.kind, '')) THEN 'LG006'
            WHEN EXISTS (
                SELECT FROM ledger.balance b
                WHERE b.account_id IN (p.debit_account, p.credit_account) AND b.held > 0
            ) THEN 'held'
        END AS state
        FROM written p
        LEFT JOIN ledger.transaction t ON t.id = p.transaction_id
        LEFT JOIN ledger.account d ON d.id = p.debit_account
        LEFT JOIN ledger.account c ON c.id = p.credit_account
        LEFT JOIN ledger.flow f
            ON f.kind = t.kind AND f.debit_family = d.family AND f.credit_family = c.family
        LEFT JOIN ledger.transaction o ON o.id = t.settles
    ) x WHERE x.state IS NOT NULL ORDER BY x.state = 'held' LIMIT 1;
    IF v_bad.state = 'held' THEN
        PERFORM ledger.expire_holds((
            SELECT array_agg(account_id) FROM (
                SELECT debit_account AS account_id FROM written UNION SELECT credit_account FROM written
            ) touched));
    ELSIF FOUND THEN
        PERFORM ledger.refuse_posting(
            v_bad.state, v_bad.transaction_id, v_bad.debit_account, v_bad.credit_account);
    END IF;

    -- rows are locked in the order of their ids, so two writers never wait for each other in a circle
    UPDATE ledger.balance b
    SET debits = b.debits + m.debits, credits = b.credits + m.credits, version = b.version + 1
    FROM (
        SELECT l.account_id, s.debits, s.credits
        FROM (
            SELECT account_id, sum(debit) AS debits, sum(credit) AS credits
            FROM (
                SELECT debit_account AS account_id, amount AS debit, 0 AS credit FROM written
                UNION ALL SELECT credit_account, 0, amount FROM written
            ) sides
            GROUP BY account_id
        ) s JOIN ledger.balance l ON l.account_id = s.account_id
        ORDER BY l.account_id FOR NO KEY UPDATE OF l
    ) m
    WHERE b.account_id = m.account_id;
    RETURN NULL;
END $$;

DROP FUNCTION ledger.close_period, ledger.sums_effective, ledger.sums_known, ledger.roll_up, ledger.moved,
    ledger.watermark, ledger.check_period, ledger.check_rollups, ledger.guard_folded;
