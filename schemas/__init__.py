"""The published language: commands, events, results and rejections as msgspec Structs.

A leaf package: it imports no other package of this repository and does no I/O.
"""
