"""The tests of the log; its property tests run under the profile that the environment names."""

import profiles

profiles.load()
