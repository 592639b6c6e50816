"""Grids of training runs that are scored alike: ablations, on real videos or a rendered world."""
