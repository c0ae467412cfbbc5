"""Parts of `deepcity up`."""
