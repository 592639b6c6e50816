"""A narrated world that is rendered, not filmed: training and ground truth without a download."""
