"""Configurations of the nginx tests in few words."""

from contextlib import contextmanager

from frame import nginx


@contextmanager
def site(place, locations, before="", server="", **more):
    """nginx with these locations; PORT and ECHO in them are ports. Everything is guarded unless a location says otherwise."""
    echo = more.pop("echo", None)
    policy = more.pop("policy", None)
    policy = "gatepost_policy policy.toml;" if policy is None else policy
    text = f"{policy}\n{before}\nserver {{ listen 127.0.0.1:PORT;\n{server or 'gatepost on;'}\n{locations}\n}}"
    if echo is not None:
        text = text.replace("ECHO", f"127.0.0.1:{echo.port}")
    with nginx.Nginx(place.folder, text, **more) as running:
        yield running


def got(echo, name):
    """The values that the application received last, of a field of that name."""
    return [value for key, value in echo.received[-1]["fields"] if key.lower() == name.lower()]


def page(place, name, text):
    """A file that nginx serves from the folder `html`."""
    path = place.folder / "html" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
