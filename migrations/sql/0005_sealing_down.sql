-- Back to the tables before anything was sealed. The seals are lost; their published checkpoints remain.

DROP FUNCTION ledger.tree_hash,
    ledger.tree_hashes,
    ledger.fill_tiles,
    ledger.tree_root,
    ledger.seal_leaves,
    ledger.balance_hashes,
    ledger.seal_balances,
    ledger.add_checkpoint,
    ledger.add_cosignature;
DROP TABLE ledger.cosignature, ledger.checkpoint, ledger.balance_seal, ledger.tile, ledger.leaf, ledger.seal;
ALTER INDEX ledger.ix_transaction_position RESET (autosummarize);

CREATE TABLE ledger.seal (
    id integer NOT NULL CONSTRAINT pk_seal PRIMARY KEY,
    tree_size bigint NOT NULL CONSTRAINT uq_seal_tree_size UNIQUE,
    through bigint NOT NULL,
    sealed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    origin text NOT NULL,
    root bytea NOT NULL,
    balance_root bytea,
    checkpoint text NOT NULL
);

CREATE TABLE ledger.leaf (
    number bigint NOT NULL CONSTRAINT pk_leaf PRIMARY KEY,
    transaction_id uuid NOT NULL CONSTRAINT uq_leaf_transaction_id UNIQUE
        CONSTRAINT fk_leaf_transaction_id_transaction REFERENCES ledger.transaction,
    seal_id integer NOT NULL CONSTRAINT fk_leaf_seal_id_seal REFERENCES ledger.seal
);

CREATE TABLE ledger.tree_node (
    level smallint NOT NULL,
    number bigint NOT NULL,
    hash bytea NOT NULL,
    CONSTRAINT pk_tree_node PRIMARY KEY (level, number)
);

DO $$
DECLARE
    v_table text;
BEGIN
    FOREACH v_table IN ARRAY ARRAY['seal', 'leaf', 'tree_node'] LOOP
        EXECUTE format('CREATE TRIGGER keep_history BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.%I '
            'FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change()', v_table);
        EXECUTE format('ALTER TABLE ledger.%I ENABLE ALWAYS TRIGGER keep_history', v_table);
    END LOOP;
END $$;

GRANT SELECT ON ledger.seal, ledger.leaf, ledger.tree_node TO bekal_app;
