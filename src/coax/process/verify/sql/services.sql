-- Of rated items and services.

-- name: services_are_billed_day_by_day
-- A period's first day is marked with +mark(day), its end with -mark(day); a credit the other way round. Within a
-- generation the marks of inner days cancel exactly when every day is charged once up to where the first credit
-- begins, so one sum per generation shows what a sort of all periods would; only services whose sum is off are sorted,
-- to name the day. mark = a 56-bit hash of the day's number.
WITH marked AS (
    SELECT bucket, account_id, service_id, generation, kind, period_from, period_to,
           hashint8extended((period_from - DATE '2000-01-01')::bigint, 0) >> 8 AS from_mark,
           hashint8extended((period_to - DATE '2000-01-01')::bigint, 0) >> 8 AS to_mark
    FROM rating_rated_item WHERE tenant_id = %(tenant_id)s AND kind IN ('charge', 'credit')
), generations AS (
    SELECT bucket, account_id, service_id, generation,
           min(period_from) FILTER (WHERE kind = 'charge') AS first_day,
           coalesce(min(period_from) FILTER (WHERE kind = 'credit'), max(period_to)) AS end_day,
           sum(CASE kind WHEN 'charge' THEN from_mark - to_mark ELSE to_mark - from_mark END) AS marks
    FROM marked GROUP BY bucket, account_id, service_id, generation
), edged AS (
    SELECT *, (hashint8extended((first_day - DATE '2000-01-01')::bigint, 0) >> 8)
              - (hashint8extended((end_day - DATE '2000-01-01')::bigint, 0) >> 8) AS edge_marks
    FROM generations
), services AS (
    SELECT bucket, account_id, service_id, min(first_day) AS first_day, sum(edge_marks) AS marks,
           bool_and(coalesce(marks = edge_marks, false)) AS is_tiled
    FROM edged GROUP BY bucket, account_id, service_id
), faulty AS (
    SELECT g.bucket, g.account_id, g.service_id, g.first_day, s.billable_from, r.rated_up_to
    FROM services g
    LEFT JOIN subscription_service_rating r
      ON r.bucket = g.bucket AND r.account_id = g.account_id AND r.service_id = g.service_id
    LEFT JOIN subscription_service s
      ON s.bucket = g.bucket AND s.account_id = g.account_id AND s.id = g.service_id
    WHERE s.has_history IS NOT TRUE AND (
          NOT g.is_tiled OR r.service_id IS NULL OR s.id IS NULL OR g.first_day < s.billable_from
       OR g.marks <> (hashint8extended((g.first_day - DATE '2000-01-01')::bigint, 0) >> 8)
                     - (hashint8extended((r.rated_up_to - DATE '2000-01-01')::bigint, 0) >> 8))
    ORDER BY g.bucket, g.account_id, g.service_id LIMIT %(limit)s
), standing AS (
    SELECT f.bucket, f.service_id, i.period_from, i.generation, least(i.period_to, (
               SELECT min(c.period_from) FROM rating_rated_item c
               WHERE c.bucket = i.bucket AND c.service_id = i.service_id AND c.kind = 'credit'
                 AND c.generation = i.generation AND c.period_from >= i.period_from
                 AND c.period_from < i.period_to)) AS charged_to
    FROM faulty f JOIN rating_rated_item i
      ON i.bucket = f.bucket AND i.service_id = f.service_id AND i.kind = 'charge'
), steps AS (
    SELECT bucket, service_id, charged_to,
           lead(period_from) OVER (PARTITION BY bucket, service_id ORDER BY period_from, generation) AS next_day
    FROM standing WHERE charged_to > period_from
), breaks AS (
    SELECT DISTINCT ON (bucket, service_id) bucket, service_id, charged_to, next_day
    FROM steps WHERE next_day <> charged_to ORDER BY bucket, service_id, charged_to
), ends AS (
    SELECT bucket, service_id, max(charged_to) AS billed_up_to FROM steps GROUP BY bucket, service_id
)
SELECT f.bucket, f.account_id, f.service_id, CASE
    WHEN f.rated_up_to IS NULL THEN 'there is no such service'
    WHEN b.next_day > b.charged_to THEN 'not billed from ' || b.charged_to || ' up to ' || b.next_day
    WHEN b.next_day < b.charged_to THEN 'billed twice from ' || b.next_day || ' up to ' || b.charged_to
    WHEN f.first_day < f.billable_from THEN
        'billed from ' || f.first_day || ', billable only from ' || f.billable_from
    WHEN coalesce(e.billed_up_to, f.first_day) <> f.rated_up_to THEN
        'rated up to ' || f.rated_up_to || ', billed up to ' || coalesce(e.billed_up_to, f.first_day)
    ELSE 'the credits are not of what was charged' END AS difference
