-- Of items.

-- name: items_are_where_they_say
SELECT coalesce(i.serial, n.item_id::text) AS serial,
       'installed rows ' || count(n.id) || ', state ' || coalesce(max(i.state), 'unknown') AS difference
FROM (SELECT * FROM subscription_stock_item WHERE tenant_id = %(tenant_id)s) i
FULL JOIN (SELECT * FROM subscription_installed_item WHERE tenant_id = %(tenant_id)s AND installed_to IS NULL) n
  ON n.item_id = i.id AND n.account_id = i.account_id AND n.subscription_id = i.subscription_id
GROUP BY i.id, i.serial, n.item_id
HAVING count(n.id) <> CASE WHEN max(i.state) = 'installed' THEN 1 ELSE 0 END OR count(i.id) = 0

-- name: item_histories_have_no_gap
WITH moves AS (
    SELECT m.*, lag(number) OVER h AS before, lag(performed_on) OVER h AS earlier, lag(to_state) OVER h AS was_state,
           lag(to_location_id) OVER h AS was_location, lag(to_subscription_id) OVER h AS was_subscription
    FROM subscription_item_movement m WHERE m.tenant_id = %(tenant_id)s
    WINDOW h AS (PARTITION BY item_id ORDER BY number)
), broken AS (
    SELECT item_id, 'movement ' || number || ' does not follow the one before' AS difference FROM moves
    WHERE number <> coalesce(before, 0) + 1 OR performed_on < earlier OR from_state <> coalesce(was_state, '')
       OR from_location_id IS DISTINCT FROM was_location OR from_subscription_id IS DISTINCT FROM was_subscription
    UNION ALL
    SELECT i.id, 'the last movement is not where it is' FROM subscription_stock_item i
    LEFT JOIN subscription_item_movement m ON m.tenant_id = i.tenant_id AND m.item_id = i.id AND m.number = i.revision
    WHERE i.tenant_id = %(tenant_id)s AND (m.to_state IS DISTINCT FROM i.state
       OR m.to_location_id IS DISTINCT FROM i.location_id OR m.to_subscription_id IS DISTINCT FROM i.subscription_id)
)
SELECT i.serial, b.difference FROM broken b
JOIN subscription_stock_item i ON i.tenant_id = %(tenant_id)s AND i.id = b.item_id
