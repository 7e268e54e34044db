"""The domain and the loop.  Knows no LLVM, no SQLite and no language model."""
