-- Holds. Until now nothing could write into their two tables, which are made anew.

DO $$
BEGIN
    IF EXISTS (SELECT FROM ledger.hold) OR EXISTS (SELECT FROM ledger.hold_resolution) THEN
        RAISE EXCEPTION 'there are holds: their tables cannot be made anew';
    END IF;
END $$;
DROP TABLE ledger.hold_resolution;
DROP TABLE ledger.hold;

-- A posting that is not made yet: until it is captured, released or past its instant, its amount is kept for it.
CREATE TABLE ledger.hold (
    id uuid NOT NULL CONSTRAINT pk_hold PRIMARY KEY,
    position bigint NOT NULL,
    expires_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    account_id integer NOT NULL CONSTRAINT fk_hold_account_id_account REFERENCES ledger.account,
    credit_account integer NOT NULL CONSTRAINT fk_hold_credit_account_account REFERENCES ledger.account,
    amount numeric(20, 2) NOT NULL CONSTRAINT ck_hold_amount CHECK (amount > 0 AND amount < 'NaN'),
    kind text NOT NULL CONSTRAINT ck_hold_kind CHECK (kind ~ '^[a-z][a-z_]{0,39}$'),
    key text NOT NULL CONSTRAINT uq_hold_key UNIQUE
        CONSTRAINT ck_hold_key CHECK (octet_length(key) BETWEEN 1 AND 200),
    request_hash bytea NOT NULL,
    reference text CONSTRAINT ck_hold_reference CHECK (octet_length(reference) BETWEEN 1 AND 200),
    CONSTRAINT ck_hold_two_accounts CHECK (account_id <> credit_account)
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
    transaction_id uuid CONSTRAINT uq_hold_resolution_transaction_id UNIQUE,
    CONSTRAINT ck_hold_resolution_capture
        CHECK ((outcome = 'captured') = (transaction_id IS NOT NULL) AND (outcome = 'captured') = (captured > 0))
);

CREATE FUNCTION ledger.hold_hash(p_key text, p_expires_at timestamptz, p_content text) RETURNS bytea
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT sha256(convert_to(
        ledger.field('bekal-hold/1') || ledger.field(p_key) || ledger.field(ledger.microseconds(p_expires_at))
        || p_content, 'UTF8'))
$$;

-- Writes down which holds of these accounts are past their instant, so that they no longer count in "held".
-- The balances are locked first, in the order of their ids: whoever resolves a hold has its balance locked.
CREATE FUNCTION ledger.expire_holds(p_accounts integer[]) RETURNS void
LANGUAGE plpgsql SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off AS $$
DECLARE
    v_now timestamptz;
BEGIN
    PERFORM 1 FROM ledger.balance b
    WHERE b.account_id = ANY (p_accounts) ORDER BY b.account_id FOR NO KEY UPDATE;
    v_now := ledger.now();
    INSERT INTO ledger.hold_resolution (hold_id, position, outcome)
    SELECT h.id, pg_current_xact_id()::text::bigint + o.value, 'expired'
    FROM ledger.hold h CROSS JOIN ledger.position_offset o
    WHERE o.one AND h.account_id = ANY (p_accounts) AND h.expires_at <= v_now
        AND NOT EXISTS (SELECT FROM ledger.hold_resolution r WHERE r.hold_id = h.id)
    ORDER BY h.id;
END $$;

