#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Server-sent events: what comes, what a client that was away gets, and what becomes
of slow ones. Run as `unshare --net tests/api/test_stream.py`."""
import threading
from api import *

PLAIN = ('127.0.0.1', 9478)


class Stream:
    """A client that reads in the background; got: (event, id, data), comments too."""

    def __init__(self, last=None, query='', source=None, to=PLAIN, read=True):
        self.s = socket.socket()
        self.s.settimeout(30)
        if not read:
            self.s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        if source:
            self.s.bind((source, 0))
        self.s.connect(to)
        self.got, self.status, self.ended = [], None, False
        self.s.sendall(('GET /api/v1/stream%s HTTP/1.1\r\nHost: localhost\r\n%s\r\n' % (
            query, 'Last-Event-ID: %s\r\n' % last if last is not None else '')).encode())
        self.thread = threading.Thread(target=self.run, daemon=True)
        if read:
            self.thread.start()

    def run(self):
        raw = b''
        try:
            while b'\r\n\r\n' not in raw:
                raw += self.s.recv(65536)
            head, _, raw = raw.partition(b'\r\n\r\n')
            self.headers = head.decode().lower()
            self.status = int(head.split()[1])
            text = ''
            while self.status == 200:
                while b'\r\n' not in raw:       # a chunk and its length
                    raw += self.more()
                size, _, raw = raw.partition(b'\r\n')
                size = int(size, 16)
                while len(raw) < size + 2:
                    raw += self.more()
                text += raw[:size].decode()
                raw = raw[size + 2:]
                if not size:
                    break
                while '\n\n' in text:
                    one, _, text = text.partition('\n\n')
                    self.take(one)
        except (OSError, EOFError, ValueError):
            pass
        self.ended = True

    def more(self):
        data = self.s.recv(65536)
        if not data:
            raise EOFError
        return data

    def take(self, text):
        kind = n = data = None
        for line in text.split('\n'):
            key, _, value = line.partition(':')
            value = value.lstrip()
            if key == '':
                kind = 'comment'
            elif key == 'event':
                kind = value
            elif key == 'id':
                n = int(value)
            elif key == 'data':
                data = json.loads(value)
            elif key == 'retry':
                kind, data = 'retry', int(value)
        self.got.append((kind, n, data, time.monotonic()))

    def of(self, kind):
        return [x for x in self.got if x[0] == kind]

    def close(self):
        try:
            self.s.shutdown(socket.SHUT_RDWR)   # a thread may be in recv()
        except OSError:
            pass
        self.s.close()


def block(i, why=''):
    return ask_unix('block', 'POST', json.dumps(
        {'prefixes': ['198.51.%d.%d' % (i // 250, i % 250 + 1)], 'why': why}))[0]


def held(source):
    """Connections of the agent's to this address, those that it has not closed."""
    peer = '%02X%02X%02X%02X' % tuple(reversed([int(x) for x in source.split('.')]))
    with open('/proc/net/tcp') as f:
        rows = [line.split() for line in f][1:]
    return sum(r[1].endswith(':%04X' % PLAIN[1]) and r[2].startswith(peer) and r[9] != '0'
               for r in rows)


def first_things():
    s = Stream()
    ok('a stream begins with the lanes as they are', wait_until(2, lambda: s.of('lanes')), s.got)
    ok('... as text/event-stream that nobody keeps', 'content-type: text/event-stream' in s.headers
       and 'no-store' in s.headers and 'nosniff' in s.headers, s.headers)
    ok('... and says when to come back', s.of('retry') and 1000 <= s.of('retry')[0][2] <= 10000)
    ok('... and tells nothing that was before', not s.of('event'), s.got)
    block(1)
    ok('an event comes at once', wait_until(1, lambda: s.of('event')), s.got)
    _, n, data, _ = s.of('event')[0]
    last = events()[-1]
    ok('... as GET events has it, its number as id', data == last and n == last['n'], (data, last))
    return s


def coming_back():
    known = events()[-1]['n']
    for i in range(2, 12):
        block(i)
    s = Stream(last=known)
    ok('who comes back gets what he missed, in order', wait_until(
        2, lambda: [x[1] for x in s.of('event')] == list(range(known + 1, known + 11))), s.got)
    q = Stream(query='?after=%d' % known)
    ok('... by after= too', wait_until(2, lambda: len(q.of('event')) == 10), q.got)
    far = Stream(last=10 ** 12)
    ok('a number from before a loss: all that there is', wait_until(
        2, lambda: [x[1] for x in far.of('event')] == [e['n'] for e in events()]), far.got)
    bad = Stream(last='x')
    ok('a number that is none is 400', wait_until(2, lambda: bad.status == 400), bad.status)
    for x in (s, q, far, bad):
        x.close()


