"""Looking inside builds: IR around passes, machine blocks, drafts."""
