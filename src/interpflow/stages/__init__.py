"""One module per stage: `run(job, log)` reads the job's inputs, calls the science and writes its outputs.

The digest of a stage's code starts at its module here.  So nothing here imports the reading of specs, the
planning or the command line: a change there reruns nothing.
"""
