"""STCAT (Jin et al. 2022), a model that finds the tube of a description."""

from gytbench.models.stcat.network import Stcat, load_stcat

__all__ = ["Stcat", "load_stcat"]
