-- Of the journal. Debits are positive; invoice, refund and payment_cancellation are debits of the account.

-- name: transactions_sum_to_zero
SELECT bucket, account_id, origin_id, line, sum(amount_minor)::bigint AS sum_minor
FROM ledger_entry WHERE tenant_id = %(tenant_id)s
GROUP BY bucket, account_id, origin_id, line HAVING sum(amount_minor) <> 0

-- name: transactions_move_the_receivable
SELECT bucket, account_id, origin_id, line, t.kind, t.signed_minor AS expected_minor, e.receivable_minor
FROM (
    SELECT bucket, account_id, origin_id, line, kind, amount_minor,
           CASE WHEN kind IN ('invoice', 'refund', 'payment_cancellation') THEN amount_minor ELSE -amount_minor END
               AS signed_minor
    FROM ledger_transaction WHERE tenant_id = %(tenant_id)s
) t
FULL JOIN (
    SELECT bucket, account_id, origin_id, line,
           coalesce(sum(amount_minor) FILTER (WHERE ledger_account_id = ANY ((
               SELECT array_agg(id) FROM ledger_ledger_account
               WHERE tenant_id = %(tenant_id)s AND kind = 'receivable')::int[])), 0)::bigint AS receivable_minor
    FROM ledger_entry WHERE tenant_id = %(tenant_id)s GROUP BY bucket, account_id, origin_id, line
) e USING (bucket, account_id, origin_id, line)
WHERE t.kind IS NULL OR t.amount_minor < 0 OR t.signed_minor <> coalesce(e.receivable_minor, 0)

-- name: balances_are_the_postings
SELECT bucket, account_id, b.balance_minor, coalesce(e.posted_minor, 0) AS posted_minor
FROM (SELECT * FROM ledger_account_balance WHERE tenant_id = %(tenant_id)s) b
FULL JOIN (
    SELECT bucket, account_id, sum(amount_minor)::bigint AS posted_minor
    FROM ledger_entry
    WHERE tenant_id = %(tenant_id)s AND ledger_account_id = ANY ((
        SELECT array_agg(id) FROM ledger_ledger_account
        WHERE tenant_id = %(tenant_id)s AND kind = 'receivable')::int[])
    GROUP BY bucket, account_id
) e USING (bucket, account_id)
WHERE b.balance_minor IS DISTINCT FROM coalesce(e.posted_minor, 0)
UNION
SELECT a.bucket, a.account_id, NULL, 0
FROM party_account a
LEFT JOIN ledger_account_balance b ON b.bucket = a.bucket AND b.account_id = a.account_id
WHERE a.tenant_id = %(tenant_id)s AND b.account_id IS NULL

-- name: unallocated_is_what_credits_leave
SELECT b.bucket, b.account_id, b.unallocated_minor,
       (coalesce(c.credited_minor, 0) - coalesce(l.allocated_minor, 0))::bigint AS open_credits_minor
FROM ledger_account_balance b
LEFT JOIN (
    SELECT bucket, account_id, sum(amount_minor) AS credited_minor FROM ledger_transaction
    WHERE tenant_id = %(tenant_id)s AND kind NOT IN ('invoice', 'refund', 'payment_cancellation')
    GROUP BY bucket, account_id
) c ON c.bucket = b.bucket AND c.account_id = b.account_id
LEFT JOIN (
    SELECT bucket, account_id, sum(amount_minor) AS allocated_minor FROM ledger_allocation
    WHERE tenant_id = %(tenant_id)s GROUP BY bucket, account_id
) l ON l.bucket = b.bucket AND l.account_id = b.account_id
WHERE b.tenant_id = %(tenant_id)s
  AND b.unallocated_minor <> coalesce(c.credited_minor, 0) - coalesce(l.allocated_minor, 0)

