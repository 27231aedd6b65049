-- $1 merchant_id uuid, $2 origin text: not on the merchant's list any more.
DELETE FROM redirect_origins
WHERE merchant_id = $1 AND origin = $2
RETURNING origin