-- A hold is tested as the posting that it may become, and its amount is kept out of the guarded balance.
CREATE FUNCTION ledger.check_holds() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    v_bad record;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        PERFORM ledger.refuse('LG009', 'the ledger writes only in READ COMMITTED transactions', NULL);
    END IF;
    SELECT x.* INTO v_bad FROM (
        SELECT h.id, h.kind, d.code AS debit, c.code AS credit, d.family AS debit_family, c.family AS credit_family,
            CASE
                WHEN h.position <> pg_current_xact_id()::text::bigint
                    + (SELECT value FROM ledger.position_offset WHERE one) THEN 'LG010'
                WHEN d.closed_at IS NOT NULL OR c.closed_at IS NOT NULL THEN 'LG004'
                WHEN d.currency <> c.currency THEN 'LG005'
                WHEN f.kind IS NULL OR f.settles IS NOT NULL THEN 'LG006'
                WHEN coalesce(b.guarded_side, 0) <> 1 THEN 'LG020'
                WHEN h.expires_at <= ledger.now() THEN 'LG021'
            END AS state
        FROM written h
        LEFT JOIN ledger.account d ON d.id = h.account_id
        LEFT JOIN ledger.account c ON c.id = h.credit_account
        LEFT JOIN ledger.balance b ON b.account_id = h.account_id
        LEFT JOIN ledger.flow f
            ON f.kind = h.kind AND f.debit_family = d.family AND f.credit_family = c.family
    ) x WHERE x.state IS NOT NULL LIMIT 1;
    IF FOUND THEN
        PERFORM CASE v_bad.state
            WHEN 'LG010' THEN ledger.refuse('LG010', 'a hold is written at the position of its writer', v_bad.id::text)
            WHEN 'LG004' THEN ledger.refuse('LG004', 'the account is closed', v_bad.debit || ' or ' || v_bad.credit)
            WHEN 'LG005' THEN ledger.refuse('LG005', 'the accounts are kept in different currencies',
                v_bad.debit || ' ' || v_bad.credit)
            WHEN 'LG006' THEN ledger.refuse('LG006', 'this flow of money is not allowed',
                v_bad.kind || ': ' || v_bad.debit_family || ' to ' || v_bad.credit_family)
            WHEN 'LG020' THEN ledger.refuse('LG020', 'only a guarded balance that debits lower can be held',
                v_bad.debit)
            ELSE ledger.refuse('LG021', 'a hold ends in the future', v_bad.id::text) END;
    END IF;
    PERFORM ledger.expire_holds((SELECT array_agg(DISTINCT account_id) FROM written));
    UPDATE ledger.balance b SET held = b.held + m.amount, version = b.version + 1
    FROM (SELECT account_id, sum(amount) AS amount FROM written GROUP BY account_id) m
    WHERE b.account_id = m.account_id;
    RETURN NULL;
END $$;

-- Every end of a hold gives its whole amount free; what is captured leaves with its posting.
CREATE FUNCTION ledger.resolve_hold() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    v_hold ledger.hold;
    v_is_due boolean;
BEGIN
    SELECT * INTO v_hold FROM ledger.hold WHERE id = NEW.hold_id;
    IF NOT FOUND THEN
        PERFORM ledger.refuse('LG022', 'no such hold', NEW.hold_id::text);
    END IF;
    -- whoever comes second waits here and then, with a new snapshot, sees the outcome
    PERFORM 1 FROM ledger.balance WHERE account_id = v_hold.account_id FOR NO KEY UPDATE;
    IF EXISTS (SELECT FROM ledger.hold_resolution WHERE hold_id = NEW.hold_id) THEN
        PERFORM ledger.refuse('LG023', 'the hold was resolved before', NEW.hold_id::text);
    END IF;
    IF NEW.position <>
        pg_current_xact_id()::text::bigint + (SELECT value FROM ledger.position_offset WHERE one)
    THEN
        PERFORM ledger.refuse('LG010', 'a hold is resolved at the position of its writer', NEW.hold_id::text);
    END IF;
    v_is_due := v_hold.expires_at <= ledger.now();
    IF NEW.outcome <> 'expired' AND v_is_due THEN
        PERFORM ledger.refuse('LG024', 'the hold has expired', NEW.hold_id::text);
    ELSIF NEW.outcome = 'expired' AND NOT v_is_due THEN
        PERFORM ledger.refuse('LG010', 'a hold does not expire before its instant', NEW.hold_id::text);
    ELSIF NEW.captured > v_hold.amount THEN
        PERFORM ledger.refuse('LG025', 'more would be captured than is held', NEW.hold_id::text);
    END IF;
    UPDATE ledger.balance SET held = held - v_hold.amount, version = version + 1
    WHERE account_id = v_hold.account_id;
    RETURN NEW;
END $$;

CREATE FUNCTION ledger.check_captures() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    v_bad text;
BEGIN
    SELECT r.hold_id::text INTO v_bad
    FROM written r JOIN ledger.hold h ON h.id = r.hold_id
    LEFT JOIN ledger.transaction t ON t.id = r.transaction_id AND t.position = r.position
    LEFT JOIN ledger.posting p ON p.transaction_id = t.id
    WHERE r.outcome = 'captured' AND (t.kind, t.postings, p.debit_account, p.credit_account, p.amount)
        IS DISTINCT FROM (h.kind, 1::smallint, h.account_id, h.credit_account, r.captured)
    LIMIT 1;
    IF FOUND THEN
        PERFORM ledger.refuse('LG014', 'a capture is written with the posting that was held', v_bad);
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION ledger.hold(
    p_id uuid, p_key text, p_kind text, p_debit text, p_credit text, p_amount numeric, p_expires_at timestamptz,
    p_reference text DEFAULT NULL, OUT id uuid, OUT replayed boolean
)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    v_debit ledger.account := (SELECT a FROM ledger.account a WHERE a.code = p_debit);
    v_credit ledger.account := (SELECT a FROM ledger.account a WHERE a.code = p_credit);
    v_hash bytea := ledger.hold_hash(p_key, p_expires_at, ledger.content(p_kind, NULL, NULL, p_reference, NULL,
        ledger.line(p_debit, p_credit, v_debit.currency, p_amount)));
    v_stored ledger.hold;
