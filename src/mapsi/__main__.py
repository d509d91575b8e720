"""``python -m mapsi`` is ``mapsi``."""

from mapsi.cli import main

if __name__ == "__main__":
    main()
