-- Whoever books locks this row; where there was none yet, nobody would wait for anybody.
INSERT INTO journal_completeness (position) VALUES (0) ON CONFLICT DO NOTHING;
