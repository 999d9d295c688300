"""A leaderboard: a file of results that several processes may add to at once (chapters 14 and 17)."""
