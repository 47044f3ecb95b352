"""How fast it is, held against limits: `python -m tools.bench NAME`, or `all`.

caller    what a file_done costs the job's thread
pump      from the queue to finished segments
tail      the last lines of a long journal in S3
tailcli   `journal tail` as a process
help      `journal --help` as a process
requests  what a run of six hours asks of its store
idle      CPU of a run that has nothing to say
eta       how far estimates of the time left were from the truth, on recorded runs
health    how often a verdict was wrong or late, over thousands of runs on a virtual clock
"""
