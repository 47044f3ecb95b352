"""The tests of the fold and of what is made of it, its property tests under the profile that the environment names."""

import profiles

profiles.load()
