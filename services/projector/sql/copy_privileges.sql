-- The statements that give one table the owner and the privileges of another.
-- $1 text the table that has them  $2 text the table that gets them, both with their schema
SELECT format('ALTER TABLE %s OWNER TO %I', $2::text, pg_get_userbyid(live.relowner)) AS statement
FROM pg_class AS live
WHERE live.oid = $1::text::regclass AND pg_get_userbyid(live.relowner) <> current_user
UNION ALL
SELECT format('GRANT %s ON TABLE %s TO %s', granted.privilege_type, $2::text,
              CASE granted.grantee WHEN 0 THEN 'PUBLIC'
                                   ELSE quote_ident(pg_get_userbyid(granted.grantee)) END)
FROM pg_class AS live, aclexplode(live.relacl) AS granted
WHERE live.oid = $1::text::regclass AND granted.grantee <> live.relowner
