# SPDX-License-Identifier: GPL-2.0
"""An agent in a network namespace of its own, for the tests of this directory, and
HTTP by hand, so that it can also be wrong. Each test runs as
`unshare --net python3 TEST.py`."""
import atexit
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(TOP, os.environ.get('BUILD', 'build'))
DIR = tempfile.mkdtemp(prefix='sealane-api.', dir='/tmp')
ID = 'sla%d' % os.getpid()
PINS = ['/sys/fs/bpf/' + ID, '/run/sealane/bpf/' + ID]
SOCKET = DIR + '/sealaned.sock'
agent = None
n = failed = 0


def run(*words, **more):
    return subprocess.run(words, check=True, capture_output=True, text=True, **more)


def ok(what, good, why=''):
    global n, failed
    n += 1
    failed += not good
    print('%sok %d - %s' % ('' if good else 'not ', n, what))
    if not good:
        for line in str(why)[-2000:].splitlines():
            print('# ' + line)
        for line in log()[-5:]:
            print('# agent: ' + line)
    sys.stdout.flush()
    return good


def skip(what, why):
    global n
    n += 1
    print('ok %d - %s # SKIP %s' % (n, what, why))


def end():
    print('1..%d' % n)
    sys.exit(failed != 0)


def log():
    try:
        with open(DIR + '/agent.log') as f:
            return f.read().splitlines()
    except OSError:
        return []


def wait_until(seconds, good):
    end_s = time.monotonic() + seconds
    while time.monotonic() < end_s:
        if good():
            return True
        time.sleep(0.05)
    return False


def configure(more=''):
    with open(DIR + '/sealane.yaml', 'w') as f:
        f.write('''interfaces: [{name: out0, side: outside, path: cable}]
home: [198.18.10.0/24]
lanes: [{name: FAR, prefixes: [198.18.20.0/24], at: [1.35, 103.82], cable_km: 2900.5}]
tables: {flows: 1024, series: 64, size: small}
socket: %s
state_dir: %s/state
bpffs: %s
%s''' % (SOCKET, DIR, PINS[0], more))


def start(sockets=()):
    """Start the agent and wait for it; sockets: (name, socket) that listen already,
    handed over as systemd does it."""
    global agent
    words = [os.environ.get('SEALANED', BUILD + '/sealaned'), '-c', DIR + '/sealane.yaml']
    env = dict(os.environ)

    def hand_over():
        for i, (_, s) in enumerate(sockets):
            os.dup2(s.fileno(), 3 + i)      # inheritable
    if sockets:
        words = ['sh', '-c', 'LISTEN_PID=$$; export LISTEN_PID; exec "$@"', 'sh'] + words
        env.update(LISTEN_FDS=str(len(sockets)),
                   LISTEN_FDNAMES=':'.join(name for name, _ in sockets))
    with open(DIR + '/agent.log', 'a') as f:
        agent = subprocess.Popen(words, stdout=f, stderr=f, env=env, close_fds=not sockets,
                                 preexec_fn=hand_over if sockets else None)
    return wait_until(30, lambda: ask_unix('status')[0] == 200)


def stop(sig=signal.SIGTERM):
    global agent
    if not agent:
        return None
    agent.send_signal(sig)
    rc = agent.wait(20)
    agent = None
    return rc


def reload():
    """SIGHUP; whether it was taken."""
    before = len(log())
    agent.send_signal(signal.SIGHUP)
    wait_until(10, lambda: any('configuration reloaded' in line or 'refused' in line
                               for line in log()[before:]))
    return any('configuration reloaded' in line for line in log()[before:])


def leave():
    stop()
    for pins in PINS:
        for top, _, files in os.walk(pins, topdown=False):
            for name in files:
                os.unlink(os.path.join(top, name))
            os.rmdir(top)
    shutil.rmtree(DIR, ignore_errors=True)


def world():
    """The namespace: lo, and an interface for the agent."""
    if os.readlink('/proc/self/ns/net') == os.readlink('/proc/%d/ns/net' % os.getppid()) \
            and os.readlink('/proc/self/ns/net') == os.readlink('/proc/1/ns/net'):
        sys.exit('run it as: unshare --net python3 ' + sys.argv[0])
    run('ip', 'link', 'set', 'lo', 'up')
    run('ip', 'link', 'add', 'out0', 'type', 'veth', 'peer', 'name', 'p0')
    for name in ('out0', 'p0'):
        run('ip', 'link', 'set', name, 'up')
    os.chmod(DIR, 0o755)
    atexit.register(leave)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))


# --- HTTP ---
def connect(to, timeout=10):
    family = socket.AF_UNIX if isinstance(to, str) else \
        socket.AF_INET6 if ':' in to[0] else socket.AF_INET
    s = socket.socket(family)
    s.settimeout(timeout)
    s.connect(to)
    return s


def talk(to, data, timeout=10):
    """Send bytes as they are; all that comes back until the end."""
    s = connect(to, timeout)
    out = b''
    try:
        s.sendall(data)
        while True:
            more = s.recv(65536)
            if not more:
                break
            out += more
    except (ConnectionError, socket.timeout):
        pass
    finally:
        s.close()
    return out


def parse(raw):
    """Status, headers (lower case), body."""
    head, _, body = raw.partition(b'\r\n\r\n')
    lines = head.decode('latin-1').split('\r\n')
    if not lines[0].startswith('HTTP/'):
        return 0, {}, raw
    headers = {}
    for line in lines[1:]:
        key, _, value = line.partition(':')
        headers[key.strip().lower()] = value.strip()
    return int(lines[0].split()[1]), headers, body


def ask(to, path, method='GET', body=None, timeout=10, **headers):
    """One request; a keyword such as Last_Event_ID is a header. Host: None: none."""
    words = {'Host': 'localhost', 'Connection': 'close'}
    words.update({k.replace('_', '-'): v for k, v in headers.items()})
    if body is not None:
        words.setdefault('Content-Length', len(body))
    text = '%s %s HTTP/1.1\r\n' % (method, path)
    text += ''.join('%s: %s\r\n' % w for w in words.items() if w[1] is not None)
    data = text.encode() + b'\r\n' + (body.encode() if body is not None else b'')
    return parse(talk(to, data, timeout))


def ask_unix(what, method='GET', body=None, **headers):
    try:
        status, _, text = ask(SOCKET, '/api/v1/' + what, method, body, **headers)
    except OSError:
        return 0, None
    try:
        return status, json.loads(text)
    except ValueError:
        return status, None


def events(kind=None):
    return ask_unix('events' + ('?kind=' + kind if kind else ''))[1]['events']
