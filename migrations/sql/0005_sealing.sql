-- Seals. A frozen copy of what ledger/schema.sql gained; nothing had ever written to the tables it replaces.

DROP TABLE ledger.leaf;
DROP TABLE ledger.seal;
DROP TABLE ledger.tree_node;

-- what is not sealed yet lies in the newest pages, which an index without their summary would read in full
ALTER INDEX ledger.ix_transaction_position SET (autosummarize = on);

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

-- ── Nothing of it is changed or deleted, in replica mode either ───────────────────────────────────────

DO $$
DECLARE
    v_table text;
BEGIN
    FOREACH v_table IN ARRAY ARRAY['seal', 'leaf', 'tile', 'balance_seal', 'checkpoint', 'cosignature'] LOOP
        EXECUTE format('CREATE TRIGGER keep_history BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.%I '
            'FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change()', v_table);
        EXECUTE format('ALTER TABLE ledger.%I ENABLE ALWAYS TRIGGER keep_history', v_table);
    END LOOP;
END $$;

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

-- ── Rights ────────────────────────────────────────────────────────────────────────────────────────────

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA ledger FROM PUBLIC;
GRANT SELECT ON ledger.seal, ledger.leaf, ledger.tile, ledger.balance_seal, ledger.checkpoint, ledger.cosignature
    TO bekal_app;
GRANT EXECUTE ON FUNCTION ledger.tree_hashes, ledger.seal_leaves, ledger.seal_balances, ledger.balance_hashes,
    ledger.add_checkpoint, ledger.add_cosignature TO bekal_app;
