"""Writes `schemas/published/`: what the code's own types say, for readers in any language.

`python -m services.publish_schemas` writes the files, `--check` says whether they are stale.
"""