FROM faulty f
LEFT JOIN breaks b ON b.bucket = f.bucket AND b.service_id = f.service_id
LEFT JOIN ends e ON e.bucket = f.bucket AND e.service_id = f.service_id

-- name: items_follow_from_their_derivation
-- Every amount once more, in the database's own decimal arithmetic, from the derivation that is stored with it.
SELECT bucket, account_id, run_id AS origin_id, line, base_micro, expected_base AS expected_base_micro,
       total_micro, expected_net + expected_tax AS expected_total_micro
FROM (
    SELECT *, CASE WHEN is_tax_inclusive THEN reduced - expected_net
                   ELSE round(expected_net * tax_ppm / 1000000) END AS expected_tax
    FROM (
        SELECT *, CASE WHEN is_tax_inclusive THEN round(reduced * 1000000 / (1000000 + tax_ppm)) ELSE reduced END
            AS expected_net
        FROM (
            SELECT *, expected_base - expected_discount AS reduced
            FROM (
                SELECT *, least(expected_base, round(expected_base * discount_ppm / 1000000)
                                               + round(amount_off_micro * weight / period_days)) AS expected_discount
                FROM (
                    SELECT *, round(charge_micro * weight / period_days) AS expected_base
                    FROM (
                        SELECT *, whole_periods::numeric * period_days + days AS weight
                        FROM rating_rated_item WHERE tenant_id = %(tenant_id)s AND kind IN ('charge', 'once')
                    ) AS weighed
                ) AS based
            ) AS discounted
        ) AS netted
    ) AS taxed
) AS recomputed
WHERE base_micro <> expected_base OR discount_micro <> expected_discount
   OR net_micro <> expected_net OR tax_micro <> expected_tax

-- name: charges_are_billed_once
SELECT bucket, account_id, coalesce(c.billed_by, i.last_run_id) AS origin_id, concat_ws(' ', 'charge', c.code,
    CASE WHEN c.id IS NULL THEN 'is not there, but was billed'
         WHEN i.last_run_id IS NULL THEN 'is marked as billed, but was not'
         WHEN c.billed_by IS NULL THEN 'was billed, but is not marked'
         ELSE 'was billed by another run than it says, or twice' END) AS difference
FROM (SELECT bucket, account_id, id, code, billed_by FROM subscription_charge WHERE tenant_id = %(tenant_id)s) c
FULL JOIN (
    SELECT bucket, account_id, service_id AS id, min(run_id) AS first_run_id, max(run_id) AS last_run_id
    FROM rating_rated_item WHERE tenant_id = %(tenant_id)s AND kind = 'once' GROUP BY bucket, account_id, service_id
) i USING (bucket, account_id, id)
WHERE c.id IS NULL OR c.billed_by IS DISTINCT FROM i.first_run_id OR c.billed_by IS DISTINCT FROM i.last_run_id

-- name: what_is_taken_back_is_credited
-- A charge that was taken back after it was billed is credited by the run that it names, by exactly what it cost.
SELECT bucket, account_id, coalesce(c.credited_by, i.last_run_id) AS origin_id, concat_ws(' ', 'charge', c.code,
    CASE WHEN c.id IS NULL THEN 'is not there, but was credited'
         WHEN i.last_run_id IS NULL THEN 'is marked as credited, but was not'
         WHEN c.credited_by IS NULL THEN 'was credited, but is not marked'
         WHEN c.withdrawn_on IS NULL THEN 'was credited, but never taken back'
         WHEN i.left_micro <> 0 THEN 'was credited by another amount than it was charged'
         ELSE 'was credited by another run than it says, or twice' END) AS difference
