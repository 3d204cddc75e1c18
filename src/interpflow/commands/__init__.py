"""The commands of `interpflow`.

Each module has `register(subparsers)`: it adds its parsers and sets `command`, a function of the parsed
arguments that returns an exit code (None: 0).  What is slow to import, a command imports when it runs.
"""
