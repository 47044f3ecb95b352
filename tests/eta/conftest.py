"""The tests of the time left, under the profile that the environment names."""

import profiles

profiles.load()
