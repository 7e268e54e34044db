"""`python -m perfwright` is the same as `perfwright`."""

from perfwright.cli.main import main

if __name__ == "__main__":
    main()
