"""Programs that a test starts, and stops by their pid, whatever happens."""

import os
import signal
import socket
import subprocess
import sys
import time


def free_ports(count):
    """Ports of the loopback interface that nobody listens on now."""
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


class Programs:
    """Running programs, each with a log file of its own; a context manager that leaves none behind."""

    def __init__(self, folder):
        self.folder = folder
        self.running = {}
        os.makedirs(folder, exist_ok=True)

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        for name in reversed(list(self.running)):
            self.stop(name)
        if kind is not None:
            self.tell()

    def start(self, name, command, environment=None):
        """Starts `command` in a process group of its own."""
        with open(self.log(name), "ab") as log:
            self.running[name] = subprocess.Popen(
                [str(part) for part in command],
                env={**os.environ, **(environment or {})},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def stop(self, name, patience=15):
        """SIGTERM to the program; SIGKILL to what is left of its group. Gives the exit code."""
        process = self.running.pop(name)
        process.terminate()
        try:
            code = process.wait(patience)
        except subprocess.TimeoutExpired:
            code = None
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        return code if code is not None else process.wait()

    def dead(self):
        """Names of programs that have ended by themselves."""
        return [name for name, process in self.running.items() if process.poll() is not None]

    def log(self, name):
        return os.path.join(self.folder, name + ".log")

    def tell(self, lines=15):
        """The end of every log, for the one who reads a failure."""
        for file in sorted(os.listdir(self.folder)):
            with open(os.path.join(self.folder, file), errors="replace") as log:
                last = log.readlines()[-lines:]
            print(f"--- {file}\n{''.join(last)}", file=sys.stderr)


def run(command, environment=None, log=None):
    """Runs a command to its end; fails with its output."""
    begun = time.monotonic()
    done = subprocess.run(
        [str(part) for part in command],
        env={**os.environ, **(environment or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if log:
        with open(log, "a") as file:
            file.write(done.stdout)
    if done.returncode:
        raise AssertionError(f"{command} ended with {done.returncode}:\n{done.stdout[-4000:]}")
    return time.monotonic() - begun
