"""What is measured of a model, each for itself: pure functions from texts and models to a value per document."""
