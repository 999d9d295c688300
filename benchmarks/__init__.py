"""One file per measured claim, whose `main()` gives numbers by name. Benchmarks measure; they are not tests."""
