"""`python -m services.publish_schemas [--check]`."""

import argparse
import sys

from services.publish_schemas.documents import FOLDER, stale, write


def main() -> int:
    """Write the published documents, or say which are stale; the exit status says too."""
    parser = argparse.ArgumentParser(prog="python -m services.publish_schemas", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; 1 if files are stale")
    if parser.parse_args().check:
        paths = stale()
        for path in paths:
            sys.stdout.write(f"stale: {FOLDER.name}/{path}\n")
        return 1 if paths else 0
    for path in write():
        sys.stdout.write(f"wrote {FOLDER.name}/{path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
