"""tiny-llama: the small pretrained base model that the project ships, and everything that built it."""
