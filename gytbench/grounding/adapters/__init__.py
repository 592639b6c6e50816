"""The systems, one module each; see `gytbench.grounding.contract`."""
