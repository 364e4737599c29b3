"""What puts the app on a server: image, proxy, and a rehearsal without a container engine."""
