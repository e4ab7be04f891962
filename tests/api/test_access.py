#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Who may what: users, tokens, TLS, and everything that somebody tries who has no
business here. Run as `unshare --net tests/api/test_access.py`."""
import fcntl
import re
import ssl
import threading
import api
from api import *

PLAIN, TLS = ('127.0.0.1', 9478), ('127.0.0.1', 9479)
SEALANE = BUILD + '/sealane'
NOBODY = 65534


def sealane(*words, env=None):
    r = subprocess.run([SEALANE] + list(words), capture_output=True, text=True,
                       env=dict(os.environ, **(env or {})))
    return r.returncode, r.stdout, r.stderr


# --- certificates ---
def make_ca():
    run('openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256',
        '-nodes', '-days', '2', '-subj', '/CN=Test CA', '-keyout', DIR + '/ca.key',
        '-out', DIR + '/ca.pem')


def make_cert(name, days=2):
    base = DIR + '/' + name
    run('openssl', 'req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
        '-subj', '/CN=' + name, '-keyout', base + '.key', '-out', base + '.csr')
    with open(base + '.ext', 'w') as f:
        f.write('subjectAltName=IP:127.0.0.1,DNS:localhost\n')
    run('openssl', 'x509', '-req', '-in', base + '.csr', '-CA', DIR + '/ca.pem', '-CAkey',
        DIR + '/ca.key', '-CAcreateserial', '-days', str(days), '-extfile', base + '.ext',
        '-out', base + '.pem')


def put_cert(name):
    for end in ('key', 'pem'):
        shutil.copy('%s/%s.%s' % (DIR, name, end), '%s/live.%s' % (DIR, end))
    os.chmod(DIR + '/live.key', 0o600)


def tls_socket(timeout=10):
    context = ssl.create_default_context(cafile=DIR + '/ca.pem')
    return context.wrap_socket(connect(TLS, timeout), server_hostname='localhost')


def served_name():
    with tls_socket() as s:
        return dict(x[0] for x in s.getpeercert()['subject'])['commonName']


def ask_tls(path, method='GET', body=None, token=None, **headers):
    if token:
        headers['Authorization'] = 'Bearer ' + token
    words = {'Host': 'localhost', 'Connection': 'close'}
    words.update({k.replace('_', '-'): v for k, v in headers.items()})
    if body is not None:
        words['Content-Length'] = len(body)
    text = '%s %s HTTP/1.1\r\n%s\r\n%s' % (method, path, ''.join(
        '%s: %s\r\n' % w for w in words.items()), body or '')
    out = b''
    try:
        with tls_socket() as s:
            s.sendall(text.encode())
            while True:
                more = s.recv(65536)
                if not more:
                    break
                out += more
    except (OSError, ssl.SSLError):
        pass
    return parse(out)


def openssl_says(*words):
    r = subprocess.run(['openssl', 's_client', '-connect', '%s:%d' % TLS, '-CAfile',
                        DIR + '/ca.pem', *words], input='', capture_output=True, text=True,
                       timeout=15)
    found = re.search(r'New, (\S+), Cipher is (\S+)', r.stdout)
    return (found.group(1).rstrip(','), found.group(2)) if found else ('none', '(NONE)')


# --- users ---
def as_user(uid, gids, what):
    """what() as that user; its result as text."""
    r, w = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            os.setgroups(gids)
            os.setresgid(uid, uid, uid)
            os.setresuid(uid, uid, uid)
            os.write(w, repr(what()).encode())
        except BaseException as e:      # whatever it is: it is the child's
            os.write(w, repr(e).encode())
        os._exit(0)
    os.close(w)
    out = b''
    while True:
        more = os.read(r, 65536)
        if not more:
            break
        out += more
    os.close(r)
    os.waitpid(pid, 0)
    return out.decode()


def user_asks(uid, gids, what, method='GET', body=None):
    return as_user(uid, gids, lambda: ask_unix(what, method, body))


def users():
    text = user_asks(NOBODY, [], 'status')
    ok('anybody on this machine may look', text.startswith('(200'), text)
    text = user_asks(NOBODY, [], 'bypass', 'POST', '{"on":true}')
    ok('... and do nothing; the answer says what it takes',
       text.startswith('(403') and 'wants operate' in text, text)
    last = ask_unix('audit?last=1')[1]['entries'][0]
    ok('... which the audit has by name', (last['who'], last['action'], last['outcome']) ==
       ('nobody', 'bypass', 'refused'), last)
    text = user_asks(4001, [], 'module', 'POST', '{}')
    ok('a user with role operate is past the door', text.startswith('(400'), text)
    text = user_asks(4001, [], 'block', 'POST', '{"prefixes":["192.0.2.1"]}')
    ok('... and does not enforce', text.startswith('(403') and 'wants enforce' in text, text)
    text = user_asks(4002, [4900], 'block', 'POST', '{"prefixes":["192.0.2.1"]}')
    ok('a member of a group with role enforce blocks', text.startswith('(200'), text)
    text = user_asks(4002, [], 'block', 'POST', '{"prefixes":["192.0.2.2"]}')
    ok('... and without the group does not', text.startswith('(403'), text)
    text = user_asks(4003, [], 'flowspec', 'POST',
                     '{"source":"exabgp","hello":true,"instance":"","limit":10,'
                     '"grace":"10s","events":[]}')
    ok('a BGP speaker with role enforce feeds FlowSpec, and is not root',
       text.startswith('(200'), text)
    shutil.copy(SEALANE, DIR + '/sealane')      # where he can reach it
    r = as_user(4003, [], lambda: subprocess.run(
        [DIR + '/sealane', '--socket', SOCKET, 'flowspec', 'exabgp'], input='{"exabgp":"4.0.1",'
        '"time":1,"host":"h","pid":1,"ppid":1,"counter":1,"type":"state","neighbor":'
        '{"address":{"local":"192.0.2.1","peer":"192.0.2.9"},"asn":{"local":1,"peer":2},'
        '"state":"up"}}\n', text=True, capture_output=True, timeout=20).returncode)
    ok('... as does sealane flowspec exabgp', r == '0', r)
    ok('... whose neighbour the agent knows', any(
        x['neighbour'] == '192.0.2.9' for x in ask_unix('flowspec')[1]['neighbours']),
       ask_unix('flowspec'))


# --- names and origins ---
def names():
    good = [ask(PLAIN, '/api/v1/status', Host=h)[0] for h in
            ('localhost', 'LOCALHOST:9478', '127.0.0.1:9478', '[::1]:9478', 'gate', 'Gate:1')]
    ok('loopback names and the gateway\'s own are answered', good == [200] * 6, good)
    bad = [ask(PLAIN, '/api/v1/status', Host=h)[0] for h in
           ('evil.example', '127.0.0.1.evil.example', 'localhost.evil.example:9478', '1.2.3.4',
            '[::2]', '[::1', 'a@localhost', '', '127.1')]
    ok('a name that was bent to our address is not (DNS rebinding)',
       all(b in (421, 400) for b in bad), bad)
    ok('no name at all is not', ask(PLAIN, '/api/v1/status', Host=None)[0] in (400, 421))
    ok('nor in HTTP/1.0', parse(talk(PLAIN, b'GET /api/v1/status HTTP/1.0\r\n\r\n'))[0] == 421)
    status, headers, _ = ask_tls('/api/v1/block', 'POST', '{"prefixes":["192.0.2.9"]}',
                                 tokens['soc'], Origin='https://evil.example')
    ok('another origin\'s page does not post, token or no token', status == 403, status)
    status, _, _ = ask(PLAIN, '/api/v1/status', Sec_Fetch_Site='cross-site')
    ok('... nor does it ask', status == 403, status)
    status, headers, _ = ask(PLAIN, '/api/v1/block', 'OPTIONS', Origin='http://evil.example',
                             Access_Control_Request_Method='POST')
    ok('no CORS: a preflight fails', status == 405 and
       not [h for h in headers if h.startswith('access-control')], (status, headers))
    _, headers, _ = ask(PLAIN, '/api/v1/status')
    ok('answers are not sniffed, framed or kept', headers['x-content-type-options'] == 'nosniff'
       and headers['x-frame-options'] == 'DENY' and headers['cache-control'] == 'no-store'
       and "default-src 'none'" in headers['content-security-policy'], headers)


# --- tokens ---
tokens = {}


def make_tokens():
    for name, role, until in (('look', 'view', None), ('noc', 'operate', '1h'),
                              ('soc', 'enforce', None), ('old', 'enforce', '1s'),
                              ('gone', 'enforce', None)):
        rc, out, err = sealane('-j', 'token', 'add', name, '--role', role, '-c',
                               DIR + '/sealane.yaml', *(['--until', until] if until else []))
        tokens[name] = json.loads(out)['token'] if not rc else err
    ok('tokens are made', all(t.startswith('sealane_') for t in tokens.values()), tokens)
    with open(DIR + '/tokens') as f:
        text = f.read()
    ok('... of which the file has no secret', not any(t[8:] in text or t in text
                                                      for t in tokens.values()), text)
    ok('... and mode 600', os.stat(DIR + '/tokens').st_mode & 0o777 == 0o600)
    rc, out, _ = sealane('token', 'ls', '--file', DIR + '/tokens')
    ok('... which token ls shows', rc == 0 and re.search(r'noc +operate', out), out)
    rc, _, err = sealane('token', 'add', 'noc', '--role', 'view', '--file', DIR + '/tokens')
    ok('a name is given once', rc == 2 and 'there is a token noc' in err, err)
    os.chmod(DIR + '/tokens', 0o640)
    rc, _, err = sealane('token', 'ls', '--file', DIR + '/tokens')
    ok('a file that others may read is refused', rc == 2 and 'chmod 600' in err, err)
    ok('... by the agent too, which says so and keeps what it had', wait_until(
        5, lambda: any('tokens are as they were' in x['message'] for x in events('access'))))
    os.chmod(DIR + '/tokens', 0o600)
    rc, _, _ = sealane('token', 'remove', 'gone', '--file', DIR + '/tokens')
    ok('one is removed', rc == 0 and wait_until(
        5, lambda: '4 tokens are in force' in events('access')[-1]['message']),
       events('access'))


def token_roles():
    routes = ask_unix('')[1]['routes']
    posts = [r for r in routes if r['method'] == 'POST']
    gets = [r['path'] for r in routes if r['method'] == 'GET' and r['role'] == 'view'
            and r['path'] != '/api/v1/stream']
    got = {p: ask_tls(p)[0] for p in gets}
    ok('without a token nothing is shown where the listener says none',
       set(got.values()) == {401}, got)
    ok('... but the page itself, which holds no data', ask_tls('/')[0] == 200)
    got = {p: ask_tls(p, token=tokens['look'])[0] for p in gets}
    ok('a token with role view sees it all', not set(got.values()) & {401, 403, 405, 429, 0}, got)
    got = {r['path']: ask_tls(r['path'], 'POST', '{}', tokens['look'])[0] for r in posts}
    ok('... and posts nothing', set(got.values()) == {403}, got)
    got = {r['path']: ask(PLAIN, r['path'], 'POST', '{}')[0] for r in posts}
    ok('who has none posts nothing either', set(got.values()) == {401}, got)
    time.sleep(2)           # so many requests from one address are watched
    got = {r['path']: ask_tls(r['path'], 'POST', '{', tokens['noc'])[0] for r in posts
           if r['path'] != '/api/v1/reload'}
    want = {r['path']: 400 if r['role'] == 'operate' else 403 for r in posts
            if r['path'] != '/api/v1/reload'}
    ok('a token with role operate posts what is for it', got == want, (got, want))
    status, _, text = ask_tls('/api/v1/block', 'POST', '{"prefixes":["198.51.100.7"]}',
                              tokens['soc'])
    ok('one with role enforce blocks', status == 200, text)
    ok('... in its name', b'"by":"token soc"' in text, text)
    last = ask_unix('audit?last=1')[1]['entries'][0]
    ok('... in the audit too, and from where', last['who'] == 'token soc' and
       json.loads(last['detail'])['from'] == '127.0.0.1', last)
    event = events('commit')[-1]
    ok('... and in the events', event['detail']['who'] == 'token soc' and
       'by token soc' in event['message'], event)


def wrong_tokens():
    began = time.monotonic()
    status, headers, text = ask_tls('/api/v1/status', token=tokens['soc'][:-4] + '0000')
    took_s = time.monotonic() - began
    ok('a wrong token is 401, and told which kind is wanted', status == 401 and
       headers.get('www-authenticate', '').startswith('Bearer '), (status, headers))
    ok('... slowly', 0.5 < took_s < 5, took_s)
    ok('one whose time is over is wrong', ask_tls('/api/v1/status', token=tokens['old'])[0] == 401)
    ok('so is one that was removed', ask_tls('/api/v1/status', token=tokens['gone'])[0] == 401)
    bad = [ask(PLAIN, '/api/v1/status', Authorization=a)[0] for a in
           ('Bearer', 'Bearer ' + 'x' * 8000, 'Basic cm9vdDo=')]
    ok('a wrong one is not forgiven where none is needed', bad == [401] * 3, bad)
    ok('nor on the Unix socket, to root', ask_unix('status', Authorization='Bearer x')[0] == 401)
    ok('the word Bearer has no case', ask(PLAIN, '/api/v1/status',
                                          Authorization='bearer ' + tokens['look'])[0] == 200)
    results = []

    def guess():
        results.append(ask(('127.0.0.9', 9480), '/api/v1/status', Host='localhost',
                           Authorization='Bearer sealane_' + '0' * 64)[0])
    threads = [threading.Thread(target=guess) for _ in range(20)]
    for t in threads:
        t.start()
    began = time.monotonic()
    status = ask_tls('/api/v1/status', token=tokens['look'])[0]
    took_s = time.monotonic() - began
    for t in threads:
        t.join()
    ok('while many guess who has a right one is served', status == 200 and took_s < 1.5,
       (status, took_s))
    ok('... and none of them is', set(results) <= {401, 429} and len(results) == 20, results)
    told = [e for e in events('access') if 'wrong token' in e['message']]
    ok('guessing is an event, one for many', 1 <= len(told) <= 4 and
       told[-1]['severity'] == 'warning', told)


# --- TLS ---
def tls():
    ok('TLS 1.3', openssl_says('-tls1_3')[0] == 'TLSv1.3')
    ok('TLS 1.2', openssl_says('-tls1_2')[0] == 'TLSv1.2')
    for old in ('-tls1_1', '-tls1'):
        got = openssl_says(old, '-cipher', 'ALL:@SECLEVEL=0')
        ok('no %s' % old[1:], got[1] == '(NONE)', got)
    for cipher in ('AES128-GCM-SHA256', 'ECDHE-ECDSA-AES128-SHA', 'ECDHE-ECDSA-AES256-SHA384',
                   'NULL', 'aNULL'):
        got = openssl_says('-tls1_2', '-cipher', cipher + ':@SECLEVEL=0')
        ok('no %s' % cipher, got[1] == '(NONE)', got)
    got = talk(TLS, b'GET /api/v1/status HTTP/1.1\r\nHost: localhost\r\n\r\n')
    ok('no HTTP in clear there', b'HTTP' not in got and b'version' not in got, got)
    env = {'SEALANE_URL': 'https://localhost:%d' % TLS[1], 'SEALANE_TOKEN': tokens['look']}
    rc, out, err = sealane('--cacert', DIR + '/ca.pem', 'status', env=env)
    ok('sealane --url asks an agent elsewhere', rc == 0 and 'generation' in out, err)
    rc, _, err = sealane('--cacert', DIR + '/ca.pem', 'block', '192.0.2.3', env=env)
    ok('... and is told which role it lacks', rc == 2 and
       'token look has role view, and this wants enforce' in err, err)
    rc, _, err = sealane('status', env=env)
    ok('... and trusts nobody whom it does not know', rc == 3, err)
    with open(DIR + '/soc', 'w') as f:
        f.write(tokens['soc'] + '\n')
    os.chmod(DIR + '/soc', 0o600)
    words = ('--url', env['SEALANE_URL'], '--cacert', DIR + '/ca.pem', '--token-file',
             DIR + '/soc')
    with open(DIR + '/list', 'w') as f:
        f.write('203.0.113.0/24\n')
    rc, out, err = sealane(*words, 'list', 'replace', 'spam', DIR + '/list')
    ok('... with a token of a file it pushes a list, which is a job', rc == 0, err)
    os.chmod(DIR + '/soc', 0o644)
    rc, _, err = sealane(*words, 'status')
    ok('... but not out of a file that others may read', rc == 1 and 'chmod 600' in err, err)
    rc, _, err = sealane('--url', 'http://192.0.2.1:1', 'status', env={
        'SEALANE_TOKEN': tokens['look']})
    ok('... nor in clear over a network', rc == 1 and 'in clear' in err, err)
    rc, _, err = sealane('--url', 'http://127.0.0.1:%d' % PLAIN[1], 'status', env={
        'SEALANE_TOKEN': tokens['look'], 'http_proxy': 'http://127.0.0.1:1'})
    ok('... nor through a proxy of the environment', rc == 0, err)
    rc, _, err = sealane('--url', 'https://127.0.0.1:1', 'bypass', 'on', '--why', 'x')
    ok('bypass of an agent elsewhere that does not answer is not ours', rc == 3 and
       ask_unix('status')[1]['bypass'] is False, err)


LISTEN = '''gateway: {name: gate}
listen:
  - {address: "127.0.0.1:9478"}
  - {address: "127.0.0.9:9480"}
  - {address: "127.0.0.1:9479", cert: %s/live.pem, key: %s/live.key}
tokens: %s/tokens
roles: {operate: [4001], enforce: ["@4900", 4003]}
''' % (DIR, DIR, DIR)


def reloads():
    keep = connect(PLAIN)
    keep.sendall(b'GET /api/v1/status HTTP/1.1\r\nHost: localhost\r\n\r\n')
    keep.recv(65536)
    busy = tls_socket()
    make_cert('second')
    put_cert('second')
    ok('a reload takes a renewed certificate', reload() and served_name() == 'second',
       log()[-3:])
    busy.sendall(b'GET /api/v1/job HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ' +
                 tokens['look'].encode() + b'\r\n\r\n')
    ok('... who is connected ends in peace', busy.recv(100).startswith(b'HTTP/1.1 404'))
    busy.close()
    keep.sendall(b'GET /api/v1/status HTTP/1.1\r\nHost: localhost\r\n\r\n')
    ok('... and other listeners do not notice', keep.recv(65536).startswith(b'HTTP/1.1 200'))
    keep.close()
    shutil.copy(DIR + '/first.key', DIR + '/live.key')
    ok('a key of another certificate refuses the reload', not reload(), log()[-3:])
    ok('... and the former goes on', served_name() == 'second')
    r = subprocess.run([BUILD + '/sealaned', '--check', '-c', DIR + '/sealane.yaml'],
                       capture_output=True, text=True)
    ok('... as --check says', r.returncode == 2 and 'live.key' in r.stderr, r.stderr)
    put_cert('second')
    os.chmod(DIR + '/live.key', 0o644)
    ok('a key that everybody may read does too', not reload(), log()[-3:])
    os.chmod(DIR + '/live.key', 0o600)
    blocker = socket.socket()
    blocker.bind(('127.0.0.1', 9490))
    blocker.listen()
    configure(LISTEN.replace('listen:', 'listen:\n  - {address: "127.0.0.1:9490"}'))
    ok('so does an address that is taken', not reload() and
       ask(PLAIN, '/api/v1/status')[0] == 200, log()[-3:])
    blocker.close()
    ok('... and is had once it is free', reload() and
       ask(('127.0.0.1', 9490), '/api/v1/status')[0] == 200, log()[-3:])
    configure(LISTEN + '')
    reload()
    try:
        gone = ask(('127.0.0.1', 9490), '/api/v1/status')[0] == 0
    except OSError:
        gone = True
    ok('a listener that is named no more is gone', gone)
    configure(LISTEN.replace('roles: {', 'roles: {view: [4001], '))
    reload()
    text = user_asks(NOBODY, [], 'status')
    ok('where view names some, others see nothing', text.startswith('(403'), text)
    configure(LISTEN)
    reload()


# --- limits ---
def slow_ones():
    """Clients that hold on; (name, socket, what to send again and again, seconds)."""
    big = b'GET /api/v1/audit?limit=1000 HTTP/1.1\r\nHost: localhost\r\n\r\n'
    kinds = []
    silent = connect(PLAIN, 60)
    kinds.append(('who connects and says nothing', silent, b'', 13))
    head = connect(PLAIN, 60)
    head.sendall(b'GET /api/v1/status HTTP/1.1\r\nHost: localhost\r\n')
    kinds.append(('who sends a header a second', head, b'X-A: b\r\n', 13))
    shake = connect(TLS, 60)
    kinds.append(('who begins no TLS handshake', shake, b'', 13))
    body = connect(PLAIN, 60)
    body.sendall(b'POST /api/v1/list_replace?name=x HTTP/1.1\r\nHost: localhost\r\n'
                 b'Authorization: Bearer ' + tokens['soc'].encode() +
                 b'\r\nContent-Length: 100000\r\n\r\n')
    kinds.append(('who sends a byte of a body a second', body, b'x', 15))
    idle = connect(PLAIN, 60)
    idle.sendall(b'GET /api/v1/job HTTP/1.1\r\nHost: localhost\r\n\r\n')
    kinds.append(('who idles between two requests', idle, b'', 13))
    results = {}

    def hold(name, s, drip, limit_s):
        began = time.monotonic()
        s.settimeout(1)
        while time.monotonic() - began < limit_s + 3:
            try:
                if drip:
                    s.sendall(drip)
                if s.recv(65536) == b'':
                    break
            except socket.timeout:
                continue
            except OSError:
                break
        results[name] = (time.monotonic() - began, limit_s)
        s.close()
    threads = [threading.Thread(target=hold, args=k) for k in kinds]
    for t in threads:
        t.start()
    return threads, results


def limits():
    peer = ('127.0.0.9', 9480)
    many = []
    for _ in range(40):
        s = socket.socket()
        s.settimeout(5)
        s.bind(('127.0.0.77', 0))
        s.connect(peer)
        many.append(s)
    time.sleep(0.5)
    open_ones = 0
    for s in many:
        s.settimeout(0.05)
        try:
            open_ones += s.recv(1) != b''
        except socket.timeout:
            open_ones += 1
        except OSError:
            pass
    ok('one address has no more than 24 connections', 20 <= open_ones <= 24, open_ones)
    ok('... while others are served', ask(peer, '/api/v1/status')[0] == 200)
    for s in many:
        s.close()
    s = connect(peer)
    s.sendall(b'GET /api/v1/job HTTP/1.1\r\nHost: localhost\r\n\r\n' * 400 +
              b'GET /api/v1/job HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')
    got = b''
    while True:
        more = s.recv(1 << 20)
        if not more:
            break
        got += more
    s.close()
    codes = re.findall(rb'HTTP/1\.1 (\d+)', got)
    ok('who asks too often is told to wait', codes.count(b'404') >= 150 and
       codes.count(b'429') >= 50 and b'Retry-After: 1' in got,
       (codes.count(b'404'), codes.count(b'429')))
    pid = os.fork()
    if not pid:         # three users take all that they can get
        held = []
        for uid in (5001, 5002, 5003):
            if not os.fork():
                os.setresuid(uid, uid, uid)
                for _ in range(40):
                    try:
                        held.append(connect(SOCKET, 1))
                    except OSError:
                        break
                time.sleep(3)
                os._exit(0)
        time.sleep(3)
        os._exit(0)
    time.sleep(1)
    ok('users that hold connections leave room for root', ask_unix('status')[0] == 200)
    os.waitpid(pid, 0)
    s = connect(SOCKET)
    s.sendall(b'GET /api/v1/job HTTP/1.1\r\nHost: x\r\n\r\n' * 400)
    got = b''
    while got.count(b'HTTP/1.1 404') < 400:
        more = s.recv(1 << 20)
        if not more:
            break
        got += more
    s.close()
    ok('root on the Unix socket is not', got.count(b'HTTP/1.1 404') == 400)


def hostile():
    def raw(data, to=SOCKET):
        try:
            return parse(talk(to, data, 3))[0]
        except OSError:
            return 0
    get = b'GET /api/v1/status HTTP/1.1\r\nHost: localhost\r\n'
    ok('headers of 300 KB are refused', raw(get + b'X: ' + b'a' * 300000 + b'\r\n\r\n') in
       (0, 400, 413, 431, 414))
    ok('so are ten thousand of them', raw(get + b'X: a\r\n' * 20000 + b'\r\n') in
       (0, 400, 413, 431))
    ok('and a URL of 300 KB', raw(b'GET /' + b'a' * 300000 + b' HTTP/1.1\r\nHost: x\r\n\r\n') in
       (0, 400, 413, 414, 431, 404))
    ok('a body over its limit is 413', ask(SOCKET, '/api/v1/block', 'POST', 'x' * 70000)[0] == 413)
    ok('who may not post is not listened to', ask(PLAIN, '/api/v1/list_replace', 'POST',
                                                  'x' * 3000000)[0] in (401, 0))
    status = raw(b'POST /api/v1/block HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n'
                 b'Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /api/v1/status HTTP/1.1\r\n'
                 b'Host: x\r\n\r\n')
    ok('two lengths of one body are refused, or one is ignored', status in (0, 400, 200), status)
    for bad in (b'\x00\xff\x16\x03\x01' * 100, b'GET\r\n\r\n', b'GET /api/v1/status HTTP/9.9\r\n\r\n',
                b' \r\n \r\n\r\n', b'GET /api/v1/status\r\n\r\n',
                b'POST /api/v1/block HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n',
                b'POST /api/v1/block HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999'
                b'\r\n\r\n', b'POST /api/v1/block HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: '
                b'chunked\r\n\r\nZZ\r\n\r\n', b'\n' * 100000, os.urandom(20000)):
        status = raw(bad, PLAIN)
        if status not in (0, 400, 401, 404, 411, 413, 414, 421, 431, 501, 505):
            ok('garbage %r' % bad[:30], False, status)
    ok('the agent outlives garbage', ask_unix('status')[0] == 200)
    five = talk(SOCKET, (get + b'\r\n') * 4 + get + b'Connection: close\r\n\r\n')
    ok('requests in one packet are answered in turn', five.count(b'HTTP/1.1 200') == 5)
    paths = ('/api/v1/../../etc/passwd', '/api/v1/%2e%2e/status', '/../etc/passwd',
             '/page/../../etc/passwd', '/page/%2e%2e%2fsealane.yaml', '//api/v1/status',
             '/api/v1//status', '/api/v1//metrics', '/api/v1//', '/api/v1/status/',
             '/api/v1/status%00', '/API/V1/status', 'status', '*')
    got = {p: ask(SOCKET, p)[0] for p in paths}
    ok('no path leads out', not [p for p, s in got.items() if s not in (400, 404)], got)
    for method in ('PUT', 'DELETE', 'PATCH', 'TRACE', 'OPTIONS', 'POST', 'BREW'):
        status, headers, _ = ask(SOCKET, '/api/v1/status', method)
        if status != 405 or headers.get('allow') != 'GET':
            ok('%s is 405' % method, False, (status, headers))
    ok('other methods are 405 and say which there is',
       ask(SOCKET, '/api/v1/block', 'PUT')[1].get('allow') == 'POST')
    status, headers, text = ask(SOCKET, '/api/v1/status', 'HEAD')
    ok('HEAD is a GET without its body', status == 200 and text == b'' and
       int(headers['content-length']) > 500, (status, headers, text))
    status, headers, text = ask(SOCKET, '/api/v1/stream', 'HEAD')
    ok('... of a stream too', status == 200 and text == b'', (status, headers, text))


# --- at start ---
def listening(host, port):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind((host, port))
    s.listen(8)
    high = fcntl.fcntl(s.fileno(), fcntl.F_DUPFD, 50)   # not where they are handed over
    s.close()
    return socket.socket(fileno=high)


def handed_over():
    """Sockets by systemd, and a certificate that comes late."""
    os.rename(DIR + '/live.pem', DIR + '/later.pem')
    configure(LISTEN.replace('  - {address: "127.0.0.1:9478"}\n', ''))
    before = len(log())
    sockets = [('http', listening('127.0.0.1', 9478)), ('http', listening('192.0.2.200', 9491)),
               ('tls', listening('127.0.0.1', 9479))]
    ok('without its certificate the agent starts all the same', start(sockets), log()[-5:])
    for _, s in sockets:
        s.close()
    ok('... and says so', [e for e in events('access') if 'are tried again' in e['message']],
       events('access'))
    ok('a loopback socket of systemd shows', ask(PLAIN, '/api/v1/status')[0] == 200)
    ok('... and no more', ask(PLAIN, '/api/v1/bypass', 'POST', '{"on":true}')[0] == 401)
    try:
        got = ask(('192.0.2.200', 9491), '/api/v1/status')[0]
    except OSError:
        got = 0
    ok('one that is neither loopback nor has TLS is refused, which the log says', got == 0 and
       any('refused; name it in listen:' in line for line in log()[before:]), (got, log()[before:]))
    os.rename(DIR + '/later.pem', DIR + '/live.pem')
    ok('once the certificate is there a socket of systemd has it', wait_until(
        13, lambda: [e for e in events('access') if 'are in force' in e['message']]) and
       served_name() == 'second', log()[before:])
    ok('... and tokens are asked for', ask_tls('/api/v1/status')[0] == 401 and
       ask_tls('/api/v1/status', token=tokens['look'])[0] == 200)
    ok('a reload leaves what systemd gave', reload() and ask(PLAIN, '/api/v1/status')[0] == 200)


# --- over and over ---
def memory():
    with open('/proc/%d/status' % api.agent.pid) as f:
        return int(re.search(r'VmRSS:\s+(\d+)', f.read()).group(1)), \
            len(os.listdir('/proc/%d/fd' % api.agent.pid))


def many_requests(n_requests):
    paths = ['status', 'events', 'blocks', 'job', 'lists', 'nothing', 'latency', '']
    s = connect(SOCKET, 30)
    done = 0
    while done < n_requests:
        part = b''.join(b'GET /api/v1/%s HTTP/1.1\r\nHost: x\r\n\r\n' %
                        paths[(done + i) % len(paths)].encode() for i in range(50))
        s.sendall(part)
        got = b''
        while got.count(b'HTTP/1.1 ') < 50:
            got += s.recv(1 << 20)
        done += 50
    s.close()
    for i in range(n_requests // 50):       # and connections
        ask(SOCKET, '/api/v1/job')
        if i % 2:
            ask_unix('block', 'POST', '{"prefixes":["no"]}')


def leaks():
    many_requests(1000)
    time.sleep(1)
    rss_kb, fds = memory()
    many_requests(10000)
    time.sleep(1)
    rss2_kb, fds2 = memory()
    print('# RSS %d KB, after 10,000 more requests %d KB; %d and %d descriptors' %
          (rss_kb, rss2_kb, fds, fds2))
    if os.environ.get('SEALANED'):
        skip('10,000 requests later it is no larger', 'a build with sanitizers')
    else:
        ok('10,000 requests later it is no larger', rss2_kb - rss_kb < 1024, (rss_kb, rss2_kb))
    ok('... and has no more descriptors', fds2 <= fds + 1, (fds, fds2))


# --- long polls ---
def long_polls():
    """One peer's leave room for others', and for questions that wait for disk."""
    what = 'events?kind=clock&after=%d&wait=' % ask_unix('events')[1]['last']
    path = '/api/v1/' + what + '4'
    held = [connect(PLAIN) for _ in range(8)]
    for s in held:
        s.sendall(('GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n' % path).encode())
    time.sleep(0.5)
    began = time.monotonic()
    status = ask(PLAIN, path)[0]
    took_s = time.monotonic() - began
    ok('a ninth long poll of a peer is answered at once', status == 200 and took_s < 1.5,
       (status, took_s))
    began = time.monotonic()
    status = ask_unix(what + '1')[0]
    took_s = time.monotonic() - began
    ok('... while others may wait', status == 200 and took_s > 0.8, (status, took_s))
    for s in held:
        s.close()


def main():
    world()
    run('ip', 'addr', 'add', '192.0.2.200/32', 'dev', 'lo')
    make_ca()
    make_cert('first')
    put_cert('first')
    configure(LISTEN)
    if not ok('the agent starts', start(), log()):
        end()
    make_tokens()
    ok('every user may open the socket', os.stat(SOCKET).st_mode & 0o777 == 0o666)
    threads, held = slow_ones()
    users()
    names()
    token_roles()
    tls()
    hostile()
    wrong_tokens()
    long_polls()
    for t in threads:
        t.join()
    for name, (took_s, limit_s) in held.items():
        ok('%s is cut off' % name, took_s < limit_s, took_s)
    reloads()
    limits()
    leaks()
    ok('the agent ends in peace', stop() == 0, log()[-20:])
    handed_over()
    ok('... and so does the next', stop() == 0, log()[-20:])
    text = '\n'.join(log())
    ok('... and has said no word of a secret', not any(t[8:] in text for t in tokens.values()))
    end()


main()
