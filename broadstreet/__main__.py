"""`python -m broadstreet`."""

from broadstreet.surfaces.cli import main

if __name__ == "__main__":
    main()