BEGIN
    INSERT INTO ledger.hold AS h (
        id, position, expires_at, account_id, credit_account, amount, kind, key, request_hash, reference
    )
    SELECT p_id, pg_current_xact_id()::text::bigint + o.value, p_expires_at,
        coalesce(v_debit.id, ledger.refuse('LG003', 'no such account', p_debit)),
        coalesce(v_credit.id, ledger.refuse('LG003', 'no such account', p_credit)),
        CASE WHEN scale(p_amount) <= 2 THEN p_amount
            ELSE ledger.refuse('LG013', 'an amount has at most two decimals', p_amount::text) END,
        p_kind, p_key, v_hash, p_reference
    FROM ledger.position_offset o
    WHERE o.one AND NOT EXISTS (SELECT FROM ledger.hold k WHERE k.key = p_key)
    ON CONFLICT (key) DO NOTHING;
    id := p_id;
    replayed := NOT FOUND;
    IF replayed THEN
        SELECT * INTO STRICT v_stored FROM ledger.hold k WHERE k.key = p_key;
        IF v_stored.request_hash <> v_hash THEN
            PERFORM ledger.refuse('LG002', 'the key was used for another hold', p_key);
        END IF;
        id := v_stored.id;
    END IF;
END $$;

-- Makes the posting that was held, in part or whole; the rest is released. One statement claims the key, locks
-- the balances, resolves the hold and writes the posting, in this order.
CREATE FUNCTION ledger.capture(
    p_id uuid, p_key text, p_hold uuid, p_amount numeric DEFAULT NULL, p_effective_at timestamptz DEFAULT NULL,
    p_reference text DEFAULT NULL, p_metadata jsonb DEFAULT NULL,
    OUT id uuid, OUT replayed boolean, OUT commitment bytea, OUT codes text[], OUT balances numeric[]
)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    v_hold ledger.hold := (SELECT h FROM ledger.hold h WHERE h.id = p_hold);
    v_amount numeric := coalesce(p_amount, v_hold.amount);
    v_content text;
    v_hash bytea;
    v_salt uuid := gen_random_uuid();
    v_recorded_at timestamptz := clock_timestamp();
    v_effective_at timestamptz := coalesce(p_effective_at, ledger.now());
    v_stored ledger.transaction;
BEGIN
    IF v_hold.id IS NULL THEN
        PERFORM ledger.refuse('LG022', 'no such hold', p_hold::text);
    ELSIF scale(v_amount) > 2 THEN
        PERFORM ledger.refuse('LG013', 'an amount has at most two decimals', v_amount::text);
    END IF;
    SELECT ledger.content(v_hold.kind, NULL, NULL, coalesce(p_reference, v_hold.reference), p_metadata,
        ledger.line(d.code, c.code, d.currency, v_amount)) INTO v_content
    FROM ledger.account d, ledger.account c WHERE d.id = v_hold.account_id AND c.id = v_hold.credit_account;
    v_hash := ledger.request_hash(p_effective_at, v_content);
    WITH claimed AS (
        INSERT INTO ledger.transaction (
            id, salt, position, effective_at, recorded_at, postings, kind, key, request_hash, commitment,
            reference, metadata
        )
        SELECT p_id, v_salt, pg_current_xact_id()::text::bigint + o.value, v_effective_at, v_recorded_at, 1,
            v_hold.kind, p_key, v_hash,
            ledger.commitment(v_salt, p_id, p_key, v_effective_at, v_recorded_at, v_content, NULL),
            coalesce(p_reference, v_hold.reference), p_metadata
        FROM ledger.position_offset o WHERE o.one
        ON CONFLICT (key) DO NOTHING
        RETURNING id, position
    ), locked AS MATERIALIZED (
        SELECT b.account_id FROM ledger.balance b
        WHERE b.account_id IN (v_hold.account_id, v_hold.credit_account) AND EXISTS (SELECT FROM claimed)
        ORDER BY b.account_id FOR NO KEY UPDATE
    ), resolved AS (
        INSERT INTO ledger.hold_resolution (hold_id, position, outcome, captured, transaction_id)
        SELECT p_hold, t.position, 'captured', v_amount, t.id FROM claimed t
        WHERE (SELECT count(*) FROM locked) > 0
        RETURNING position, transaction_id, captured
    )
    INSERT INTO ledger.posting (transaction_id, position, debit_account, credit_account, seq, amount)
    SELECT r.transaction_id, r.position, v_hold.account_id, v_hold.credit_account, 1, r.captured FROM resolved r;

    replayed := NOT FOUND;
    SELECT * INTO STRICT v_stored FROM ledger.transaction t WHERE t.key = p_key;
    IF v_stored.request_hash <> v_hash
        OR NOT EXISTS (SELECT FROM ledger.hold_resolution r WHERE r.hold_id = p_hold AND r.transaction_id = v_stored.id)
    THEN
        PERFORM ledger.refuse('LG002', 'the key was used for another request', p_key);
    END IF;
    id := v_stored.id;
    commitment := v_stored.commitment;
    SELECT array_agg(a.code), array_agg(ledger.natural(a.kind, b.debits, b.credits)) INTO codes, balances
    FROM ledger.balance b JOIN ledger.account a ON a.id = b.account_id
    WHERE b.account_id IN (v_hold.account_id, v_hold.credit_account);
