-- The ledger: tables, triggers and functions. Run by the owner in an empty schema; see docs/ledger.md.
-- Every rule that protects money is kept here, below the application, whose role may only read the tables
-- and call the few functions granted at the end. SQLSTATEs of class LG are mapped in ledger/errors.py.

CREATE SCHEMA ledger;

-- ── Refusals ──────────────────────────────────────────────────────────────────────────────────────────

-- Typed, so that it can stand inside an expression: coalesce(id, refuse(...)).
CREATE FUNCTION ledger.refuse(p_state text, p_message text, p_detail text) RETURNS integer
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = p_state, MESSAGE = p_message, DETAIL = coalesce(p_detail, '');
END $$;

CREATE FUNCTION ledger.refuse_overdraft(p_account integer) RETURNS boolean
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'LG001', MESSAGE = 'a guarded account would go below zero',
        DETAIL = coalesce((SELECT code FROM ledger.account WHERE id = p_account), p_account::text);
END $$;

CREATE FUNCTION ledger.refuse_change() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'LG010', MESSAGE = 'the ledger''s history cannot be changed',
        DETAIL = lower(TG_OP) || ' ' || TG_TABLE_NAME;
END $$;

-- ── Owner-only: what kinds of account there are and where money may flow ──────────────────────────────

CREATE TABLE ledger.family (
    name text NOT NULL CONSTRAINT pk_family PRIMARY KEY
        CONSTRAINT ck_family_name CHECK (name ~ '^[a-z][a-z_]{0,29}$'),
    kind text NOT NULL
        CONSTRAINT ck_family_kind CHECK (kind IN ('asset', 'liability', 'equity', 'income', 'expense')),
    guard text NOT NULL CONSTRAINT ck_family_guard CHECK (guard IN ('none', 'no_overdraft')),
    mode text NOT NULL CONSTRAINT ck_family_mode CHECK (mode IN ('counted', 'folded')),
    currency text NOT NULL DEFAULT 'IDR' CONSTRAINT ck_family_currency CHECK (currency ~ '^[A-Z]{3}$'),
    -- the accounts refer to all of it, so a guard cannot be loosened while accounts live under it
    CONSTRAINT uq_family_terms UNIQUE (name, kind, guard, mode, currency)
);

-- settles: the kind of the earlier transaction that this flow must settle; NULL when it need not settle any.
CREATE TABLE ledger.flow (
    kind text NOT NULL,
    debit_family text NOT NULL CONSTRAINT fk_flow_debit_family_family REFERENCES ledger.family,
    credit_family text NOT NULL CONSTRAINT fk_flow_credit_family_family REFERENCES ledger.family,
    settles text,
    CONSTRAINT pk_flow PRIMARY KEY (kind, debit_family, credit_family)
);

-- position = transaction id of the writer + offset; raised after a restore, when transaction ids restart.
CREATE TABLE ledger.position_offset (
    one boolean NOT NULL DEFAULT true CONSTRAINT pk_position_offset PRIMARY KEY
        CONSTRAINT ck_position_offset_one CHECK (one),
    value bigint NOT NULL DEFAULT 0 CONSTRAINT ck_position_offset_value CHECK (value >= 0)
);
INSERT INTO ledger.position_offset DEFAULT VALUES;

CREATE TABLE ledger.programme_clock (
    one boolean NOT NULL DEFAULT true CONSTRAINT pk_programme_clock PRIMARY KEY
        CONSTRAINT ck_programme_clock_one CHECK (one),
    "offset" interval NOT NULL DEFAULT interval '0'
);
INSERT INTO ledger.programme_clock DEFAULT VALUES;

CREATE FUNCTION ledger.now() RETURNS timestamptz
LANGUAGE sql VOLATILE AS $$
    SELECT clock_timestamp() + (SELECT "offset" FROM ledger.programme_clock WHERE one)
$$;

