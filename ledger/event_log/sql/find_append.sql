-- Whether an append was committed. $1 uuid append id, $2 bigint number that it is above
SELECT true FROM appends WHERE number > $2 AND append_id = $1
