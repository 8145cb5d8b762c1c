"""Clients that ask all the time, each request on a connection of its own, until told to stop."""

import threading

from frame import wire


class Load:
    """asks: list of (target, fields, status that must come). `with Load(...) as load:`; `load.failed` is what went wrong."""

    def __init__(self, port: int, asks, clients=3):
        self.port, self.asks, self.done, self.failed = port, asks, 0, []
        self.ended = threading.Event()
        self.threads = [threading.Thread(target=self.run, args=(i,), daemon=True) for i in range(clients)]

    def run(self, turn):
        while not self.ended.is_set():
            target, fields, status = self.asks[turn % len(self.asks)]
            turn += 1
            try:
                got = wire.ask(self.port, target, fields=fields).status
            except (wire.Ended, OSError) as error:
                got = repr(error)
            if got != status:
                self.failed.append((target, got))
            self.done += 1
            self.ended.wait(0.002)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        for thread in self.threads:
            thread.join()  # each request of it has an end
