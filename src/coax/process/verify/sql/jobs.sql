-- What is promised of jobs.

-- name: jobs_are_charged_when_completed
SELECT coalesce(j.code, 'of job ' || c.job_id) AS job, l.number AS line, concat_ws(' ',
    CASE WHEN j.id IS NULL THEN 'a charge is of no job'
         WHEN l.number IS NULL THEN 'a charge is of no line'
         WHEN c.id IS NULL AND j.state = 'completed' THEN 'the line is billed and was not charged'
         WHEN c.id IS NULL THEN 'the line names a charge that is not there'
         WHEN j.state <> 'completed' THEN 'charged while the job is ' || j.state
         WHEN NOT l.is_billed THEN 'charged, though it is not billed'
         ELSE 'charged otherwise than ordered' END) AS difference
FROM (SELECT * FROM subscription_job_line WHERE tenant_id = %(tenant_id)s) l
FULL JOIN (SELECT * FROM subscription_charge WHERE tenant_id = %(tenant_id)s AND job_id IS NOT NULL) c
  ON c.bucket = l.bucket AND c.account_id = l.account_id AND c.job_id = l.job_id AND c.id = l.charge_id
LEFT JOIN subscription_job j
  ON j.bucket = coalesce(l.bucket, c.bucket) AND j.account_id = coalesce(l.account_id, c.account_id)
 AND j.id = coalesce(l.job_id, c.job_id)
WHERE j.id IS NULL OR l.number IS NULL
   OR (c.id IS NULL AND (l.charge_id IS NOT NULL OR (j.state = 'completed' AND l.is_billed)))
   OR (c.id IS NOT NULL AND (j.state <> 'completed' OR NOT l.is_billed OR c.performed_on <> j.completed_on
       OR (c.product_id, c.quantity, c.duration) <> (l.product_id, l.quantity, l.duration)
       OR c.agreed_price_micro IS DISTINCT FROM l.agreed_price_micro))
ORDER BY 1, 2 LIMIT %(limit)s

-- name: job_histories_are_whole
SELECT j.code AS job, concat_ws(' ', 'is', j.state, 'with', e.events, 'events, revision', j.revision,
    'and last event', coalesce(e.state, 'none')) AS difference
FROM (SELECT * FROM subscription_job WHERE tenant_id = %(tenant_id)s) j
LEFT JOIN (
    SELECT bucket, account_id, job_id, count(*) AS events, (array_agg(state ORDER BY number DESC))[1] AS state
    FROM subscription_job_event WHERE tenant_id = %(tenant_id)s GROUP BY bucket, account_id, job_id) e
  ON e.bucket = j.bucket AND e.account_id = j.account_id AND e.job_id = j.id
WHERE e.events IS DISTINCT FROM j.revision::bigint OR e.state IS DISTINCT FROM j.state
ORDER BY 1 LIMIT %(limit)s
