-- Back to tables of holds that nothing writes into. Refused where there are holds.

DO $$
BEGIN
    IF EXISTS (SELECT FROM ledger.hold) OR EXISTS (SELECT FROM ledger.hold_resolution) THEN
        RAISE EXCEPTION 'there are holds: their tables cannot be made anew';
    END IF;
END $$;
DROP TABLE ledger.hold_resolution;
DROP TABLE ledger.hold;
DROP FUNCTION ledger.hold, ledger.capture, ledger.release, ledger.live_holds, ledger.check_captures,
    ledger.resolve_hold, ledger.check_holds, ledger.expire_holds, ledger.hold_hash;

CREATE TABLE ledger.hold (
    id uuid NOT NULL CONSTRAINT pk_hold PRIMARY KEY,
    position bigint NOT NULL,
    expires_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    account_id integer NOT NULL CONSTRAINT fk_hold_account_id_account REFERENCES ledger.account,
    amount numeric(20, 2) NOT NULL CONSTRAINT ck_hold_amount CHECK (amount > 0 AND amount < 'NaN'),
    key text NOT NULL CONSTRAINT uq_hold_key UNIQUE
        CONSTRAINT ck_hold_key CHECK (octet_length(key) BETWEEN 1 AND 200),
    request_hash bytea NOT NULL,
    reference text CONSTRAINT ck_hold_reference CHECK (octet_length(reference) BETWEEN 1 AND 200)
);
CREATE INDEX ix_hold_account_id ON ledger.hold (account_id, expires_at);

CREATE TABLE ledger.hold_resolution (
    hold_id uuid NOT NULL CONSTRAINT pk_hold_resolution PRIMARY KEY
        CONSTRAINT fk_hold_resolution_hold_id_hold REFERENCES ledger.hold,
    position bigint NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    outcome text NOT NULL
        CONSTRAINT ck_hold_resolution_outcome CHECK (outcome IN ('captured', 'released', 'expired')),
    captured numeric(20, 2) NOT NULL DEFAULT 0
        CONSTRAINT ck_hold_resolution_captured CHECK (captured >= 0 AND captured < 'NaN'),
    transaction_id uuid,
    CONSTRAINT ck_hold_resolution_capture
        CHECK ((outcome = 'captured') = (transaction_id IS NOT NULL) AND (outcome = 'captured') = (captured > 0))
);

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
        END AS state
        FROM written p
        LEFT JOIN ledger.transaction t ON t.id = p.transaction_id
        LEFT JOIN ledger.account d ON d.id = p.debit_account
        LEFT JOIN ledger.account c ON c.id = p.credit_account
        LEFT JOIN ledger.flow f
            ON f.kind = t.kind AND f.debit_family = d.family AND f.credit_family = c.family
        LEFT JOIN ledger.transaction o ON o.id = t.settles
    ) x WHERE x.state IS NOT NULL LIMIT 1;
    IF FOUND THEN
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

CREATE OR REPLACE FUNCTION ledger.close_account(p_code text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_id integer;
BEGIN
    -- waits for the postings under way; those that come later find the account closed
    LOCK TABLE ledger.posting IN SHARE ROW EXCLUSIVE MODE;
    SELECT id INTO v_id FROM ledger.account WHERE code = p_code AND closed_at IS NULL;
    IF NOT FOUND THEN
        PERFORM ledger.refuse('LG003', 'no such account is open', p_code);
    END IF;
    IF EXISTS (SELECT FROM ledger.sums(v_id) s WHERE s.debits <> s.credits)
        OR EXISTS (SELECT FROM ledger.balance WHERE account_id = v_id AND held <> 0)
    THEN
        PERFORM ledger.refuse('LG016', 'the account is not empty', p_code);
    END IF;
    UPDATE ledger.account SET closed_at = clock_timestamp() WHERE id = v_id;
END $$;

DO $$
DECLARE
    v_table text;
    v_trigger record;
BEGIN
    FOREACH v_table IN ARRAY ARRAY['hold', 'hold_resolution'] LOOP
        EXECUTE format('CREATE TRIGGER keep_history BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.%I '
            'FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change()', v_table);
    END LOOP;
    FOR v_trigger IN
        SELECT t.tgname, t.tgrelid::regclass AS relation FROM pg_trigger t
        JOIN pg_class c ON c.oid = t.tgrelid
        WHERE c.relnamespace = 'ledger'::regnamespace AND NOT t.tgisinternal AND t.tgenabled <> 'A'
    LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', v_trigger.relation, v_trigger.tgname);
    END LOOP;
END $$;

GRANT SELECT ON ledger.hold, ledger.hold_resolution TO bekal_app;
