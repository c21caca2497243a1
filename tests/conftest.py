"""Settings all tests share."""

from hypothesis import settings

# The first example compiles kernels, so that no deadline fits; the same examples each run, so that a red test
# is red again.
settings.register_profile("reproducible", deadline=None, derandomize=True)
settings.load_profile("reproducible")
