"""The command line: a thin front over `perfwright.app`."""
