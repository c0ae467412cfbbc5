"""`python -m deepcity`: the same as the command `deepcity`."""

from deepcity.cli import main

if __name__ == "__main__":
    main()