FROM (SELECT bucket, account_id, id, code, withdrawn_on, credited_by FROM subscription_charge
      WHERE tenant_id = %(tenant_id)s AND billed_by IS NOT NULL) c
FULL JOIN (
    SELECT bucket, account_id, service_id AS id, sum(total_micro) AS left_micro,
           min(run_id) FILTER (WHERE kind = 'return') AS first_run_id,
           max(run_id) FILTER (WHERE kind = 'return') AS last_run_id
    FROM rating_rated_item WHERE tenant_id = %(tenant_id)s AND kind IN ('once', 'return')
    GROUP BY bucket, account_id, service_id HAVING bool_or(kind = 'return')
) i USING (bucket, account_id, id)
WHERE (c.id IS NULL OR c.credited_by IS NOT NULL OR i.id IS NOT NULL)
  AND (c.id IS NULL OR c.withdrawn_on IS NULL OR c.credited_by IS DISTINCT FROM i.first_run_id
       OR c.credited_by IS DISTINCT FROM i.last_run_id OR i.left_micro <> 0)

-- name: histories_are_billed_as_they_say
-- Of services that were stopped and started: no day is charged twice; each day that its history lets be billed is
-- charged, from the first one charged up to where it is rated; no day that is to be credited stands charged, unless the
-- next run is to credit it.
WITH standing AS (
    SELECT i.bucket, i.account_id, i.service_id, i.period_from, least(i.period_to, (
               SELECT min(c.period_from) FROM rating_rated_item c
               WHERE c.bucket = i.bucket AND c.service_id = i.service_id AND c.kind = 'credit'
                 AND c.generation = i.generation AND c.period_from >= i.period_from
                 AND c.period_from < i.period_to)) AS charged_to
    FROM rating_rated_item i
    JOIN subscription_service s
      ON s.bucket = i.bucket AND s.account_id = i.account_id AND s.id = i.service_id AND s.has_history
    WHERE i.tenant_id = %(tenant_id)s AND i.kind = 'charge'
), charged AS (
    SELECT bucket, account_id, service_id, min(period_from) AS first_day, sum(charged_to - period_from) AS days,
           range_agg(daterange(period_from, charged_to)) AS days_of
    FROM standing WHERE charged_to > period_from GROUP BY bucket, account_id, service_id
), history AS (
    SELECT bucket, account_id, service_id,
           coalesce(range_agg(daterange(greatest(effective_from, billable_from), effective_to))
                    FILTER (WHERE directive = 'to_be_billed'
                              AND (effective_to IS NULL OR effective_to > greatest(effective_from, billable_from))),
                    '{}') AS billable,
           coalesce(range_agg(daterange(effective_from, effective_to)) FILTER (WHERE directive = 'to_be_credited'),
                    '{}') AS credited
    FROM subscription_service_history WHERE tenant_id = %(tenant_id)s GROUP BY bucket, account_id, service_id
), judged AS (
    SELECT c.*, r.rated_up_to, r.credit_from, upper(c.days_of) AS last_day,
           (SELECT sum(upper(x) - lower(x)) FROM unnest(c.days_of) x) AS different_days,
           h.billable * datemultirange(daterange(c.first_day, greatest(
               c.first_day, least(r.rated_up_to, r.credit_from, s.effective_to))))                - c.days_of AS missing,
           CASE WHEN r.credit_from IS NULL THEN c.days_of * h.credited - h.billable ELSE '{}' END AS surplus
    FROM charged c
    LEFT JOIN history h ON h.bucket = c.bucket AND h.account_id = c.account_id AND h.service_id = c.service_id
    LEFT JOIN subscription_service_rating r
      ON r.bucket = c.bucket AND r.account_id = c.account_id AND r.service_id = c.service_id
    LEFT JOIN subscription_service s
      ON s.bucket = c.bucket AND s.account_id = c.account_id AND s.id = c.service_id
)
SELECT bucket, account_id, service_id, CASE
    WHEN billable_is_unknown THEN 'it has charges and no history'
    WHEN days <> different_days THEN days - different_days || ' days are billed twice'
    WHEN NOT isempty(missing) THEN 'not billed in ' || missing
    WHEN NOT isempty(surplus) THEN 'billed, and to be credited, in ' || surplus
    ELSE 'rated up to ' || rated_up_to || ', billed up to ' || last_day END AS difference
