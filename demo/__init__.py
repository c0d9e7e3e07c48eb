"""A fictional region to try the house with: its people, its files. Nothing here is needed to practise."""
