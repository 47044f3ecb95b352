"""Runs that never were, on a virtual clock: work, what befalls it, and how readers judge it.

A life is drawn from its seed alone: the work of its processes, the world's trouble, and its end.
Its records are made by the product's own pump and folded by the product's own fold; only the
threads, the network and the store between them are a model.
"""