FROM (SELECT *, missing IS NULL AS billable_is_unknown FROM judged) j
WHERE billable_is_unknown OR days <> different_days OR NOT isempty(missing) OR NOT isempty(surplus)
   OR last_day > rated_up_to
ORDER BY bucket, account_id, service_id LIMIT %(limit)s

-- name: states_follow_from_their_history
-- A subscription or service that has a history is in the state of its open row, and its rows follow without a gap.
SELECT bucket, account_id, subscription_id, difference FROM (
    SELECT u.bucket, u.account_id, u.id AS subscription_id,
           CASE WHEN h.id IS NULL THEN 'has no open state in its history'
                ELSE 'is ' || u.state || ', its history says ' || h.state END AS difference
    FROM subscription_subscription u
    LEFT JOIN subscription_subscription_history h ON h.bucket = u.bucket AND h.account_id = u.account_id
      AND h.subscription_id = u.id AND h.effective_to IS NULL
    WHERE u.tenant_id = %(tenant_id)s AND u.state_from IS NOT NULL
      AND (h.state IS DISTINCT FROM u.state OR h.effective_from IS DISTINCT FROM u.state_from)
    UNION ALL
    SELECT s.bucket, s.account_id, s.subscription_id,
           'service ' || s.code || ' is ' || s.state || ', its history says ' || coalesce(h.state, 'nothing')
    FROM subscription_service s
    LEFT JOIN subscription_service_history h ON h.bucket = s.bucket AND h.account_id = s.account_id
      AND h.service_id = s.id AND h.effective_to IS NULL
    WHERE s.tenant_id = %(tenant_id)s AND s.has_history
      AND (h.state IS DISTINCT FROM s.state OR h.effective_from IS DISTINCT FROM s.state_from
           OR h.bundle_id IS DISTINCT FROM s.bundle_id)
    UNION ALL
    SELECT bucket, account_id, subscription_id, 'its history breaks off on ' || effective_to FROM (
        SELECT bucket, account_id, subscription_id, effective_to,
               lead(effective_from) OVER (PARTITION BY bucket, account_id, subscription_id
                                          ORDER BY effective_from, coalesce(effective_to, 'infinity'), id) AS next_day
        FROM subscription_subscription_history WHERE tenant_id = %(tenant_id)s) steps
    WHERE next_day IS DISTINCT FROM effective_to
    UNION ALL
    SELECT s.bucket, s.account_id, s.subscription_id, 'the history of service ' || s.code || ' breaks off' FROM (
        SELECT bucket, account_id, service_id, effective_to,
               lead(effective_from) OVER (PARTITION BY bucket, account_id, service_id
                                          ORDER BY effective_from, coalesce(effective_to, 'infinity'), id) AS next_day
        FROM subscription_service_history WHERE tenant_id = %(tenant_id)s) steps
    JOIN subscription_service s ON s.bucket = steps.bucket AND s.account_id = steps.account_id AND s.id = service_id
    WHERE next_day IS DISTINCT FROM steps.effective_to) AS faults
ORDER BY bucket, account_id, subscription_id LIMIT %(limit)s

-- name: one_contract_holds
-- The contracts of a subscription follow each other without gap or overlap, and the last one is open.
SELECT bucket, account_id, subscription_id, 'a contract ends on ' || coalesce(effective_to::text, 'no day')
       || ', the next begins on ' || coalesce(next_day::text, 'no day') AS difference
FROM (
    SELECT bucket, account_id, subscription_id, effective_to,
           lead(effective_from) OVER (PARTITION BY bucket, account_id, subscription_id
                                      ORDER BY effective_from, coalesce(effective_to, 'infinity'), id) AS next_day
    FROM subscription_billing_term WHERE tenant_id = %(tenant_id)s AND subscription_id IS NOT NULL) steps
WHERE next_day IS DISTINCT FROM effective_to
ORDER BY bucket, account_id, subscription_id LIMIT %(limit)s
