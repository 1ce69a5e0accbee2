"""Who the user is: configuration, paths, passwords."""
