-- Back to a ledger that a restore into a new cluster would leave with transactions that nobody seals.

DROP FUNCTION ledger.adopt;
DROP TABLE ledger.adoption;

CREATE OR REPLACE FUNCTION ledger.check_transactions() RETURNS trigger
LANGUAGE plpgsql SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off AS $$
DECLARE
    v_bad record;
    v_ids uuid[];
BEGIN
    -- under a snapshot of the whole transaction the sums below would miss what others have just written
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        PERFORM ledger.refuse('LG009', 'the ledger writes only in READ COMMITTED transactions', NULL);
    END IF;
    SELECT x.id, x.state INTO v_bad FROM (
        SELECT t.id, CASE
            WHEN t.postings <> (SELECT count(*) FROM ledger.posting p WHERE p.transaction_id = t.id) THEN 'LG014'
            WHEN t.position <> here.position THEN 'LG010'
            WHEN t.effective_at < here.closed_before THEN 'LG011'
            WHEN t.effective_at < '2000-01-01 00:00+00' OR t.effective_at > here.latest THEN 'LG012'
        END AS state
        FROM written t CROSS JOIN (
            SELECT pg_current_xact_id()::text::bigint + (SELECT value FROM ledger.position_offset WHERE one) AS position,
                (SELECT max(closed_before) FROM ledger.closed_period) AS closed_before,
                clock_timestamp() + interval '1 day' + (SELECT "offset" FROM ledger.programme_clock WHERE one) AS latest
        ) here
    ) x WHERE x.state IS NOT NULL LIMIT 1;
    IF FOUND THEN
        PERFORM ledger.refuse(v_bad.state, CASE v_bad.state
            WHEN 'LG014' THEN 'a transaction has exactly the postings it says'
            WHEN 'LG010' THEN 'a transaction is written at the position of its writer'
            WHEN 'LG011' THEN 'the effective date lies in a closed period'
            ELSE 'the effective date is out of range' END, v_bad.id::text);
    END IF;
    SELECT array_agg(id) INTO v_ids FROM written WHERE settles IS NOT NULL OR reverses IS NOT NULL;
    IF v_ids IS NOT NULL THEN
        PERFORM ledger.check_originals(v_ids);
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION ledger.seal_leaves(p_limit bigint) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
DECLARE
    v_last ledger.seal;
    v_through bigint;
    v_size bigint;
BEGIN
    -- under a snapshot of the whole transaction the watermark would be as old as the transaction
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        PERFORM ledger.refuse('LG009', 'the ledger writes only in READ COMMITTED transactions', NULL);
    END IF;
    -- one at a time; the next statement sees what the one before has committed
    PERFORM pg_advisory_xact_lock(hashtextextended('ledger.seal', 0));
    SELECT * INTO v_last FROM ledger.seal ORDER BY id DESC LIMIT 1;
    SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint + value INTO v_through
    FROM ledger.position_offset WHERE one;
    v_through := coalesce((
        SELECT t.position + 1 FROM ledger.transaction t
        WHERE t.position >= coalesce(v_last.through, 0) AND t.position < v_through
        ORDER BY t.position OFFSET greatest(p_limit, 1) - 1 LIMIT 1
    ), v_through);
    INSERT INTO ledger.leaf (number, transaction_id)
    SELECT coalesce(v_last.tree_size, 0) + row_number() OVER (ORDER BY t.position, t.id) - 1, t.id
    FROM ledger.transaction t
    WHERE t.position >= coalesce(v_last.through, 0) AND t.position < v_through;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    v_size := (SELECT max(number) + 1 FROM ledger.leaf);
    PERFORM ledger.fill_tiles(coalesce(v_last.tree_size, 0), v_size);
    INSERT INTO ledger.seal (id, tree_size, through, root)
    VALUES (coalesce(v_last.id, 0) + 1, v_size, v_through, ledger.tree_root(v_size));
    RETURN coalesce(v_last.id, 0) + 1;
END $$;
