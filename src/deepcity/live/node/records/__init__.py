"""Each agency's records as a node knows them: their sources, what is kept, how new they are."""
