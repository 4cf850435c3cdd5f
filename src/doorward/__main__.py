"""`python -m doorward` is the command `doorward`."""

from doorward.cli import main

main()
