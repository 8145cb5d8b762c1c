"""The server of bindings/cpp/examples and the programs of its README, built as they stand there and run."""
import base64
import re
import shutil
import signal
import subprocess
import time

from building import ADDRESS, BUILD, INCLUDE, LINK, RELEASE, STRICT, TOP, compiled, run, service, tool

README = TOP / "bindings/cpp/README.md"
RIGHT = "alice:correct horse battery staple"


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README.read_text(), flags=re.S)


def test_the_programs_of_the_readme_print_what_it_says():
    folder = BUILD / "readme"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    policy, signer = blocks("toml")
    (folder / "orders.toml").write_text(policy)
    quick, server, tokens, loop = blocks("cpp")
    assert len(re.search(r"int main\(\) \{\n(.*?)\n\}", quick, flags=re.S)[0].splitlines()) <= 10

    def says(program, *arguments):
        (folder / "app.cpp").write_text(program)
        return run([str(compiled(folder / "app.cpp", "readme-programs")), *arguments], cwd=folder)

    def gatepost(*words, **more):
        return run([str(RELEASE / "gatepost"), *words, "--policy", "orders.toml"], cwd=folder, **more)

    assert says(quick) == "401 credentials_missing\n"
    assert (folder / "orders.db").exists()
    assert says(server).startswith("401 {")  # alice is not there yet
    gatepost("user", "add", "alice", "--role", "clerk", input="correct horse battery staple\n")
    assert says(server) == "200 Hello, alice.\nalice is a clerk\n"
    assert says(loop) == "401\n"
    schemes = re.search(r"With `(schemes = .*?)`", README.read_text())[1]
    (folder / "orders.toml").write_text(policy.replace('schemes = ["basic"]', schemes) + "\n" + signer)
    run(re.search(r"# (openssl genpkey .*)", signer)[1].split(), cwd=folder)
    key = gatepost("key", "issue", "nightly", "--user", "alice").split()[0]
    assert says(tokens, key) == "bearer 200\nAPI key 200\nrefreshed 1\nrefused 1\n"
    assert says(tokens, key[:-1]) == "bearer 200\nAPI key 401\nrefreshed 1\nrefused 1\n"
    printed = ["401 credentials_missing", "200 Hello, alice.", "alice is a clerk", "bearer 200", "API key 200", "refreshed 1", "refused 1"]
    assert all(f"`{words}`" in README.read_text() for words in printed)


def test_what_the_readme_says_of_building_is_what_the_project_does():
    project = (TOP / "tests/bindings/cpp/project/CMakeLists.txt").read_text()
    assert "find_package(gatepost REQUIRED)" in blocks("cmake")[0] and "find_package(gatepost REQUIRED)" in project
    assert "gatepost::gatepost" in blocks("cmake")[0] and "gatepost::${kind}" in project


class Server:
    """The example on a free port."""

    def __init__(self, name, *flags):
        source = TOP / "bindings/cpp/examples/beast.cpp"
        self.binary = BUILD / f"beast{len(flags)}"
        strict = [flag for flag in STRICT if flag not in ("-Wconversion", "-Wshadow")]  # Boost's own headers
        run([tool("g++", "g++"), "-std=c++17", "-O1", "-g1", *strict, *flags, *INCLUDE, str(source), "-o", str(self.binary), *LINK])
        self.folder = service(name)
        self.log, self.ended = self.folder / "log", False
        self.process = subprocess.Popen(
            [str(self.binary), str(self.folder / "policy.toml"), "0"],
            stdout=subprocess.PIPE, stderr=self.log.open("w"), text=True,
        )
        self.url = self.process.stdout.readline().split()[-1]

    def ask(self, target, *more):
        """Status, fields and body, by curl."""
        command = [tool("curl", "curl"), "-sS", "-i", "--path-as-is", "--max-time", "180", *more, self.url + target]
        head, _, body = run(command).partition("\n\n")
        status, *fields = head.splitlines()
        return int(status.split()[1]), {k.lower(): v.strip() for k, v in (f.split(":", 1) for f in fields)}, body

    def until(self, what):
        for _ in range(3600):
            if what():
                return
            time.sleep(0.05)
        raise AssertionError(f"it did not happen; the log:\n{self.log.read_text()}")

    def __enter__(self):
        return self

    def end(self):
        """Once: the second signal would find no handler any more."""
        if not self.ended:
            self.ended = True
            self.process.send_signal(signal.SIGTERM)

    def __exit__(self, *_):
        self.end()
        code = self.process.wait(timeout=180)
        words = self.log.read_text()
        shutil.rmtree(self.folder)
        assert code == 0, f"{code}\n{words}"


