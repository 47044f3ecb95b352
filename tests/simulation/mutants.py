"""All mutants by name; importing a module of them enters them."""

from tests.simulation import mutants_elsewhere, mutants_of_flush, mutants_of_spool
from tests.simulation.mutant import MUTANTS

__all__ = ["MUTANTS", "mutants_elsewhere", "mutants_of_flush", "mutants_of_spool"]