-- name: allocations_stay_within_both_sides
SELECT s.bucket, s.account_id, s.origin_id, s.line, s.side, s.settled_minor, t.kind, t.amount_minor
FROM (
    SELECT bucket, account_id, credit_origin_id AS origin_id, credit_line AS line, 'credit' AS side,
           sum(amount_minor)::bigint AS settled_minor
    FROM ledger_allocation WHERE tenant_id = %(tenant_id)s
    GROUP BY bucket, account_id, credit_origin_id, credit_line
    UNION ALL
    SELECT bucket, account_id, debit_origin_id, debit_line, 'debit', sum(amount_minor)::bigint
    FROM ledger_allocation WHERE tenant_id = %(tenant_id)s
    GROUP BY bucket, account_id, debit_origin_id, debit_line
) s
LEFT JOIN ledger_transaction t ON t.bucket = s.bucket AND t.account_id = s.account_id
 AND t.origin_id = s.origin_id AND t.line = s.line AND t.tenant_id = %(tenant_id)s
WHERE t.kind IS NULL OR s.settled_minor NOT BETWEEN 0 AND t.amount_minor
   OR (t.kind IN ('invoice', 'refund', 'payment_cancellation')) <> (s.side = 'debit')

-- name: movements_since_the_bill_are_counted
-- What moved an account without a bill is either between two of its bills or since the last one. The keys of all
-- bills less the keys of all their predecessors leave the last bill's.
SELECT b.bucket, b.account_id, b.last_bill_run_id AS origin_id, concat_ws('; ',
    CASE WHEN b.debited_since_bill_minor + coalesce(s.debited_minor, 0) <> coalesce(m.debited_minor, 0)
         THEN 'debited since the bill ' || b.debited_since_bill_minor || ', postings leave '
              || coalesce(m.debited_minor, 0) - coalesce(s.debited_minor, 0) END,
    CASE WHEN b.credited_since_bill_minor + coalesce(s.credited_minor, 0) <> coalesce(m.credited_minor, 0)
         THEN 'credited since the bill ' || b.credited_since_bill_minor || ', postings leave '
              || coalesce(m.credited_minor, 0) - coalesce(s.credited_minor, 0) END,
    CASE WHEN b.last_bill_run_id <> coalesce(s.last_run_id, 0) THEN 'last bill is not the end of the chain' END
    ) AS difference
FROM ledger_account_balance b
LEFT JOIN (
    SELECT bucket, account_id, sum(debited_between_minor) AS debited_minor,
           sum(credited_between_minor) AS credited_minor, sum(run_id) - sum(previous_run_id) AS last_run_id
    FROM billing_bill WHERE tenant_id = %(tenant_id)s GROUP BY bucket, account_id
) s ON s.bucket = b.bucket AND s.account_id = b.account_id
LEFT JOIN (
    SELECT t.bucket, t.account_id,
           sum(t.amount_minor) FILTER (WHERE t.kind IN ('invoice', 'refund', 'payment_cancellation')) AS debited_minor,
           sum(t.amount_minor) FILTER (WHERE t.kind NOT IN ('invoice', 'refund', 'payment_cancellation'))
               AS credited_minor
    FROM ledger_transaction t
    WHERE t.tenant_id = %(tenant_id)s AND NOT EXISTS (SELECT FROM billing_run r WHERE r.id = t.origin_id)
    GROUP BY t.bucket, t.account_id
) m ON m.bucket = b.bucket AND m.account_id = b.account_id
WHERE b.tenant_id = %(tenant_id)s
  AND (b.debited_since_bill_minor + coalesce(s.debited_minor, 0) <> coalesce(m.debited_minor, 0)
    OR b.credited_since_bill_minor + coalesce(s.credited_minor, 0) <> coalesce(m.credited_minor, 0)
    OR b.last_bill_run_id <> coalesce(s.last_run_id, 0))

-- name: books_are_in_one_currency
SELECT bucket, account_id, origin_id, line, 'transaction' AS what, currency FROM ledger_transaction
WHERE tenant_id = %(tenant_id)s AND currency <> %(currency)s
UNION ALL
SELECT bucket, account_id, origin_id, line, 'posting', currency FROM ledger_entry
WHERE tenant_id = %(tenant_id)s AND currency <> %(currency)s
UNION ALL
SELECT bucket, account_id, run_id, NULL, 'bill', currency FROM billing_bill
WHERE tenant_id = %(tenant_id)s AND currency <> %(currency)s
UNION ALL
SELECT bucket, account_id, NULL, NULL, 'account', currency FROM party_account
WHERE tenant_id = %(tenant_id)s AND currency <> %(currency)s