def exercise(server):
    status, fields, body = server.ask("/public")
    assert (status, body) == (200, "Hello, whoever you are.\n")
    status, fields, body = server.ask("/private")
    assert status == 401 and fields["www-authenticate"] == 'Basic realm="Orders", charset="UTF-8"'
    assert "credentials_missing" in body and fields["content-type"] == "application/problem+json"
    status, fields, body = server.ask("/private", "-u", RIGHT)
    assert (status, body, fields["cache-control"]) == (200, "Hello, alice.\n", "private, no-store")
    assert server.ask("/private", "-u", "alice:wrong")[0] == 401
    assert server.ask("/admin", "-u", RIGHT)[0] == 403
    assert server.ask("/unknown", "-u", RIGHT)[0] == 403
    assert server.ask("/private/..%2Fadmin", "-u", RIGHT)[0] == 400
    for forged in ["X-Auth-Subject: root", "x_auth_subject: root"]:
        assert server.ask("/private", "-u", RIGHT, "-H", forged)[2] == "Hello, alice.\n"
        assert server.ask("/public", "-H", forged)[2] == "Hello, whoever you are.\n"
    # One connection, several requests; nothing is left of the one before.
    basic = "Authorization: Basic " + base64.b64encode(RIGHT.encode()).decode()
    said = run(["curl", "-sS", "-H", basic, server.url + "/private", "--next", "-sS", "-o", "/dev/null", "-w", "%{http_code}\n",
                server.url + "/private", "--next", "-sS", "-I", "-o", "/dev/null", "-w", "%{http_code} %{num_connects}\n",
                server.url + "/public"])
    assert said == "Hello, alice.\n401\n200 0\n", said
    assert "credentials_missing" in server.log.read_text()


def test_the_beast_server_lets_in_and_refuses():
    with Server("beast") as server:
        exercise(server)
        policy = server.folder / "policy.toml"
        old = policy.read_text()
        assert server.ask("/new")[0] == 403
        policy.write_text(old + '[[route]]\npath = "/new"\naccess = "public"\n')
        server.process.send_signal(signal.SIGHUP)
        server.until(lambda: server.ask("/new")[0] == 200)
        policy.write_text(old + '[[route]]\npath = "new"\n')
        server.process.send_signal(signal.SIGHUP)
        server.until(lambda: "the old policy stays in force" in server.log.read_text())
        assert server.ask("/new")[0] == 200


def test_the_beast_server_is_clean_under_the_sanitizers_with_clients_that_leave():
    with Server("beast-sanitized", *ADDRESS) as server:
        exercise(server)
        leaving = ["curl", "-sS", "-u", "alice:wrong", "--max-time", "0.001"]
        for number in range(20):
            subprocess.run([*leaving, f"{server.url}/private?{number}"], stderr=subprocess.DEVNULL)
        # Ended with work outstanding.
        clients = [
            subprocess.Popen(["curl", "-s", "-u", f"alice:wrong{n}", "--max-time", "20", "-o", "/dev/null", server.url + "/private"])
            for n in range(8)
        ]
        time.sleep(0.05)
        server.end()
        for client in clients:
            client.wait(timeout=180)
