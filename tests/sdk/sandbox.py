"""Where the sandbox is, its keys, and the wall around this process: nothing but loopback is ever called."""

import ipaddress
import os
import sys
from urllib.parse import urlsplit

# What the sandbox prints; a sandbox that runs already has the same.
DEMO = {
    "GENESYS_CLIENT_ID": "5a0d7c1e-2b94-4f6a-8e13-9c4b6d2f7a01",
    "GENESYS_CLIENT_SECRET": "demo-genesys-secret",
    "SUGER_ORG_ID": "sgr-demo1",
    "SUGER_API_KEY": "demo-suger-key",
    "ACRONIS_CLIENT_ID": "6be1f0c9-2d47-4c83-b5a9-7e3f10d8c264",
    "ACRONIS_CLIENT_SECRET": "demo-acronis-secret",
}


def is_loopback(host):
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def checked(url):
    """The address without a slash at the end; the program ends here if it is not on this machine."""
    parts = urlsplit(url)
    if parts.scheme != "http" or not is_loopback(parts.hostname or ""):
        sys.exit(f"rejected: {url} is not http on loopback; real vendors are never called")
    return url.rstrip("/")


def stay_at_home(event, arguments):
    """An audit hook: sees every connection and every lookup of a name, from any package."""
    if event == "socket.connect" and isinstance(arguments[1], tuple):
        host = arguments[1][0]
    elif event == "socket.getaddrinfo":
        host = arguments[0]
    else:
        return
    host = host.decode() if isinstance(host, bytes) else host
    if host is not None and not is_loopback(host):
        raise RuntimeError(f"rejected: {host} is not loopback; real vendors are never called")


def key(name):
    return os.environ.get(name, DEMO[name])


def url():
    """From SANDBOX_URL or the one argument; from here on this process cannot leave the machine."""
    given = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("SANDBOX_URL", "")
    address = checked(given)
    sys.addaudithook(stay_at_home)
    for name in list(os.environ):
        if name.lower() in ("http_proxy", "https_proxy", "all_proxy"):
            del os.environ[name]
    return address
