-- Whether a role has all that another one has. $1 text the role  $2 text the other one
SELECT pg_has_role($1::text::name, $2::text, 'USAGE')
