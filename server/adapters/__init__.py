"""Everything of the relay that touches the world: disk, clock, chance, search engine."""
