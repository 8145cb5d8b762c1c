"""The same tokens before PyJWT, with its keys prepared. with_pyjwt.py FOLDER SECONDS ALGORITHM..."""
import statistics
import sys
import time

import jwt
from cryptography.hazmat.primitives.serialization import load_pem_public_key

folder, seconds = sys.argv[1], float(sys.argv[2]) / 11


def read(name):
    with open(f"{folder}/{name}", "rb") as file:
        return file.read()


for name in sys.argv[3:]:
    if name not in jwt.algorithms.get_default_algorithms():
        continue
    key = read(f"{name}.key") if name.startswith("HS") else load_pem_public_key(read(f"{name}.pem"))
    token = read(f"{name}.token").decode()
    rounds = []
    for _ in range(11):
        count, begun = 0, time.perf_counter()
        while True:
            jwt.decode(token, key, algorithms=[name], audience="orders", issuer=f"https://accounts.example.com/{name}")
            count += 1
            passed = time.perf_counter() - begun
            if passed >= seconds:
                break
        rounds.append(passed * 1e9 / count)
    print("PyJWT", name, round(statistics.median(rounds)))
