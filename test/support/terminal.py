"""Runs a command in a terminal of its own: terminal.py COMMAND ARG…

What the command prints goes to standard output. The terminal is closed, as by a person who closes its window, when
standard input ends. Typed text comes in over standard input. Prints nothing of its own."""
import os
import pty
import select
import sys

pid, terminal = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])

while True:
    ready, _, _ = select.select([terminal, 0], [], [])
    if terminal in ready:
        try:
            said = os.read(terminal, 65536)
        except OSError:
            said = b""
        if not said:
            break
        os.write(1, said)
    if 0 in ready:
        typed = os.read(0, 65536)
        if not typed:
            break
        os.write(terminal, typed)
os.close(terminal)
os.waitpid(pid, 0)
