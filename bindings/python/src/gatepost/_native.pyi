# What maturin makes of the header and the shared library when the wheel is built.
from typing import Any

ffi: Any
lib: Any
