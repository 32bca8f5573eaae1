"""Parts of a world file that a world may leave out, one a file."""
