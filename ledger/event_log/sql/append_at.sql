-- The hash of one append. $1 bigint number
SELECT hash FROM appends WHERE number = $1
