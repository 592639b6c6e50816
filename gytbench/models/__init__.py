"""Neural networks in torch: the backbones and heads that adapters run."""
