-- Of runs.

-- name: runs_account_for_every_due_service
WITH parts AS (
    SELECT p.run_id, sum(p.due) AS due, sum(p.billed) AS billed, sum(p.pending) AS pending,
           sum(p.refused) AS refused, sum(p.accounts) AS bills, sum(p.invoices) AS invoices, sum(p.items) AS items,
           sum(p.net_micro) AS net_micro, sum(p.tax_micro) AS tax_micro, sum(p.total_minor) AS total_minor
    FROM billing_run_part p JOIN billing_run r ON r.id = p.run_id
    WHERE r.tenant_id = %(tenant_id)s AND r.state = 'completed' AND NOT r.is_dry GROUP BY p.run_id
), services AS (
    SELECT run_id, count(*) AS items, sum(net_micro) AS net_micro, sum(tax_micro) AS tax_micro
    FROM rating_rated_item WHERE tenant_id = %(tenant_id)s GROUP BY run_id, bucket, account_id, service_id
), items AS (
    SELECT run_id, count(*) AS billed, sum(items) AS items, sum(net_micro) AS net_micro, sum(tax_micro) AS tax_micro
    FROM services GROUP BY run_id
), bills AS (
    SELECT run_id, count(*) AS bills, sum(total_minor) AS total_minor, sum(invoices) AS invoices
    FROM billing_bill WHERE tenant_id = %(tenant_id)s GROUP BY run_id
), outcomes AS (
    SELECT run_id, count(*) FILTER (WHERE outcome = 'pending') AS pending,
           count(*) FILTER (WHERE outcome = 'refused') AS refused
    FROM billing_run_outcome WHERE tenant_id = %(tenant_id)s GROUP BY run_id
), compared AS (
    SELECT run_id AS origin_id, name, counted, found
    FROM parts LEFT JOIN items USING (run_id) LEFT JOIN bills USING (run_id) LEFT JOIN outcomes USING (run_id)
    CROSS JOIN LATERAL (VALUES
        ('due', parts.due, parts.billed + parts.pending + parts.refused),
        ('billed', parts.billed, items.billed),
        ('pending', parts.pending, outcomes.pending),
        ('refused', parts.refused, outcomes.refused),
        ('bills', parts.bills, bills.bills),
        ('invoices', parts.invoices, bills.invoices),
        ('items', parts.items, items.items),
        ('net_micro', parts.net_micro, items.net_micro),
        ('tax_micro', parts.tax_micro, items.tax_micro),
        ('total_minor', parts.total_minor, bills.total_minor)) AS pair (name, counted, found)
)
SELECT origin_id, string_agg(name || ' ' || counted || ', found ' || coalesce(found, 0), '; ') AS difference
FROM compared WHERE counted <> coalesce(found, 0) GROUP BY origin_id
