"""`python -m services.command_line …` is `ledger …`, where no `ledger` is installed."""

from services.command_line.main import main

if __name__ == "__main__":
    main()
