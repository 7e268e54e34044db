"""The program to be made faster: its description, its captured build, and its builds."""