END $$;

-- Gives the whole amount free; answers how the hold ended, which is "expired" where that came first.
CREATE FUNCTION ledger.release(p_hold uuid) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_hold ledger.hold := (SELECT h FROM ledger.hold h WHERE h.id = p_hold);
    v_outcome text;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        PERFORM ledger.refuse('LG009', 'the ledger writes only in READ COMMITTED transactions', NULL);
    ELSIF v_hold.id IS NULL THEN
        PERFORM ledger.refuse('LG022', 'no such hold', p_hold::text);
    END IF;
    PERFORM ledger.expire_holds(ARRAY[v_hold.account_id]);
    v_outcome := (SELECT r.outcome FROM ledger.hold_resolution r WHERE r.hold_id = p_hold);
    IF v_outcome = 'captured' THEN
        PERFORM ledger.refuse('LG023', 'the hold was captured', p_hold::text);
    ELSIF v_outcome IS NULL THEN
        INSERT INTO ledger.hold_resolution (hold_id, position, outcome)
        SELECT p_hold, pg_current_xact_id()::text::bigint + o.value, 'released'
        FROM ledger.position_offset o WHERE o.one;
    END IF;
    RETURN coalesce(v_outcome, 'released');
END $$;

-- What is held of an account at this instant: holds past their end are left out, written down as such or not.
CREATE FUNCTION ledger.live_holds(p_account integer) RETURNS numeric
LANGUAGE sql STABLE AS $$
    SELECT coalesce(sum(h.amount), 0) FROM ledger.hold h
    WHERE h.account_id = p_account AND h.expires_at > (SELECT ledger.now())
        AND NOT EXISTS (SELECT FROM ledger.hold_resolution r WHERE r.hold_id = h.id)
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

CREATE OR REPLACE FUNCTION ledger.close_account(p_code text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_id integer;
BEGIN
    -- waits for the postings and holds under way; those that come later find the account closed
    LOCK TABLE ledger.posting, ledger.hold IN SHARE ROW EXCLUSIVE MODE;
    SELECT id INTO v_id FROM ledger.account WHERE code = p_code AND closed_at IS NULL;
    IF NOT FOUND THEN
        PERFORM ledger.refuse('LG003', 'no such account is open', p_code);
    END IF;
    PERFORM ledger.expire_holds(ARRAY[v_id]);
    IF EXISTS (SELECT FROM ledger.sums(v_id) s WHERE s.debits <> s.credits)
        OR EXISTS (SELECT FROM ledger.balance WHERE account_id = v_id AND held <> 0)
    THEN
        PERFORM ledger.refuse('LG016', 'the account is not empty', p_code);
    END IF;
    UPDATE ledger.account SET closed_at = clock_timestamp() WHERE id = v_id;
END $$;

CREATE TRIGGER check_holds AFTER INSERT ON ledger.hold REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.check_holds();
-- before the row: the amount is free again when the posting of a capture is tested at the statement's end
CREATE TRIGGER resolve_hold BEFORE INSERT ON ledger.hold_resolution
    FOR EACH ROW EXECUTE FUNCTION ledger.resolve_hold();
CREATE TRIGGER check_captures AFTER INSERT ON ledger.hold_resolution REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.check_captures();

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

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA ledger FROM PUBLIC;
GRANT SELECT ON ledger.hold, ledger.hold_resolution TO bekal_app;
GRANT EXECUTE ON FUNCTION ledger.hold, ledger.capture, ledger.release, ledger.live_holds TO bekal_app;
