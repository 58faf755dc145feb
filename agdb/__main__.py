"""`python -m agdb`, and the `agdb` command."""

from agdb.cli import app


def main() -> None:
    """Run the command line."""
    app(prog_name="agdb")


if __name__ == "__main__":
    main()
