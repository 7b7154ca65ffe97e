-- Restored ledgers: positions go on above what is known, and a log that was cut off goes on under another name.

-- What the owner adopted after a restore: where positions went on, and a checkpoint that had been published and
-- that these books do not lead to. A log of that name has ended; its next checkpoint has another name and this one.
CREATE TABLE ledger.adoption (
    id integer NOT NULL CONSTRAINT pk_adoption PRIMARY KEY CONSTRAINT ck_adoption_id CHECK (id >= 1),
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    position bigint NOT NULL,
    raised_by bigint NOT NULL CONSTRAINT ck_adoption_raised_by CHECK (raised_by >= 0),
    -- the last seal there was; the one after it is the first of the log that goes on
    seal_id integer NOT NULL,
    origin text CONSTRAINT ck_adoption_origin CHECK (octet_length(origin) BETWEEN 1 AND 200),
    tree_size bigint,
    root bytea CONSTRAINT ck_adoption_root CHECK (octet_length(root) = 32),
    CONSTRAINT ck_adoption_lost CHECK (num_nulls(origin, tree_size, root) IN (0, 3))
);

CREATE TRIGGER keep_history BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.adoption
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();
ALTER TABLE ledger.adoption ENABLE ALWAYS TRIGGER keep_history;
GRANT SELECT ON ledger.adoption TO bekal_app;

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
            WHEN t.position < here.sealed THEN 'LG027'
            WHEN t.effective_at < here.closed_before THEN 'LG011'
            WHEN t.effective_at < '2000-01-01 00:00+00' OR t.effective_at > here.latest THEN 'LG012'
        END AS state
        FROM written t CROSS JOIN (
            SELECT pg_current_xact_id()::text::bigint + (SELECT value FROM ledger.position_offset WHERE one) AS position,
                (SELECT max(closed_before) FROM ledger.closed_period) AS closed_before,
                (SELECT through FROM ledger.seal ORDER BY id DESC LIMIT 1) AS sealed,
                clock_timestamp() + interval '1 day' + (SELECT "offset" FROM ledger.programme_clock WHERE one) AS latest
        ) here
    ) x WHERE x.state IS NOT NULL LIMIT 1;
    IF FOUND THEN
        PERFORM ledger.refuse(v_bad.state, CASE v_bad.state
            WHEN 'LG014' THEN 'a transaction has exactly the postings it says'
            WHEN 'LG010' THEN 'a transaction is written at the position of its writer'
            WHEN 'LG011' THEN 'the effective date lies in a closed period'
            WHEN 'LG027' THEN 'transaction ids have restarted below what is sealed: adopt the restored ledger first'
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
    IF v_through < v_last.through THEN
        PERFORM ledger.refuse('LG027', 'transaction ids have restarted below what is sealed: adopt the restored ledger first',
            v_through::text);
    END IF;
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

-- For the owner alone, before anybody writes. In a new cluster transaction ids begin anew, and what is written
-- would lie below what is sealed and rolled up, where nobody looks again: positions go on above all that is known.
-- With a checkpoint that these books do not lead to, the log of its name ends. A repeat changes nothing.
CREATE FUNCTION ledger.adopt(
    p_origin text DEFAULT NULL, p_size bigint DEFAULT NULL, p_root bytea DEFAULT NULL,
    OUT goes_on_at bigint, OUT raised_by bigint
)
LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        PERFORM ledger.refuse('LG009', 'the ledger writes only in READ COMMITTED transactions', NULL);
    END IF;
    -- waits for whoever is writing; those that come later write with the new offset
    LOCK TABLE ledger.transaction, ledger.hold, ledger.hold_resolution IN SHARE ROW EXCLUSIVE MODE;
    goes_on_at := ledger.watermark();
    raised_by := greatest(0, greatest(
        (SELECT max(t.position) + 1 FROM ledger.transaction t),
        (SELECT max(h.position) + 1 FROM ledger.hold h),
        (SELECT max(r.position) + 1 FROM ledger.hold_resolution r),
        (SELECT max(r.through) FROM ledger.rollup r),
        (SELECT max(s.through) FROM ledger.seal s)) - goes_on_at);
    goes_on_at := goes_on_at + raised_by;
    UPDATE ledger.position_offset o SET value = o.value + raised_by WHERE raised_by > 0;
    INSERT INTO ledger.adoption (id, position, raised_by, seal_id, origin, tree_size, root)
    SELECT coalesce(max(a.id), 0) + 1, adopt.goes_on_at, adopt.raised_by,
        coalesce((SELECT max(s.id) FROM ledger.seal s), 0), p_origin, p_size, p_root
    FROM ledger.adoption a
    HAVING adopt.raised_by > 0 OR p_origin IS NOT NULL
        AND NOT coalesce(bool_or((a.origin, a.tree_size, a.root) = (p_origin, p_size, p_root)), false);
END $$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA ledger FROM PUBLIC;
