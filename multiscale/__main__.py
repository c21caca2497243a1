"""``python -m multiscale`` is the command line ``multiscale``."""

from multiscale.cli import main

if __name__ == "__main__":
    main()
