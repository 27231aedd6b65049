-- Whether who asks may make roles, and who that is.
SELECT rolname, rolsuper OR rolcreaterole AS may FROM pg_roles WHERE rolname = current_user
