"""The command line ``multiscale``, also as ``python -m multiscale``."""

import sys

from multiscale.starting import starting


def main() -> None:
    """Say what is starting, then load the command line and run it."""
    if words := sys.argv[1:]:
        starting(f"multiscale {words[0]}", words)
    from multiscale.cli import main as run

    run()


if __name__ == "__main__":
    main()
