-- Which of these roles the server has. $1 text[] names
SELECT rolname FROM pg_roles WHERE rolname = ANY ($1::text[])
