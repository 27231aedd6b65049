"""What runs: a folder for each process or concern. `command_line` starts them all.

They share `runtime`, `vault`, `identity` and `customers`, and know nothing else of each other.
"""
