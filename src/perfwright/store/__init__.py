"""What outlives a process: the journal of campaigns and the store of artefacts."""
