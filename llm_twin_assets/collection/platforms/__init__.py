"""What each platform says and how it is read: its API, its export, its feed. One prefix a platform."""
