-- Of bills, their invoices and rated items. `unit_micro` is one minor unit in micros.

-- name: bills_are_their_invoices
SELECT bucket, account_id, run_id AS origin_id, b.total_minor, i.invoiced_minor
FROM (SELECT bucket, account_id, run_id, total_minor FROM billing_bill WHERE tenant_id = %(tenant_id)s) b
FULL JOIN (
    SELECT t.bucket, t.account_id, t.origin_id AS run_id,
           sum(CASE t.kind WHEN 'invoice' THEN t.amount_minor ELSE -t.amount_minor END)::bigint AS invoiced_minor
    FROM ledger_transaction t JOIN billing_run r ON r.id = t.origin_id
    WHERE t.tenant_id = %(tenant_id)s GROUP BY t.bucket, t.account_id, t.origin_id
) i USING (bucket, account_id, run_id)
WHERE b.total_minor IS DISTINCT FROM i.invoiced_minor

-- name: invoices_are_their_items
SELECT bucket, account_id, run_id AS origin_id, line,
       t.exact_micro AS invoice_micro, i.total_micro AS items_micro
FROM (
    SELECT t.bucket, t.account_id, t.origin_id AS run_id, t.line, t.subscription_id,
           CASE t.kind WHEN 'invoice' THEN 1 ELSE -1 END
               * (t.amount_minor::numeric * %(unit_micro)s - t.rounding_micro) AS exact_micro
    FROM ledger_transaction t JOIN billing_run r ON r.id = t.origin_id WHERE t.tenant_id = %(tenant_id)s
) t
FULL JOIN (
    SELECT bucket, account_id, run_id, invoice_line AS line, sum(total_micro) AS total_micro,
           min(subscription_id) AS first_id, max(subscription_id) AS last_id
    FROM rating_rated_item WHERE tenant_id = %(tenant_id)s GROUP BY bucket, account_id, run_id, invoice_line
) i USING (bucket, account_id, run_id, line)
WHERE t.exact_micro IS DISTINCT FROM i.total_micro
   OR t.subscription_id IS DISTINCT FROM i.first_id OR t.subscription_id IS DISTINCT FROM i.last_id

-- name: bills_are_their_items
SELECT bucket, account_id, run_id AS origin_id, concat_ws('; ',
    CASE WHEN b.items IS NULL THEN 'items without a bill' END,
    CASE WHEN i.items IS NULL THEN 'a bill without items' END,
    CASE WHEN b.net_micro <> i.net_micro THEN 'net_micro ' || b.net_micro || ', items ' || i.net_micro END,
    CASE WHEN b.tax_micro <> i.tax_micro THEN 'tax_micro ' || b.tax_micro || ', items ' || i.tax_micro END,
    CASE WHEN b.rounding_micro <> b.total_minor::numeric * %(unit_micro)s - i.total_micro
         THEN 'rounding_micro ' || b.rounding_micro || ', items leave '
              || b.total_minor::numeric * %(unit_micro)s - i.total_micro END,
    CASE WHEN b.items <> i.items THEN b.items || ' items, stored are ' || i.items END,
    CASE WHEN b.invoices <> i.invoices THEN b.invoices || ' invoices, items have ' || i.invoices END) AS difference
FROM (SELECT * FROM billing_bill WHERE tenant_id = %(tenant_id)s) b
FULL JOIN (
    SELECT bucket, account_id, run_id, sum(net_micro) AS net_micro, sum(tax_micro) AS tax_micro,
           sum(total_micro) AS total_micro, count(*) AS items, max(invoice_line) AS invoices
    FROM rating_rated_item WHERE tenant_id = %(tenant_id)s GROUP BY bucket, account_id, run_id
) i USING (bucket, account_id, run_id)
WHERE b.items IS DISTINCT FROM i.items OR b.invoices <> i.invoices
   OR b.net_micro <> i.net_micro OR b.tax_micro <> i.tax_micro
   OR b.rounding_micro <> b.total_minor::numeric * %(unit_micro)s - i.total_micro

-- name: bills_carry_the_balance_forward
SELECT b.bucket, b.account_id, b.run_id AS origin_id, b.brought_forward_minor,
       (coalesce(p.brought_forward_minor + p.total_minor, 0) + b.debited_between_minor - b.credited_between_minor)
           AS expected_minor
FROM billing_bill b
LEFT JOIN billing_bill p ON p.bucket = b.bucket AND p.account_id = b.account_id AND p.run_id = b.previous_run_id
 AND p.tenant_id = %(tenant_id)s
WHERE b.tenant_id = %(tenant_id)s
  AND (b.brought_forward_minor <> coalesce(p.brought_forward_minor + p.total_minor, 0)
                                  + b.debited_between_minor - b.credited_between_minor
    OR (b.previous_run_id <> 0 AND p.run_id IS NULL))

-- name: bill_numbers_have_no_holes
-- Used numbers, numbers given back and numbers that a run still holds follow each other from 1 to the next one.
SELECT CASE WHEN next_number <= number THEN 'number ' || number || ' is there twice or beyond the series'
            WHEN next_number = number + 2 THEN 'number ' || number + 1 || ' is missing'
            ELSE 'numbers ' || number + 1 || ' to ' || next_number - 1 || ' are missing' END AS difference
FROM (
    SELECT number, lead(number) OVER (ORDER BY number) AS next_number
    FROM (
        SELECT 0 AS number
        UNION ALL SELECT number FROM billing_bill WHERE tenant_id = %(tenant_id)s
        UNION ALL SELECT number FROM base_number_gap WHERE tenant_id = %(tenant_id)s AND series = 'bill'
        UNION ALL SELECT generate_series((block ->> 0)::bigint, (block ->> 1)::bigint)
                  FROM billing_run_part, jsonb_array_elements(numbers) AS block
                  WHERE tenant_id = %(tenant_id)s AND state <> 'posted'
        UNION ALL SELECT coalesce((SELECT next_number FROM base_number_series
                                   WHERE tenant_id = %(tenant_id)s AND series = 'bill'), 1)
    ) AS known
) AS pairs
WHERE next_number <> number + 1
