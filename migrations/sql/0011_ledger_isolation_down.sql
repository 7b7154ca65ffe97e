CREATE OR REPLACE FUNCTION ledger.check_period() RETURNS trigger
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

CREATE OR REPLACE FUNCTION ledger.open_accounts(p_codes text[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_code text;
BEGIN
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

CREATE OR REPLACE FUNCTION ledger.erase(p_transaction_id uuid, p_reason text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM ledger.transaction WHERE id = p_transaction_id AND personal_digest IS NOT NULL) THEN
        PERFORM ledger.refuse('LG008', 'no such transaction with a personal part', p_transaction_id::text);
    END IF;
    INSERT INTO ledger.erasure (transaction_id, reason) VALUES (p_transaction_id, p_reason)
    ON CONFLICT (transaction_id) DO NOTHING;
END $$;