CREATE TABLE ledger.closed_period (
    closed_before timestamptz NOT NULL CONSTRAINT pk_closed_period PRIMARY KEY,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- ── Accounts and their balances ───────────────────────────────────────────────────────────────────────

CREATE TABLE ledger.account (
    id integer GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_account PRIMARY KEY,
    code text NOT NULL CONSTRAINT uq_account_code UNIQUE
        CONSTRAINT ck_account_code CHECK (code ~ '^[a-z][a-z_]{0,29}:[a-z0-9][a-z0-9_.-]{0,79}$'),
    family text NOT NULL,
    kind text NOT NULL,
    guard text NOT NULL,
    mode text NOT NULL,
    currency text NOT NULL,
    opened_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    closed_at timestamptz,
    CONSTRAINT ck_account_family CHECK (family = split_part(code, ':', 1)),
    CONSTRAINT fk_account_family FOREIGN KEY (family, kind, guard, mode, currency)
        REFERENCES ledger.family (name, kind, guard, mode, currency)
);

-- guarded_side: 1 where credits must cover debits and holds, -1 where debits must cover credits and holds,
-- 0 without a guard. The last arm of the CHECK never returns: it names the account in the refusal.
CREATE TABLE ledger.balance (
    version bigint NOT NULL DEFAULT 0,
    account_id integer NOT NULL CONSTRAINT pk_balance PRIMARY KEY
        CONSTRAINT fk_balance_account_id_account REFERENCES ledger.account,
    guarded_side smallint NOT NULL CONSTRAINT ck_balance_guarded_side CHECK (guarded_side IN (-1, 0, 1)),
    debits numeric(20, 2) NOT NULL DEFAULT 0,
    credits numeric(20, 2) NOT NULL DEFAULT 0,
    held numeric(20, 2) NOT NULL DEFAULT 0 CONSTRAINT ck_balance_held CHECK (held >= 0),
    CONSTRAINT ck_balance_guard CHECK (
        guarded_side * (credits - debits) >= abs(guarded_side) * held OR ledger.refuse_overdraft(account_id)
    )
) WITH (fillfactor = 70); -- room on the page, so that a new version of a row needs no new index entry

-- ── Transactions and postings ─────────────────────────────────────────────────────────────────────────

CREATE TABLE ledger.transaction (
    id uuid NOT NULL CONSTRAINT pk_transaction PRIMARY KEY,
    salt uuid NOT NULL,
    position bigint NOT NULL,
    effective_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    postings smallint NOT NULL CONSTRAINT ck_transaction_postings CHECK (postings BETWEEN 1 AND 1000),
    kind text NOT NULL CONSTRAINT ck_transaction_kind CHECK (kind ~ '^[a-z][a-z_]{0,39}$'),
    key text NOT NULL CONSTRAINT uq_transaction_key UNIQUE
        CONSTRAINT ck_transaction_key CHECK (octet_length(key) BETWEEN 1 AND 200),
    request_hash bytea NOT NULL,
    commitment bytea NOT NULL,
    settles uuid,
    reverses uuid,
    reference text CONSTRAINT ck_transaction_reference CHECK (octet_length(reference) BETWEEN 1 AND 200),
    personal_digest bytea,
    metadata jsonb CONSTRAINT ck_transaction_metadata
        CHECK (jsonb_typeof(metadata) = 'object' AND octet_length(metadata::text) <= 16384),
    CONSTRAINT ck_transaction_one_original CHECK (settles IS NULL OR reverses IS NULL)
);
-- looked up whole and never sorted: a hash index is a third of the size
CREATE INDEX ix_transaction_reference ON ledger.transaction USING hash (reference) WHERE reference IS NOT NULL;
CREATE INDEX ix_transaction_settles ON ledger.transaction (settles) WHERE settles IS NOT NULL;
CREATE INDEX ix_transaction_reverses ON ledger.transaction (reverses) WHERE reverses IS NOT NULL;
-- positions almost follow the order of the rows, so a few bytes per 32 pages find what is not sealed yet
CREATE INDEX ix_transaction_position ON ledger.transaction USING brin (position)
    WITH (pages_per_range = 32, autosummarize = on);

-- What may be forgotten: its digest stays in the transaction, so every proof survives.
CREATE TABLE ledger.personal (
    transaction_id uuid NOT NULL CONSTRAINT pk_personal PRIMARY KEY,
    salt uuid NOT NULL,
    content jsonb NOT NULL CONSTRAINT ck_personal_content
        CHECK (jsonb_typeof(content) = 'object' AND octet_length(content::text) <= 16384)
);

CREATE TABLE ledger.erasure (
    transaction_id uuid NOT NULL CONSTRAINT pk_erasure PRIMARY KEY,
    reason text NOT NULL CONSTRAINT ck_erasure_reason CHECK (octet_length(reason) BETWEEN 1 AND 200),
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- No foreign keys: the statement trigger looks both accounts and the transaction up anyway, for every role
-- and even in replica mode, and none of the three can be deleted. On the hot side they would cost a quarter.
CREATE TABLE ledger.posting (
    transaction_id uuid NOT NULL,
    position bigint NOT NULL,
    debit_account integer NOT NULL,
    credit_account integer NOT NULL,
    seq smallint NOT NULL CONSTRAINT ck_posting_seq CHECK (seq >= 1),
    amount numeric(20, 2) NOT NULL CONSTRAINT ck_posting_amount CHECK (amount > 0 AND amount < 'NaN'),
    CONSTRAINT pk_posting PRIMARY KEY (transaction_id, seq),
    CONSTRAINT ck_posting_two_accounts CHECK (debit_account <> credit_account)
);
-- the tail of a folded account after its last roll-up is summed from the index alone
CREATE INDEX ix_posting_debit ON ledger.posting (debit_account, position) INCLUDE (amount);
CREATE INDEX ix_posting_credit ON ledger.posting (credit_account, position) INCLUDE (amount);

CREATE VIEW ledger.entry AS
SELECT p.transaction_id, p.seq, 'debit' AS side, a.code AS account, a.currency, p.amount
FROM ledger.posting p JOIN ledger.account a ON a.id = p.debit_account
UNION ALL
SELECT p.transaction_id, p.seq, 'credit', a.code, a.currency, p.amount
FROM ledger.posting p JOIN ledger.account a ON a.id = p.credit_account;

-- ── Holds and roll-ups ────────────────────────────────────────────────────────────────────────────────

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

-- Everything posted to a folded account below position "through", summed once.
CREATE TABLE ledger.rollup (
    account_id integer NOT NULL CONSTRAINT fk_rollup_account_id_account REFERENCES ledger.account,
    day date NOT NULL,
    through bigint NOT NULL,
    debits numeric(20, 2) NOT NULL,
    credits numeric(20, 2) NOT NULL,
    CONSTRAINT pk_rollup PRIMARY KEY (account_id, through)
);

-- ── The public history ────────────────────────────────────────────────────────────────────────────────
-- A seal says: these transactions, in this order, and no others. The leaves of its tree are the transactions
-- sealed so far, numbered without gaps; its root is that of RFC 6962 over their commitments.

CREATE TABLE ledger.seal (
    id integer NOT NULL CONSTRAINT pk_seal PRIMARY KEY CONSTRAINT ck_seal_id CHECK (id >= 1),
    tree_size bigint NOT NULL CONSTRAINT uq_seal_tree_size UNIQUE
        CONSTRAINT ck_seal_tree_size CHECK (tree_size >= 1),
    -- everything below this position is sealed
    through bigint NOT NULL,
    sealed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    root bytea NOT NULL CONSTRAINT ck_seal_root CHECK (octet_length(root) = 32)
);

-- No foreign key: transactions cannot be deleted, and the key would lock the row of each one that is sealed.
CREATE TABLE ledger.leaf (
    number bigint NOT NULL CONSTRAINT pk_leaf PRIMARY KEY,
    transaction_id uuid NOT NULL CONSTRAINT uq_leaf_transaction_id UNIQUE
);

-- Full tiles: 256 neighbouring hashes of the tree at heights 0, 8, 16 ..., which never change again, and the
-- hash over them, which is one of the 256 of a tile one level up. Hashes do not compress.
CREATE TABLE ledger.tile (
    level smallint NOT NULL CONSTRAINT ck_tile_level CHECK (level BETWEEN 0 AND 7),
    number bigint NOT NULL,
    root bytea NOT NULL CONSTRAINT ck_tile_root CHECK (octet_length(root) = 32),
    hashes bytea NOT NULL CONSTRAINT ck_tile_hashes CHECK (octet_length(hashes) = 8192),
    CONSTRAINT pk_tile PRIMARY KEY (level, number)
);
ALTER TABLE ledger.tile ALTER COLUMN hashes SET STORAGE EXTERNAL;

-- The balances of all accounts that moved money below a seal's position, as a tree of their own. The secret
-- makes the salts, so that a proof of one balance does not let others be guessed.
CREATE TABLE ledger.balance_seal (
    seal_id integer NOT NULL CONSTRAINT pk_balance_seal PRIMARY KEY
        CONSTRAINT fk_balance_seal_seal_id_seal REFERENCES ledger.seal,
    accounts bigint NOT NULL,
    secret uuid NOT NULL,
    root bytea NOT NULL CONSTRAINT ck_balance_seal_root CHECK (octet_length(root) = 32)
);

-- The signed note that is published. The database holds its text against the seal; only a signature is added.
CREATE TABLE ledger.checkpoint (
    seal_id integer NOT NULL CONSTRAINT pk_checkpoint PRIMARY KEY
        CONSTRAINT fk_checkpoint_seal_id_seal REFERENCES ledger.seal,
    origin text NOT NULL CONSTRAINT ck_checkpoint_origin CHECK (octet_length(origin) BETWEEN 1 AND 200),
    note text NOT NULL CONSTRAINT ck_checkpoint_note CHECK (octet_length(note) <= 4096)
);

-- What witnesses signed: a line under the note each.
CREATE TABLE ledger.cosignature (
    seal_id integer NOT NULL CONSTRAINT fk_cosignature_seal_id_checkpoint REFERENCES ledger.checkpoint,
    witness text NOT NULL CONSTRAINT ck_cosignature_witness CHECK (octet_length(witness) BETWEEN 1 AND 200),
    line text NOT NULL CONSTRAINT ck_cosignature_line CHECK (octet_length(line) <= 1024),
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT pk_cosignature PRIMARY KEY (seal_id, witness)
);

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

-- ── Canonical encodings ───────────────────────────────────────────────────────────────────────────────
-- A field is its length in bytes, a colon and its text; an absent one is a minus sign and a colon. Nothing
-- here depends on a session's settings. ledger/canonical.py writes the same bytes for whoever checks them.

CREATE FUNCTION ledger.field(p_text text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT coalesce(octet_length(p_text)::text || ':' || p_text, '-:')
$$;

CREATE FUNCTION ledger.microseconds(p_at timestamptz) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT (extract(epoch FROM p_at) * 1000000)::bigint::text
$$;

CREATE FUNCTION ledger.content(
    p_kind text, p_settles uuid, p_reverses uuid, p_reference text, p_metadata jsonb, p_lines text
) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT ledger.field(p_kind) || ledger.field(p_settles::text) || ledger.field(p_reverses::text)
        || ledger.field(p_reference) || ledger.field(p_metadata::text) || p_lines
$$;

CREATE FUNCTION ledger.line(p_debit text, p_credit text, p_currency text, p_amount numeric) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT ledger.field(p_debit) || ledger.field(p_credit) || ledger.field(p_currency)
        || ledger.field(p_amount::numeric(20, 2)::text)
$$;

CREATE FUNCTION ledger.request_hash(p_effective_at timestamptz, p_content text) RETURNS bytea
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT sha256(convert_to(
        ledger.field('bekal-request/1') || ledger.field(ledger.microseconds(p_effective_at)) || p_content, 'UTF8'))
$$;

CREATE FUNCTION ledger.hold_hash(p_key text, p_expires_at timestamptz, p_content text) RETURNS bytea
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT sha256(convert_to(
        ledger.field('bekal-hold/1') || ledger.field(p_key) || ledger.field(ledger.microseconds(p_expires_at))
        || p_content, 'UTF8'))
$$;

CREATE FUNCTION ledger.personal_digest(p_salt uuid, p_personal jsonb) RETURNS bytea
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT sha256(uuid_send(p_salt) || convert_to(p_personal::text, 'UTF8'))
$$;

-- H(H(salt || money) || H(personal salt || personal)); without a personal part its hash is that of nothing.
CREATE FUNCTION ledger.commitment(
    p_salt uuid, p_id uuid, p_key text, p_effective_at timestamptz, p_recorded_at timestamptz, p_content text,
    p_personal_digest bytea
) RETURNS bytea
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT sha256(
        sha256(uuid_send(p_salt) || convert_to(
            ledger.field('bekal-ledger/1') || ledger.field(p_id::text) || ledger.field(p_key)
            || ledger.field(ledger.microseconds(p_effective_at))
            || ledger.field(ledger.microseconds(p_recorded_at)) || p_content, 'UTF8'))
        || coalesce(p_personal_digest, sha256(''::bytea)))
$$;

-- ── What the triggers keep ────────────────────────────────────────────────────────────────────────────
-- The trigger functions join a handful of new rows to indexed tables. Their plans live as long as a session,
-- so the settings keep a plan made for a large batch on a small table from being a scan ever after.

CREATE FUNCTION ledger.create_balances() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO ledger.balance (account_id, guarded_side)
    SELECT id, CASE WHEN guard = 'none' THEN 0 WHEN kind IN ('asset', 'expense') THEN -1 ELSE 1 END
    FROM opened WHERE mode = 'counted';
    RETURN NULL;
END $$;

-- An account's only change is that it closes, once, and empty.
CREATE FUNCTION ledger.check_closing() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.id, NEW.code, NEW.family, NEW.kind, NEW.guard, NEW.mode, NEW.currency, NEW.opened_at)
        IS DISTINCT FROM
        (OLD.id, OLD.code, OLD.family, OLD.kind, OLD.guard, OLD.mode, OLD.currency, OLD.opened_at)
        OR OLD.closed_at IS NOT NULL OR NEW.closed_at IS NULL
    THEN
        PERFORM ledger.refuse('LG010', 'an account can only be closed', OLD.code);
    END IF;
    RETURN NEW;
END $$;

-- Everything that settles and reverses an original may together debit no account by more than the original
-- credited to it; a reversal's postings mirror those of its original.
CREATE FUNCTION ledger.check_originals(p_ids uuid[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_bad text;
BEGIN
    SELECT coalesce(t.settles, t.reverses)::text INTO v_bad
    FROM ledger.transaction t LEFT JOIN ledger.transaction o ON o.id = coalesce(t.settles, t.reverses)
    WHERE t.id = ANY (p_ids) AND coalesce(t.settles, t.reverses) IS NOT NULL AND (o.id IS NULL OR o.id = t.id)
    LIMIT 1;
    IF FOUND THEN
        PERFORM ledger.refuse('LG008', 'the transaction to settle or reverse does not exist', v_bad);
    END IF;

    -- whoever comes second waits here and then, with a new snapshot, sees what the first one wrote
    PERFORM 1 FROM ledger.transaction o
    WHERE o.id IN (SELECT coalesce(t.settles, t.reverses) FROM ledger.transaction t WHERE t.id = ANY (p_ids))
    ORDER BY o.id FOR NO KEY UPDATE;

    SELECT o.id::text INTO v_bad
    FROM (
        SELECT DISTINCT coalesce(t.settles, t.reverses) AS id FROM ledger.transaction t WHERE t.id = ANY (p_ids)
    ) o CROSS JOIN LATERAL (
        SELECT p.debit_account AS account, sum(p.amount) AS spent
        FROM (
            SELECT s.id FROM ledger.transaction s WHERE s.settles = o.id
            UNION ALL SELECT r.id FROM ledger.transaction r WHERE r.reverses = o.id
        ) s JOIN ledger.posting p ON p.transaction_id = s.id
        GROUP BY p.debit_account
    ) used
    WHERE used.spent > coalesce((
        SELECT sum(p.amount) FROM ledger.posting p WHERE p.transaction_id = o.id AND p.credit_account = used.account
    ), 0)
    LIMIT 1;
    IF FOUND THEN
        PERFORM ledger.refuse('LG007', 'more would be settled and reversed than the original credited', v_bad);
    END IF;

    SELECT r.reverses::text INTO v_bad
    FROM ledger.transaction t JOIN ledger.transaction o ON o.id = t.reverses
    JOIN ledger.transaction r ON r.reverses = t.reverses JOIN ledger.posting p ON p.transaction_id = r.id
    WHERE t.id = ANY (p_ids)
    GROUP BY r.reverses, o.reverses, p.debit_account, p.credit_account, t.id
    HAVING o.reverses IS NOT NULL OR sum(p.amount) > coalesce((
        SELECT sum(q.amount) FROM ledger.posting q
        WHERE q.transaction_id = r.reverses
            AND q.credit_account = p.debit_account AND q.debit_account = p.credit_account
    ), 0)
    LIMIT 1;
    IF FOUND THEN
        PERFORM ledger.refuse('LG006', 'a reversal mirrors its original, and is not itself reversed', v_bad);
    END IF;
END $$;

-- Fires when the whole statement is done, so a transaction and its postings come in one statement.
CREATE FUNCTION ledger.check_transactions() RETURNS trigger
LANGUAGE plpgsql SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off AS $$
DECLARE
    v_bad record;
BEGIN
    -- under a snapshot of the whole transaction the sums below would miss what others have just written
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        PERFORM ledger.refuse('LG009', 'the ledger writes only in READ COMMITTED transactions', NULL);
    END IF;
    SELECT min(x.state || x.id) AS state, array_agg(x.id) FILTER (WHERE x.has_original) AS settling
    INTO v_bad FROM (
        SELECT t.id, t.settles IS NOT NULL OR t.reverses IS NOT NULL AS has_original, CASE
            WHEN t.postings <> (SELECT count(*) FROM ledger.posting p WHERE p.transaction_id = t.id) THEN 'LG014'
            WHEN t.position <> pg_current_xact_id()::text::bigint + (SELECT value FROM ledger.position_offset WHERE one)
                THEN 'LG010'
            WHEN t.position < (SELECT through FROM ledger.seal ORDER BY id DESC LIMIT 1) THEN 'LG027'
            WHEN t.effective_at < (SELECT max(closed_before) FROM ledger.closed_period) THEN 'LG011'
            WHEN t.effective_at < '2000-01-01 00:00+00' OR t.effective_at > clock_timestamp() + interval '1 day'
                + (SELECT "offset" FROM ledger.programme_clock WHERE one) THEN 'LG012'
        END AS state
        FROM written t
    ) x;
    IF v_bad.state IS NOT NULL THEN
        PERFORM ledger.refuse(left(v_bad.state, 5), CASE left(v_bad.state, 5)
            WHEN 'LG014' THEN 'a transaction has exactly the postings it says'
            WHEN 'LG010' THEN 'a transaction is written at the position of its writer'
            WHEN 'LG011' THEN 'the effective date lies in a closed period'
            WHEN 'LG027' THEN 'transaction ids have restarted below what is sealed: adopt the restored ledger first'
            ELSE 'the effective date is out of range' END, substr(v_bad.state, 6));
    END IF;
    IF v_bad.settling IS NOT NULL THEN
        PERFORM ledger.check_originals(v_bad.settling);
    END IF;
    RETURN NULL;
END $$;

-- Says in words what check_postings found, once it has found something.
CREATE FUNCTION ledger.refuse_posting(p_state text, p_transaction uuid, p_debit integer, p_credit integer)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_kind text := (SELECT kind FROM ledger.transaction WHERE id = p_transaction);
    v_debit ledger.account := (SELECT a FROM ledger.account a WHERE id = p_debit);
    v_credit ledger.account := (SELECT a FROM ledger.account a WHERE id = p_credit);
BEGIN
    PERFORM CASE p_state
        WHEN 'LG014' THEN ledger.refuse(p_state, 'a posting needs its transaction', p_transaction::text)
        WHEN 'LG010' THEN ledger.refuse(p_state, 'nothing can be added to a transaction', p_transaction::text)
        WHEN 'LG003' THEN ledger.refuse(p_state, 'no such account',
            CASE WHEN v_debit.id IS NULL THEN p_debit ELSE p_credit END::text)
        WHEN 'LG004' THEN ledger.refuse(p_state, 'the account is closed',
            CASE WHEN v_debit.closed_at IS NOT NULL THEN v_debit.code ELSE v_credit.code END)
        WHEN 'LG005' THEN ledger.refuse(p_state, 'the accounts are kept in different currencies',
            v_debit.code || ' ' || v_credit.code)
        ELSE ledger.refuse(p_state, 'this flow of money is not allowed, or must settle an earlier transaction',
            v_kind || ': ' || v_debit.family || ' to ' || v_credit.family)
    END;
END $$;

CREATE FUNCTION ledger.count_side(p_account integer, p_debit numeric, p_credit numeric) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE ledger.balance SET debits = debits + p_debit, credits = credits + p_credit, version = version + 1
    WHERE account_id = p_account AND held = 0;
    IF NOT FOUND THEN
        -- something is held, and what is past its instant is freed first
        PERFORM ledger.expire_holds(ARRAY[p_account]);
        UPDATE ledger.balance SET debits = debits + p_debit, credits = credits + p_credit, version = version + 1
        WHERE account_id = p_account;
    END IF;
END $$;

-- Counts a posting that is alone in its statement, if it is as plain as a purchase: nothing wrong with it, nothing
-- that needs care. Looks at one row each cost half of what it takes to start the query for any number of rows.
-- Answers false where anything is out of the ordinary: that query then judges it, and says what is wrong.
CREATE FUNCTION ledger.count_plain(
    p_transaction uuid, p_position bigint, p_seq smallint, p_debit integer, p_credit integer, p_amount numeric
) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    v_kind text;
    v_original uuid;
    v_settles text;
    v_family text;
    v_currency text;
    v_is_counted boolean;
    v_credit_family text;
    v_credit_currency text;
    v_credit_is_counted boolean;
BEGIN
    SELECT t.kind, t.settles INTO v_kind, v_original FROM ledger.transaction t
    WHERE t.id = p_transaction AND t.position = p_position AND p_seq <= t.postings AND t.reverses IS NULL;
    IF NOT FOUND OR p_position <>
        pg_current_xact_id()::text::bigint + (SELECT value FROM ledger.position_offset WHERE one)
    THEN
        RETURN false;
    END IF;
    SELECT a.family, a.currency, a.mode = 'counted' INTO v_family, v_currency, v_is_counted FROM ledger.account a
    WHERE a.id = p_debit AND a.closed_at IS NULL AND (a.mode = 'counted' OR a.guard = 'none');
    SELECT a.family, a.currency, a.mode = 'counted' INTO v_credit_family, v_credit_currency, v_credit_is_counted
    FROM ledger.account a
    WHERE a.id = p_credit AND a.closed_at IS NULL AND (a.mode = 'counted' OR a.guard = 'none');
    SELECT f.settles INTO v_settles FROM ledger.flow f
    WHERE f.kind = v_kind AND f.debit_family = v_family AND f.credit_family = v_credit_family;
    IF NOT FOUND OR v_currency <> v_credit_currency THEN
        RETURN false;
    END IF;
    IF v_settles IS NOT NULL THEN
        PERFORM FROM ledger.transaction o WHERE o.id = v_original AND o.kind = v_settles;
        IF NOT FOUND THEN
            RETURN false;
        END IF;
    END IF;
    -- in the order of their ids, as everybody locks balances
    IF v_credit_is_counted AND p_credit < p_debit THEN
        PERFORM ledger.count_side(p_credit, 0, p_amount);
    END IF;
    IF v_is_counted THEN
        PERFORM ledger.count_side(p_debit, p_amount, 0);
    END IF;
    IF v_credit_is_counted AND p_credit > p_debit THEN
        PERFORM ledger.count_side(p_credit, 0, p_amount);
    END IF;
    RETURN true;
END $$;

CREATE FUNCTION ledger.check_postings() RETURNS trigger
LANGUAGE plpgsql SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off AS $$
DECLARE
    v_rows integer := 0;
    v_only record;
    v_bad record;
BEGIN
    FOR v_only IN SELECT * FROM written LIMIT 2 LOOP
        v_rows := v_rows + 1;
    END LOOP;
    IF v_rows = 1 AND ledger.count_plain(v_only.transaction_id, v_only.position, v_only.seq,
        v_only.debit_account, v_only.credit_account, v_only.amount)
    THEN
        RETURN NULL;
    END IF;
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
    v_outcome text;
    v_is_due boolean;
BEGIN
    SELECT * INTO v_hold FROM ledger.hold WHERE id = NEW.hold_id;
    IF NOT FOUND THEN
        PERFORM ledger.refuse('LG022', 'no such hold', NEW.hold_id::text);
    END IF;
    -- whoever comes second waits here and then, with a new snapshot, sees the outcome
    PERFORM 1 FROM ledger.balance WHERE account_id = v_hold.account_id FOR NO KEY UPDATE;
    v_outcome := (SELECT outcome FROM ledger.hold_resolution WHERE hold_id = NEW.hold_id);
    -- an expired hold is told as such, whether or not anybody has written that down
    IF v_outcome = 'expired' AND NEW.outcome <> 'expired' THEN
        PERFORM ledger.refuse('LG024', 'the hold has expired', NEW.hold_id::text);
    ELSIF v_outcome IS NOT NULL THEN
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
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        PERFORM ledger.refuse('LG009', 'the ledger writes only in READ COMMITTED transactions', NULL);
    END IF;
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

-- Forgetting begins with the log entry; nothing else can delete a personal part.
CREATE FUNCTION ledger.forget() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM ledger.personal p USING erased e WHERE p.transaction_id = e.transaction_id;
    RETURN NULL;
END $$;

CREATE TRIGGER create_balances AFTER INSERT ON ledger.account REFERENCING NEW TABLE AS opened
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.create_balances();
CREATE TRIGGER check_closing BEFORE UPDATE ON ledger.account
    FOR EACH ROW EXECUTE FUNCTION ledger.check_closing();
CREATE TRIGGER keep_accounts BEFORE DELETE OR TRUNCATE ON ledger.account
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();
CREATE TRIGGER check_transactions AFTER INSERT ON ledger.transaction REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.check_transactions();
CREATE TRIGGER check_postings AFTER INSERT ON ledger.posting REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.check_postings();
-- at depth 0 a statement came from outside; the postings' and the accounts' triggers run at depth 1
CREATE TRIGGER only_by_postings BEFORE INSERT OR UPDATE ON ledger.balance
    FOR EACH STATEMENT WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION ledger.refuse_change();
CREATE TRIGGER keep_balances BEFORE DELETE OR TRUNCATE ON ledger.balance
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();
CREATE TRIGGER check_holds AFTER INSERT ON ledger.hold REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.check_holds();
-- before the row: the amount is free again when the posting of a capture is tested at the statement's end
CREATE TRIGGER resolve_hold BEFORE INSERT ON ledger.hold_resolution
    FOR EACH ROW EXECUTE FUNCTION ledger.resolve_hold();
CREATE TRIGGER check_captures AFTER INSERT ON ledger.hold_resolution REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.check_captures();
CREATE TRIGGER check_rollups AFTER INSERT ON ledger.rollup REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.check_rollups();
CREATE TRIGGER check_period BEFORE INSERT ON ledger.closed_period
    FOR EACH ROW EXECUTE FUNCTION ledger.check_period();
CREATE TRIGGER forget AFTER INSERT ON ledger.erasure REFERENCING NEW TABLE AS erased
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.forget();
CREATE TRIGGER only_by_erasure BEFORE DELETE ON ledger.personal
    FOR EACH STATEMENT WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION ledger.refuse_change();
CREATE TRIGGER keep_personal BEFORE UPDATE OR TRUNCATE ON ledger.personal
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();

DO $$
DECLARE
    v_table text;
    v_trigger record;
BEGIN
    FOREACH v_table IN ARRAY ARRAY['transaction', 'posting', 'erasure', 'closed_period', 'hold', 'hold_resolution',
        'rollup', 'seal', 'leaf', 'tile', 'balance_seal', 'checkpoint', 'cosignature', 'adoption']
    LOOP
        EXECUTE format('CREATE TRIGGER keep_history BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.%I '
            'FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change()', v_table);
    END LOOP;
    -- ALWAYS: session_replication_role = replica does not switch them off
    FOR v_trigger IN
        SELECT t.tgname, t.tgrelid::regclass AS relation FROM pg_trigger t
        JOIN pg_class c ON c.oid = t.tgrelid
        WHERE c.relnamespace = 'ledger'::regnamespace AND NOT t.tgisinternal
    LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', v_trigger.relation, v_trigger.tgname);
    END LOOP;
END $$;

-- ── What the application may call ─────────────────────────────────────────────────────────────────────

CREATE FUNCTION ledger.open_accounts(p_codes text[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_code text;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        PERFORM ledger.refuse('LG009', 'the ledger writes only in READ COMMITTED transactions', NULL);
    END IF;
    SELECT u.code INTO v_code FROM unnest(p_codes) u(code)
    WHERE NOT EXISTS (SELECT FROM ledger.family f WHERE f.name = split_part(u.code, ':', 1)) LIMIT 1;
    IF FOUND THEN
        PERFORM ledger.refuse('LG015', 'no such family of accounts', v_code);
    END IF;
    -- those known are left out first: a conflict would use up a number of the sequence
    INSERT INTO ledger.account (code, family, kind, guard, mode, currency)
    SELECT DISTINCT u.code, f.name, f.kind, f.guard, f.mode, f.currency
    FROM unnest(p_codes) u(code) JOIN ledger.family f ON f.name = split_part(u.code, ':', 1)
    WHERE NOT EXISTS (SELECT FROM ledger.account a WHERE a.code = u.code)
    ORDER BY u.code
    ON CONFLICT (code) DO NOTHING;
END $$;

-- Debits and credits of one account at one instant; of a folded one: the last roll-up and what came after.
CREATE FUNCTION ledger.sums(p_account integer) RETURNS TABLE (debits numeric, credits numeric)
LANGUAGE sql STABLE AS $$
    SELECT coalesce(b.debits, r.debits, 0) + coalesce(d.amount, 0),
        coalesce(b.credits, r.credits, 0) + coalesce(c.amount, 0)
    FROM ledger.account a
    LEFT JOIN ledger.balance b ON b.account_id = a.id
    LEFT JOIN LATERAL (
        SELECT x.debits, x.credits, x.through FROM ledger.rollup x
        WHERE x.account_id = a.id AND a.mode = 'folded' ORDER BY x.through DESC LIMIT 1
    ) r ON true
    LEFT JOIN LATERAL (
        SELECT sum(p.amount) AS amount FROM ledger.posting p
        WHERE p.debit_account = a.id AND a.mode = 'folded' AND p.position >= coalesce(r.through, 0)
    ) d ON true
    LEFT JOIN LATERAL (
        SELECT sum(p.amount) AS amount FROM ledger.posting p
        WHERE p.credit_account = a.id AND a.mode = 'folded' AND p.position >= coalesce(r.through, 0)
    ) c ON true
    WHERE a.id = p_account
$$;

CREATE FUNCTION ledger.close_account(p_code text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_id integer;
BEGIN
    -- under a snapshot of the whole transaction the sums below would miss what the lock has just waited for
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        PERFORM ledger.refuse('LG009', 'the ledger writes only in READ COMMITTED transactions', NULL);
    END IF;
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

CREATE FUNCTION ledger.erase(p_transaction_id uuid, p_reason text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        PERFORM ledger.refuse('LG009', 'the ledger writes only in READ COMMITTED transactions', NULL);
    END IF;
    IF NOT EXISTS (SELECT FROM ledger.transaction WHERE id = p_transaction_id AND personal_digest IS NOT NULL) THEN
        PERFORM ledger.refuse('LG008', 'no such transaction with a personal part', p_transaction_id::text);
    END IF;
    INSERT INTO ledger.erasure (transaction_id, reason) VALUES (p_transaction_id, p_reason)
    ON CONFLICT (transaction_id) DO NOTHING;
END $$;

CREATE FUNCTION ledger.natural(p_kind text, p_debits numeric, p_credits numeric) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN p_kind IN ('asset', 'expense') THEN p_debits - p_credits ELSE p_credits - p_debits END
$$;

-- Whether a stored transaction is what a request asks for. The personal part is compared through its salted
-- digest; once erased it can no longer be compared.
CREATE FUNCTION ledger.is_same_request(
    p_stored ledger.transaction, p_request_hash bytea, p_personal jsonb
) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT (p_stored).request_hash = p_request_hash
        AND ((p_stored).personal_digest IS NULL) = (p_personal IS NULL)
        AND coalesce((
            SELECT p.content = p_personal FROM ledger.personal p WHERE p.transaction_id = (p_stored).id
        ), true)
$$;

-- One transaction in one call. The key is claimed by the insert itself, whose triggers test everything else;
-- where the key was taken, nothing is tested, and a new snapshot shows the transaction that took it.
CREATE FUNCTION ledger.post(
    p_id uuid, p_key text, p_kind text, p_debits text[], p_credits text[], p_amounts numeric[],
    p_settles uuid DEFAULT NULL, p_reverses uuid DEFAULT NULL, p_effective_at timestamptz DEFAULT NULL,
    p_reference text DEFAULT NULL, p_metadata jsonb DEFAULT NULL, p_personal jsonb DEFAULT NULL,
    OUT id uuid, OUT replayed boolean, OUT commitment bytea, OUT codes text[], OUT balances numeric[]
)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off
-- planning anew for the length of the arrays would take longer than the work itself
SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
DECLARE
    v_debits integer[];
    v_credits integer[];
    v_debit integer;
    v_credit integer;
    v_debit_mode text;
    v_credit_mode text;
    v_kind text;
    v_currency text;
    v_lines text := '';
    v_content text;
    v_hash bytea;
    v_salt uuid := gen_random_uuid();
    v_personal_salt uuid;
    v_digest bytea;
    v_recorded_at timestamptz := clock_timestamp();
    v_effective_at timestamptz;
    v_position bigint;
    v_commitment bytea;
    v_stored ledger.transaction;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        PERFORM ledger.refuse('LG009', 'the ledger writes only in READ COMMITTED transactions', NULL);
    END IF;
    SELECT pg_current_xact_id()::text::bigint + o.value, coalesce(p_effective_at, v_recorded_at + k."offset")
    INTO v_position, v_effective_at
    FROM ledger.position_offset o CROSS JOIN ledger.programme_clock k WHERE o.one AND k.one;
    -- a look at one row each: to start a join of arrays takes longer than all the looks of a usual transaction
    FOR i IN 1 .. greatest(cardinality(p_debits), cardinality(p_credits), cardinality(p_amounts)) LOOP
        SELECT a.id, a.currency, a.kind, a.mode INTO v_debit, v_currency, v_kind, v_debit_mode
        FROM ledger.account a WHERE a.code = p_debits[i];
        SELECT a.id, a.mode INTO v_credit, v_credit_mode FROM ledger.account a WHERE a.code = p_credits[i];
        v_debits[i] := v_debit;
        v_credits[i] := v_credit;
        v_lines := v_lines || ledger.line(p_debits[i], p_credits[i], v_currency, p_amounts[i]);
    END LOOP;
    v_content := ledger.content(p_kind, p_settles, p_reverses, p_reference, p_metadata, v_lines);
    v_hash := ledger.request_hash(p_effective_at, v_content);
    IF p_personal IS NOT NULL THEN
        v_personal_salt := gen_random_uuid();
        v_digest := ledger.personal_digest(v_personal_salt, p_personal);
    END IF;
    v_commitment := ledger.commitment(v_salt, p_id, p_key, v_effective_at, v_recorded_at, v_content, v_digest);

    WITH claimed AS (
        INSERT INTO ledger.transaction (
            id, salt, position, effective_at, recorded_at, postings, kind, key, request_hash, commitment,
            settles, reverses, reference, personal_digest, metadata
        )
        VALUES (p_id, v_salt, v_position, v_effective_at, v_recorded_at, cardinality(p_debits), p_kind, p_key,
            v_hash, v_commitment, p_settles, p_reverses, p_reference, v_digest, p_metadata)
        ON CONFLICT (key) DO NOTHING
        RETURNING id, position
    )
    INSERT INTO ledger.posting (transaction_id, position, debit_account, credit_account, seq, amount)
    SELECT t.id, t.position,
        coalesce(u.debit, ledger.refuse('LG003', 'no such account', p_debits[u.seq])),
        coalesce(u.credit, ledger.refuse('LG003', 'no such account', p_credits[u.seq])),
        u.seq,
        CASE WHEN scale(u.amount) <= 2 THEN u.amount
            ELSE ledger.refuse('LG013', 'an amount has at most two decimals', u.amount::text) END
    FROM claimed t CROSS JOIN unnest(v_debits, v_credits, p_amounts) WITH ORDINALITY u(debit, credit, amount, seq);

    IF FOUND THEN
        IF p_personal IS NOT NULL THEN
            INSERT INTO ledger.personal (transaction_id, salt, content)
            VALUES (p_id, v_personal_salt, p_personal);
        END IF;
        id := p_id;
        replayed := false;
        commitment := v_commitment;
    ELSE
        SELECT * INTO STRICT v_stored FROM ledger.transaction t WHERE t.key = p_key;
        IF NOT ledger.is_same_request(v_stored, v_hash, p_personal) THEN
            PERFORM ledger.refuse('LG002', 'the key was used for another request', p_key);
        END IF;
        id := v_stored.id;
        replayed := true;
        commitment := v_stored.commitment;
    END IF;
    IF cardinality(v_debits) > 1 OR v_credit_mode = 'counted' THEN
        SELECT array_agg(a.code), array_agg(ledger.natural(a.kind, b.debits, b.credits)) INTO codes, balances
        FROM ledger.balance b JOIN ledger.account a ON a.id = b.account_id
        WHERE b.account_id = ANY (v_debits || v_credits);
    ELSIF v_debit_mode = 'counted' THEN
        SELECT p_debits, ARRAY[ledger.natural(v_kind, b.debits, b.credits)] INTO codes, balances
        FROM ledger.balance b WHERE b.account_id = v_debits[1];
    END IF;
END $$;

-- Thousands of transactions in one call, all or none; a JSON array of requests, answered in its order.
CREATE FUNCTION ledger.post_many(p_requests json)
RETURNS TABLE (id uuid, replayed boolean, commitment bytea, codes text[], balances numeric[])
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    v_ids uuid[];
    v_keys text[];
    v_hashes bytea[];
    v_personals jsonb[];
    v_now timestamptz := ledger.now();
    v_recorded_at timestamptz := clock_timestamp();
    v_bad text;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        PERFORM ledger.refuse('LG009', 'the ledger writes only in READ COMMITTED transactions', NULL);
    END IF;
    WITH request AS MATERIALIZED (
        SELECT r.*, gen_random_uuid() AS salt,
            CASE WHEN r.personal IS NOT NULL THEN gen_random_uuid() END AS personal_salt
        FROM ROWS FROM (json_to_recordset(p_requests) AS (
            id uuid, key text, kind text, debits text[], credits text[], amounts numeric[], settles uuid,
            reverses uuid, effective_at timestamptz, reference text, metadata jsonb, personal jsonb
        )) WITH ORDINALITY r(
            id, key, kind, debits, credits, amounts, settles, reverses, effective_at, reference, metadata,
            personal, number)
    ), line AS MATERIALIZED (
        SELECT r.number, u.seq, u.debit, u.credit, u.amount, d.id AS debit_account, c.id AS credit_account,
            ledger.line(u.debit, u.credit, d.currency, u.amount) AS encoded
        FROM request r
        CROSS JOIN LATERAL unnest(r.debits, r.credits, r.amounts) WITH ORDINALITY u(debit, credit, amount, seq)
        LEFT JOIN ledger.account d ON d.code = u.debit LEFT JOIN ledger.account c ON c.code = u.credit
    ), encoded AS MATERIALIZED (
        SELECT r.*, l.postings, l.content, ledger.request_hash(r.effective_at, l.content) AS request_hash,
            coalesce(r.effective_at, v_now) AS dated,
            ledger.personal_digest(r.personal_salt, r.personal) AS digest
        FROM request r JOIN (
            SELECT r.number, count(*) AS postings, ledger.content(
                min(r.kind), r.settles, r.reverses, min(r.reference), r.metadata,
                string_agg(l.encoded, '' ORDER BY l.seq)) AS content
            FROM request r JOIN line l ON l.number = r.number
            GROUP BY r.number, r.settles, r.reverses, r.metadata
        ) l ON l.number = r.number
    ), claimed AS (
        INSERT INTO ledger.transaction (
            id, salt, position, effective_at, recorded_at, postings, kind, key, request_hash, commitment,
            settles, reverses, reference, personal_digest, metadata
        )
        SELECT e.id, e.salt, pg_current_xact_id()::text::bigint + o.value, e.dated, v_recorded_at, e.postings,
            e.kind, e.key, e.request_hash,
            ledger.commitment(e.salt, e.id, e.key, e.dated, v_recorded_at, e.content, e.digest),
            e.settles, e.reverses, e.reference, e.digest, e.metadata
        FROM encoded e CROSS JOIN ledger.position_offset o
        WHERE o.one
        -- keys are claimed in one order, so two batches never wait for each other in a circle
        ORDER BY e.key, e.number
        ON CONFLICT (key) DO NOTHING
        RETURNING id, position
    ), posted AS (
        INSERT INTO ledger.posting (transaction_id, position, debit_account, credit_account, seq, amount)
        SELECT t.id, t.position,
            coalesce(l.debit_account, ledger.refuse('LG003', 'no such account', l.debit)),
            coalesce(l.credit_account, ledger.refuse('LG003', 'no such account', l.credit)),
            l.seq,
            CASE WHEN scale(l.amount) <= 2 THEN l.amount
                ELSE ledger.refuse('LG013', 'an amount has at most two decimals', l.amount::text) END
        FROM claimed t JOIN request r ON r.id = t.id JOIN line l ON l.number = r.number
    ), private AS (
        INSERT INTO ledger.personal (transaction_id, salt, content)
        SELECT t.id, r.personal_salt, r.personal FROM claimed t JOIN request r ON r.id = t.id
        WHERE r.personal IS NOT NULL
    )
    SELECT array_agg(e.id ORDER BY e.number), array_agg(e.key ORDER BY e.number),
        array_agg(e.request_hash ORDER BY e.number), array_agg(e.personal ORDER BY e.number)
    INTO v_ids, v_keys, v_hashes, v_personals FROM encoded e;

    SELECT u.key INTO v_bad
    FROM unnest(v_ids, v_keys, v_hashes, v_personals) u(id, key, hash, personal)
    JOIN ledger.transaction t ON t.key = u.key
    WHERE t.id <> u.id AND NOT ledger.is_same_request(t, u.hash, u.personal) LIMIT 1;
    IF FOUND THEN
        PERFORM ledger.refuse('LG002', 'the key was used for another request', v_bad);
    END IF;
    RETURN QUERY
    SELECT t.id, t.id <> u.id, t.commitment, c.codes, c.balances
    FROM unnest(v_ids, v_keys) WITH ORDINALITY u(id, key, number)
    JOIN ledger.transaction t ON t.key = u.key
    CROSS JOIN LATERAL (
        SELECT array_agg(a.code) AS codes, array_agg(ledger.natural(a.kind, b.debits, b.credits)) AS balances
        FROM (
            SELECT p.debit_account AS id FROM ledger.posting p WHERE p.transaction_id = t.id
            UNION SELECT p.credit_account FROM ledger.posting p WHERE p.transaction_id = t.id
        ) touched JOIN ledger.balance b ON b.account_id = touched.id JOIN ledger.account a ON a.id = b.account_id
    ) c
    ORDER BY u.number;
END $$;

-- ── Holds ─────────────────────────────────────────────────────────────────────────────────────────────

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

-- ── Roll-ups, and readings of the past ────────────────────────────────────────────────────────────────

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

-- ── Seals ─────────────────────────────────────────────────────────────────────────────────────────────

-- RFC 6962's hash over these hashes: neighbours are paired, and an odd one at the end moves up as it is.
CREATE FUNCTION ledger.tree_hash(p_hashes bytea[]) RETURNS bytea
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    v_hashes bytea[] := p_hashes;
BEGIN
    WHILE cardinality(v_hashes) > 1 LOOP
        SELECT array_agg(
            CASE WHEN y.neighbour IS NULL THEN y.hash ELSE sha256('\x01'::bytea || y.hash || y.neighbour) END
            ORDER BY y.n)
        INTO v_hashes
        FROM (
            SELECT x.n, x.hash, lead(x.hash) OVER (ORDER BY x.n) AS neighbour
            FROM unnest(v_hashes) WITH ORDINALITY x(hash, n)
        ) y
        WHERE y.n % 2 = 1;
    END LOOP;
    RETURN v_hashes[1];
END $$;

-- The hashes of the tree at height 8 * level, from one number up to but without another.
CREATE FUNCTION ledger.tree_hashes(p_level integer, p_from bigint, p_to bigint)
RETURNS TABLE (number bigint, hash bytea)
LANGUAGE sql STABLE AS $$
    SELECT l.number, sha256('\x00'::bytea || t.commitment)
    FROM ledger.leaf l JOIN ledger.transaction t ON t.id = l.transaction_id
    WHERE p_level = 0 AND l.number >= p_from AND l.number < p_to
    UNION ALL
    SELECT t.number, t.root FROM ledger.tile t
    WHERE p_level > 0 AND t.level = p_level - 1 AND t.number >= p_from AND t.number < p_to
$$;

-- Stores the tiles that a tree fills by growing.
CREATE FUNCTION ledger.fill_tiles(p_from bigint, p_to bigint) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_from bigint := p_from / 256;
    v_to bigint := p_to / 256;
    v_level integer := 0;
BEGIN
    WHILE v_to > v_from LOOP
        INSERT INTO ledger.tile (level, number, root, hashes)
        SELECT v_level, h.number / 256, ledger.tree_hash(array_agg(h.hash ORDER BY h.number)),
            string_agg(h.hash, ''::bytea ORDER BY h.number)
        FROM ledger.tree_hashes(v_level, v_from * 256, v_to * 256) h
        GROUP BY h.number / 256;
        v_level := v_level + 1;
        v_from := v_from / 256;
        v_to := v_to / 256;
    END LOOP;
END $$;

-- The root over the first leaves: at each height the hashes beyond the last full tile, and what is left below.
CREATE FUNCTION ledger.tree_root(p_size bigint) RETURNS bytea
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_size bigint := p_size;
    v_level integer := 0;
    v_root bytea;
BEGIN
    WHILE v_size > 0 LOOP
        v_root := ledger.tree_hash(array_remove(ARRAY(
            SELECT h.hash FROM ledger.tree_hashes(v_level, v_size / 256 * 256, v_size) h ORDER BY h.number
        ) || v_root, NULL));
        v_level := v_level + 1;
        v_size := v_size / 256;
    END LOOP;
    RETURN coalesce(v_root, sha256(''::bytea));
END $$;

-- Seals everything written by database transactions that ended before the oldest one under way began, whole
-- database transactions at a time and about p_limit transactions in all. Answers the new seal, or NULL where
-- there was nothing to seal. Nothing can appear below the position later: a transaction id below the xmin of
-- a snapshot is over, and what it wrote is visible to every snapshot after it.
CREATE FUNCTION ledger.seal_leaves(p_limit bigint) RETURNS integer
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

-- The leaves of a tree of balances: every account that moved money below a position, in the order of their ids.
-- The salt of an account is made from the tree's secret and its code.
CREATE FUNCTION ledger.balance_hashes(p_through bigint, p_secret uuid)
RETURNS TABLE (number bigint, account_id integer, debits numeric, credits numeric, salt bytea, hash bytea)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT row_number() OVER (ORDER BY s.account_id) - 1, s.account_id, s.debits, s.credits, x.salt,
        sha256('\x00'::bytea || sha256(x.salt || convert_to(
            ledger.field('bekal-balance/1') || ledger.field(a.code) || ledger.field(a.currency)
            || ledger.field(s.debits::numeric(20, 2)::text) || ledger.field(s.credits::numeric(20, 2)::text),
            'UTF8')))
    FROM (
        SELECT m.account_id, sum(m.debit) AS debits, sum(m.credit) AS credits
        FROM (
            SELECT debit_account AS account_id, amount AS debit, 0.00 AS credit
            FROM ledger.posting WHERE position < p_through
            UNION ALL
            SELECT credit_account, 0.00, amount FROM ledger.posting WHERE position < p_through
        ) m
        GROUP BY m.account_id
    ) s
    JOIN ledger.account a ON a.id = s.account_id
    CROSS JOIN LATERAL (SELECT sha256(uuid_send(p_secret) || convert_to(a.code, 'UTF8')) AS salt) x
$$;

CREATE FUNCTION ledger.seal_balances(p_seal integer) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_secret uuid := gen_random_uuid();
BEGIN
    INSERT INTO ledger.balance_seal (seal_id, accounts, secret, root)
    SELECT s.id, count(*), v_secret, ledger.tree_hash(array_agg(h.hash ORDER BY h.number))
    FROM ledger.seal s CROSS JOIN LATERAL ledger.balance_hashes(s.through, v_secret) h
    WHERE s.id = p_seal AND NOT EXISTS (SELECT FROM ledger.checkpoint c WHERE c.seal_id = s.id)
    GROUP BY s.id;
END $$;

-- Publishes a note whose text says what the seal says; checkpoints come in the order of their seals.
CREATE FUNCTION ledger.add_checkpoint(p_seal integer, p_origin text, p_note text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_seal ledger.seal := (SELECT s FROM ledger.seal s WHERE s.id = p_seal);
    v_balances text := (
        SELECT format(E'balances %s %s\n', b.accounts, encode(b.root, 'base64'))
        FROM ledger.balance_seal b WHERE b.seal_id = p_seal);
BEGIN
    IF v_seal.id IS NULL
        OR NOT starts_with(p_note, format(E'%s\n%s\n%s\n%s', p_origin, v_seal.tree_size,
            encode(v_seal.root, 'base64'), v_balances))
        OR p_seal <> coalesce((SELECT max(c.seal_id) FROM ledger.checkpoint c), 0) + 1
    THEN
        PERFORM ledger.refuse('LG017', 'a checkpoint says what its seal says, and follows the one before',
            p_seal::text);
    END IF;
    INSERT INTO ledger.checkpoint (seal_id, origin, note) VALUES (p_seal, p_origin, p_note);
END $$;

CREATE FUNCTION ledger.add_cosignature(p_seal integer, p_witness text, p_line text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    INSERT INTO ledger.cosignature (seal_id, witness, line) VALUES (p_seal, p_witness, p_line)
    ON CONFLICT (seal_id, witness) DO NOTHING
$$;

-- ── After a restore ───────────────────────────────────────────────────────────────────────────────────

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

-- ── Rights ────────────────────────────────────────────────────────────────────────────────────────────

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA ledger FROM PUBLIC;
GRANT USAGE ON SCHEMA ledger TO bekal_app;
GRANT SELECT ON ALL TABLES IN SCHEMA ledger TO bekal_app;
GRANT EXECUTE ON FUNCTION ledger.now, ledger.sums, ledger.open_accounts, ledger.close_account, ledger.post,
    ledger.post_many, ledger.erase, ledger.hold, ledger.capture, ledger.release, ledger.live_holds,
    ledger.roll_up, ledger.watermark, ledger.moved, ledger.sums_known, ledger.sums_effective TO bekal_app;
GRANT EXECUTE ON FUNCTION ledger.tree_hashes, ledger.seal_leaves, ledger.seal_balances, ledger.balance_hashes,
    ledger.add_checkpoint, ledger.add_cosignature TO bekal_app;
