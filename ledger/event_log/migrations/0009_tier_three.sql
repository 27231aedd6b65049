-- Who was sealed for tier three: what says which utility bills are somebody's. Few events have it.
CREATE INDEX tier_three ON events (position)
    WHERE type IN ('wallet.opened', 'wallet.tier_raised') AND (data ->> 'tier') = 'TIER_THREE';
