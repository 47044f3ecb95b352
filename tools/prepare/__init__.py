"""The steps of `tools/prepare_dataset.py`, one noun a file.

manifest · toml_lines · patterns     what to prepare
listing · sources · packing          what a source has, and reading it
workdir · ledger                     where things lie, and what is finished
download · extract · process · split the four steps; archives, formats: what they read
job · pool · view · holding          one run: its parts, its threads, its display, its holder
plan                                 what is to come, said ahead
paths · redaction                    names and addresses that come from outside
"""
