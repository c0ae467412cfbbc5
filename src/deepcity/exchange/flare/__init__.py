"""The exchange between machines, over NVIDIA FLARE: `engine` alone imports it."""
