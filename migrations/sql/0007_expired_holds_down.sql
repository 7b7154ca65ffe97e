CREATE OR REPLACE FUNCTION ledger.resolve_hold() RETURNS trigger
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
