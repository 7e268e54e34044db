"""What this machine has, lacks and can measure: `perfwright doctor`."""
