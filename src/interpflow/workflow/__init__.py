"""From a study to jobs: what each reads and writes, and the recipe that decides its bytes."""
