#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""listen.py [--port N] [--name NAME] [--addr-file FILE] COMMAND...

Open a listening TCP socket on 127.0.0.1 here, then become COMMAND, which
inherits it as systemd hands one over (sd_listen_fds(3)): descriptor 3,
LISTEN_FDS=1, LISTEN_PID, LISTEN_FDNAMES. A socket stays in the network
namespace in which it was opened: a browser of this host reaches an agent
whose gateway is a namespace. Port 0 (the default) is any free one; where it
listens is written to FILE as ADDRESS:PORT."""
import argparse
import os
import socket

FIRST_FD = 3    # SD_LISTEN_FDS_START

p = argparse.ArgumentParser(usage=__doc__)
p.add_argument("--port", type=int, default=0)
p.add_argument("--name", default="http")
p.add_argument("--addr-file")
p.add_argument("command", nargs=argparse.REMAINDER)
a = p.parse_args()
if not a.command:
    p.error("a command is missing")

s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("127.0.0.1", a.port))
s.listen(64)
if a.addr_file:
    with open(a.addr_file + ".new", "w") as f:
        f.write("%s:%d\n" % s.getsockname())
    os.rename(a.addr_file + ".new", a.addr_file)
if s.fileno() == FIRST_FD:
    os.set_inheritable(FIRST_FD, True)
else:
    os.dup2(s.fileno(), FIRST_FD)    # inheritable
# the pid stays the same through exec, and through nsenter's
os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()),
                  LISTEN_FDNAMES=a.name)
os.execvp(a.command[0], a.command)
