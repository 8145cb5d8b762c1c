"""Apache httpd under test: real servers of any MPM, each in a folder of its own."""
