"""One file per measured claim. Benchmarks measure; they are not tests."""
