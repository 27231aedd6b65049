-- $1 merchant_id uuid: the origins on the merchant's list, in order. No row: there is no such
-- merchant. A merchant without any is one row whose origin is null.
SELECT origin
FROM merchants
LEFT JOIN redirect_origins USING (merchant_id)
WHERE merchant_id = $1
ORDER BY origin
