"""The tests of the fold and of what is made of it, under the profile that the environment names."""

import profiles

profiles.load()
