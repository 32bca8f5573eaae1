"""Who lives where: the world file, places, traits of citizens and ties between them."""
