"""How long, how much memory, how much work: what chapters 12 and 13 measure, on any device."""
