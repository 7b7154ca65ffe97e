-- Roll-ups of folded accounts and their guard, closed periods, readings of the past.

-- a folded account may be guarded now: what lowers it adds up
ALTER TABLE ledger.family DROP CONSTRAINT ck_family_guarded_is_counted;

-- A guarded account that is folded has no row to test: what would lower it takes a lock of its own and adds up
-- exactly. What raises it waits for nobody, so a hot account stays hot; a raise that is not committed yet does
-- not count.
CREATE FUNCTION ledger.guard_folded(p_accounts integer[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_bad text;
BEGIN
    PERFORM 1 FROM ledger.account a WHERE a.id = ANY (p_accounts) ORDER BY a.id FOR NO KEY UPDATE;
    SELECT a.code INTO v_bad FROM ledger.account a CROSS JOIN LATERAL ledger.sums(a.id) s
    WHERE a.id = ANY (p_accounts) AND ledger.natural(a.kind, s.debits, s.credits) < 0 LIMIT 1;
    IF FOUND THEN
        PERFORM ledger.refuse('LG001', 'a guarded account would go below zero', v_bad);
    END IF;
END $$;

-- A roll-up is what the one before it and the postings between them say, and nothing can still come into it.
CREATE FUNCTION ledger.check_rollups() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    v_bad text;
BEGIN
    SELECT a.code INTO v_bad
    FROM written n JOIN ledger.account a ON a.id = n.account_id
    LEFT JOIN LATERAL (
        SELECT x.* FROM ledger.rollup x WHERE x.account_id = n.account_id AND x.through < n.through
        ORDER BY x.through DESC LIMIT 1
    ) r ON true
    CROSS JOIN LATERAL ledger.moved(n.account_id, coalesce(r.through, 0), n.through) m
    WHERE a.mode <> 'folded' OR n.through > ledger.watermark()
        OR n.debits <> coalesce(r.debits, 0) + m.debits OR n.credits <> coalesce(r.credits, 0) + m.credits
    LIMIT 1;
    IF FOUND THEN
        PERFORM ledger.refuse('LG010', 'a roll-up says what the postings say', v_bad);
    END IF;
    RETURN NULL;
END $$;

-- Periods are closed one after another, when they are over, and never opened again.
CREATE FUNCTION ledger.check_period() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    -- waits for the transactions under way; those that come later find the period closed
    LOCK TABLE ledger.transaction IN SHARE ROW EXCLUSIVE MODE;
    IF NEW.closed_before > ledger.now() OR EXISTS (
        SELECT FROM ledger.closed_period WHERE closed_before >= NEW.closed_before
    ) THEN
        PERFORM ledger.refuse('LG026', 'a period is closed when it is over, and after those before it',
            NEW.closed_before::text);
    END IF;
    NEW.recorded_at := clock_timestamp();
    RETURN NEW;
END $$;

-- The position below which everything is known: whoever still writes does so above it.
CREATE FUNCTION ledger.watermark() RETURNS bigint
LANGUAGE sql STABLE AS $$
    SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint + value FROM ledger.position_offset WHERE one
$$;

-- What an account was debited and credited from one position to below another.
CREATE FUNCTION ledger.moved(p_account integer, p_from bigint, p_through bigint)
RETURNS TABLE (debits numeric, credits numeric, postings bigint)
LANGUAGE sql STABLE AS $$
    SELECT coalesce(d.amount, 0), coalesce(c.amount, 0), d.postings + c.postings
    FROM (
        SELECT sum(p.amount) AS amount, count(*) AS postings FROM ledger.posting p
        WHERE p.debit_account = p_account AND p.position >= p_from AND p.position < p_through
    ) d CROSS JOIN (
        SELECT sum(p.amount) AS amount, count(*) AS postings FROM ledger.posting p
        WHERE p.credit_account = p_account AND p.position >= p_from AND p.position < p_through
    ) c
$$;

-- Sums up the folded accounts that have so many new postings, as far as everything is known; answers how many.
-- One at a time: who finds another at work leaves it to that one.
CREATE FUNCTION ledger.roll_up(p_at_least integer DEFAULT 1000) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_through bigint;
    v_rows integer;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        PERFORM ledger.refuse('LG009', 'the ledger writes only in READ COMMITTED transactions', NULL);
    ELSIF NOT pg_try_advisory_xact_lock(hashtextextended('ledger.roll_up', 0)) THEN
        RETURN 0;
    END IF;
    v_through := ledger.watermark();
    INSERT INTO ledger.rollup (account_id, day, through, debits, credits)
    SELECT a.id, (ledger.now() AT TIME ZONE 'UTC')::date, v_through,
        coalesce(r.debits, 0) + m.debits, coalesce(r.credits, 0) + m.credits
    FROM ledger.account a
    LEFT JOIN LATERAL (
        SELECT x.* FROM ledger.rollup x WHERE x.account_id = a.id ORDER BY x.through DESC LIMIT 1
    ) r ON true
    CROSS JOIN LATERAL ledger.moved(a.id, coalesce(r.through, 0), v_through) m
    WHERE a.mode = 'folded' AND m.postings >= greatest(p_at_least, 1)
    ORDER BY a.id;
    GET DIAGNOSTICS v_rows = ROW_COUNT;
    RETURN v_rows;
END $$;

-- Debits and credits of an account as they were known below a position: what was written later is left out.
CREATE FUNCTION ledger.sums_known(p_account integer, p_position bigint)
RETURNS TABLE (debits numeric, credits numeric)
LANGUAGE sql STABLE AS $$
    SELECT coalesce(r.debits, 0) + m.debits, coalesce(r.credits, 0) + m.credits
    FROM (SELECT) here
    LEFT JOIN LATERAL (
        SELECT x.* FROM ledger.rollup x WHERE x.account_id = p_account AND x.through <= p_position
        ORDER BY x.through DESC LIMIT 1
    ) r ON true
    CROSS JOIN LATERAL ledger.moved(p_account, coalesce(r.through, 0), p_position) m
$$;

-- The same of what was effective before an instant; without a position, of everything.
CREATE FUNCTION ledger.sums_effective(p_account integer, p_before timestamptz, p_position bigint DEFAULT NULL)
RETURNS TABLE (debits numeric, credits numeric)
LANGUAGE sql STABLE AS $$
    SELECT coalesce(sum(p.amount) FILTER (WHERE p.debit_account = p_account), 0),
        coalesce(sum(p.amount) FILTER (WHERE p.credit_account = p_account), 0)
    FROM ledger.posting p JOIN ledger.transaction t ON t.id = p.transaction_id
    WHERE (p.debit_account = p_account OR p.credit_account = p_account)
        AND t.effective_at < p_before AND p.position < coalesce(p_position, 9223372036854775807)
$$;

-- For the owner alone: refuses effective dates before this instant from now on. A repeat changes nothing.
CREATE FUNCTION ledger.close_period(p_before timestamptz) RETURNS void
LANGUAGE sql AS $$
    INSERT INTO ledger.closed_period (closed_before)
    SELECT p_before WHERE p_before IS DISTINCT FROM (SELECT max(closed_before) FROM ledger.closed_period)
$$;

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
            ) THEN 'care'
            WHEN d.mode = 'folded' AND d.guard <> 'none' AND d.kind NOT IN ('asset', 'expense')
                OR c.mode = 'folded' AND c.guard <> 'none' AND c.kind IN ('asset', 'expense') THEN 'care'
        END AS state
        FROM written p
        LEFT JOIN ledger.transaction t ON t.id = p.transaction_id
        LEFT JOIN ledger.account d ON d.id = p.debit_account
        LEFT JOIN ledger.account c ON c.id = p.credit_account
        LEFT JOIN ledger.flow f
            ON f.kind = t.kind AND f.debit_family = d.family AND f.credit_family = c.family
        LEFT JOIN ledger.transaction o ON o.id = t.settles
    ) x WHERE x.state IS NOT NULL ORDER BY x.state = 'care' LIMIT 1;
    -- the two that cost a query more than a purchase has to pay: holds that may be past, guards without a row
    IF v_bad.state = 'care' THEN
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
    IF v_bad.state = 'care' THEN
        PERFORM ledger.guard_folded((
            SELECT array_agg(DISTINCT a.id) FROM written p JOIN ledger.account a
                ON a.id = p.debit_account AND a.kind NOT IN ('asset', 'expense')
                OR a.id = p.credit_account AND a.kind IN ('asset', 'expense')
            WHERE a.mode = 'folded' AND a.guard <> 'none'));
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER check_rollups AFTER INSERT ON ledger.rollup REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.check_rollups();
CREATE TRIGGER check_period BEFORE INSERT ON ledger.closed_period
    FOR EACH ROW EXECUTE FUNCTION ledger.check_period();
ALTER TABLE ledger.rollup ENABLE ALWAYS TRIGGER check_rollups;
ALTER TABLE ledger.closed_period ENABLE ALWAYS TRIGGER check_period;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA ledger FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger.roll_up, ledger.watermark, ledger.moved, ledger.sums_known, ledger.sums_effective
    TO bekal_app;