def slow_one():
    """Takes nothing; events are many and long, so that no buffer holds them."""
    known = events()[-1]['n']
    slow = Stream(read=False, source='127.0.0.61')
    lazy = socket.socket()
    lazy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    lazy.bind(('127.0.0.60', 0))
    lazy.connect(PLAIN)
    lazy.sendall(b'GET /api/v1/status HTTP/1.1\r\nHost: localhost\r\n\r\n' * 190)
    for i in range(100, 1000):
        block(i, 'x' * 250)
    ok('who does not read his stream is cut off', wait_until(25, lambda: not held('127.0.0.61')))
    ok('... as is who does not read his answers', wait_until(25, lambda: not held('127.0.0.60')))
    slow.close()
    lazy.close()
    again = Stream(last=known)
    ok('... and may come back for all of it', wait_until(5, lambda: [
        x[1] for x in again.of('event')] == list(range(known + 1, known + 901))),
       [x[1] for x in again.of('event')][:3])
    again.close()
    late = Stream(last=1)
    oldest = ask_unix('events')[1]['oldest']
    for i in range(1000, 1130):
        block(i)
    late.close()
    oldest = ask_unix('events')[1]['oldest']
    late = Stream(last=1)
    ok('who comes too late is told which are gone', oldest > 2 and wait_until(
        3, lambda: late.of('missed') and late.of('missed')[0][2] == {
            'from': 2, 'to': oldest - 1} and late.of('event')[0][1] == oldest),
       (oldest, late.got[:3]))
    late.close()


def many():
    eight = [Stream(source='127.0.0.50') for _ in range(8)]
    ok('one address has eight streams', wait_until(3, lambda: all(s.of('lanes') for s in eight)))
    ninth = Stream(source='127.0.0.50')
    ok('... and no more: 429, and when to try', wait_until(3, lambda: ninth.status == 429) and
       'retry-after: 1' in ninth.headers, ninth.status)
    other = Stream(source='127.0.0.51')
    ok('... another address has its own', wait_until(3, lambda: other.of('lanes')), other.got)
    for s in eight + [ninth]:
        s.close()
    ok('who leaves is noticed within two seconds', wait_until(
        3, lambda: not held('127.0.0.50')), held('127.0.0.50'))
    again = Stream(source='127.0.0.50')
    ok('... and his place is free', wait_until(3, lambda: again.of('lanes')), again.status)
    for s in (again, other):
        s.close()
    lots = [Stream(source='127.0.0.%d' % (100 + i)) for i in range(40)]
    wait_until(5, lambda: all(s.status for s in lots))
    good = sum(s.status == 200 for s in lots)
    ok('all together have 32 at most', 20 <= good <= 32, [s.status for s in lots])
    ok('... while others are served', ask_unix('status')[0] == 200)
    for s in lots:
        s.close()


def by_token():
    run(BUILD + '/sealane', 'token', 'add', 'page', '--role', 'view', '--file', DIR + '/tokens')
    r = run(BUILD + '/sealane', '-j', 'token', 'add', 'watch', '--role', 'view', '--file',
            DIR + '/tokens')
    token = json.loads(r.stdout)['token']
    time.sleep(2)
    s = connect(('127.0.0.1', 9479))
    s.sendall(('GET /api/v1/stream HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n\r\n'
               % token).encode())
    ok('a stream by a token', b' 200 ' in s.recv(65536)[:20])
    run(BUILD + '/sealane', 'token', 'remove', 'watch', '--file', DIR + '/tokens')

    def over():
        s.settimeout(0.5)
        try:
            return s.recv(65536) in (b'', b'0\r\n\r\n')
        except socket.timeout:
            return False
        except OSError:
            return True
    ok('... ends when the token is removed', wait_until(5, over))
    s.close()


def main():
    world()
    configure('''listen: [{address: "127.0.0.1:9478"}, {address: "127.0.0.1:9479", role: none}]
tokens: %s/tokens
''' % DIR)
    if not ok('the agent starts', start(), log()):
        end()
    s = first_things()
    began = time.monotonic()
    coming_back()
    by_token()
    slow_one()
    many()
    wait_until(17 - (time.monotonic() - began), lambda: s.of('comment'))
    ok('a comment as heartbeat', s.of('comment'), [x[0] for x in s.got][-20:])
    at = [x[3] for x in s.of('lanes')]
    gaps = [b - a for a, b in zip(at[1:], at[2:])]
    ok('the lanes come every five seconds', gaps and all(3.5 < g < 6.5 for g in gaps), gaps)
    numbers = [x[1] for x in s.of('event')]
    ok('the first client has had every event once', numbers == list(range(
        numbers[0], events()[-1]['n'] + 1)), numbers[-3:])
    ok('the agent ends with streams open', stop() == 0, log()[-20:])
    ok('... and they end', wait_until(3, lambda: s.ended))
    end()


main()
