"""Put on the path of profiled programs; see sitecustomize.py."""
