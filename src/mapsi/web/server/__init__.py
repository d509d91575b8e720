"""The server: sockets, threads and what a connection may cost."""
