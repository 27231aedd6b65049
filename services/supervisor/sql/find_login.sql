-- Whether the server has a role. $1 text name
SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1::text)
