"""Getting onto a host: looking at it from inside, changing it, and taking every change back."""
