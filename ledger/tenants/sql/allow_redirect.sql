-- $1 merchant_id uuid, $2 origin text: on the merchant's list. Again changes nothing.
INSERT INTO redirect_origins (merchant_id, origin) VALUES ($1, $2)
ON CONFLICT (merchant_id, origin) DO NOTHING
