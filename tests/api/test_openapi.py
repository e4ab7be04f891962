#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""docs/openapi.yaml held against an agent: what stands there is, and what is stands
there. Run as `unshare --net tests/api/test_openapi.py`."""
import glob
import re
import urllib.parse
import jsonschema
import yaml
from api import *

DOCS = TOP + '/docs/'
COMMON = {'400', '401', '403', '405', '421', '429', '500'}      # of the default response
with open(DOCS + 'openapi.yaml') as f:
    doc = yaml.safe_load(f)
schemas = {}


def operations():
    for path, item in doc['paths'].items():
        for method, op in item.items():
            yield method.upper(), path, op


def resolve(ref):
    """What a $ref means: a member of the document, or a schema file."""
    if ref.startswith('#/'):
        at = doc
        for key in ref[2:].split('/'):
            at = at[key]
        return at
    if ref not in schemas:
        with open(DOCS + ref) as f:
            schemas[ref] = json.load(f)
        jsonschema.Draft7Validator.check_schema(schemas[ref])
    return schemas[ref]


def whole(x):
    """With every $ref replaced; schema files have none."""
    if isinstance(x, dict):
        if '$ref' in x and isinstance(x['$ref'], str) and not x['$ref'].startswith('#/def'):
            return whole(resolve(x['$ref']))
        return {k: whole(v) for k, v in x.items()}
    return [whole(v) for v in x] if isinstance(x, list) else x


def wrong(schema, text):
    """Why a text is not what a schema says, or ''."""
    try:
        jsonschema.validate(json.loads(text), whole(schema))
        return ''
    except (ValueError, jsonschema.ValidationError) as e:
        return '%s in %s' % (str(e)[:400], text[:300])


def query_of(op, only=lambda p: True):
    words = []
    for p in op.get('parameters', ()):
        if p['in'] == 'query' and 'example' in p and only(p):
            values = p['example'] if isinstance(p['example'], list) else [p['example']]
            words += [(p['name'], str(v)) for v in values]
    return '?' + urllib.parse.urlencode(words) if words else ''


def is_described(op, status, headers, text):
    """Why an answer is none that the file has, or ''."""
    r = op['responses'].get(str(status))
    if r is None:
        if str(status) not in COMMON:
            return '%d is not described: %s' % (status, text[:300])
        r = op['responses']['default']
    r = whole(r)
    if status == 304:
        return ''
    kind = headers.get('content-type', '').split(';')[0]
    media = r['content'].get(kind)
    if media is None:
        return 'content type %s' % kind
    return wrong(media['schema'], text) if kind == 'application/json' and \
        media['schema'].get('type') != 'string' else ''


def the_file():
    ids = [op['operationId'] for _, _, op in operations()]
    ok('the file is OpenAPI 3.1, each operation with an id of its own',
       doc['openapi'].startswith('3.1.') and len(ids) == len(set(ids)), ids)
    bad = []
    for method, path, op in operations():
        for p in op.get('parameters', ()):
            if not {'name', 'in', 'required', 'schema', 'description'} <= set(p):
                bad.append((path, p))
            elif 'example' in p:
                try:
                    jsonschema.validate(p['example'], p['schema'])
                except jsonschema.ValidationError as e:
                    bad.append((path, str(e)[:200]))
        if 'requestBody' in op:
            (kind, media), = op['requestBody']['content'].items()
            if kind == 'application/json':
                try:
                    jsonschema.validate(media['example'], media['schema'])
                except jsonschema.ValidationError as e:
                    bad.append((path, str(e)[:200]))
        if (method == 'GET' and 'requestBody' in op) or 'default' not in op['responses']:
            bad.append((method, path))
    ok('its parameters and bodies are described, their examples fit', not bad, bad)
    try:
        whole(doc)
        why = ''
    except (OSError, KeyError, ValueError) as e:
        why = repr(e)
    ok('everything that it refers to is there', not why, why)
    named = {p['name'] for _, _, op in operations() for p in op.get('parameters', ())
             if p['in'] == 'query'}
    read = set()
    for name in glob.glob(TOP + '/agent/*.c'):
        with open(name) as f:
            text = f.read()
        read |= set(re.findall(r'call_query\(k, "(\w+)"\)', text))
        read |= set(re.findall(r'strcmp\(key, "(\w+)"\)', text)) if 'MHD_ValueKind' in text \
            else set()
    ok('every parameter that a handler reads is described, and no other', named == read,
       (named - read, read - named))


def routes():
    status, index = ask_unix('')
    there = {(r['method'], r['path']): r['role'] for r in index['routes']}
    here = {(m, p): op['x-role'] for m, p, op in operations()}
    ok('every route of the agent stands in the file', not set(there) - set(here),
       set(there) - set(here))
    ok('... and every one of the file is there', not set(here) - set(there),
       set(here) - set(there))
    ok('... with the role that it wants', not [k for k in here if here[k] != there.get(k)],
       [(k, here[k], there.get(k)) for k in here if here[k] != there.get(k)])


def gets():
    bad = []
    for method, path, op in operations():
        if method != 'GET' or path.endswith('/stream'):
            continue
        for query in {query_of(op), query_of(op, lambda p: p['required'])}:
            status, headers, text = ask(SOCKET, path + query)
            why = is_described(op, status, headers, text.decode())
            if why or status not in (200, 404):
                bad.append((path + query, status, why))
        for p in op.get('parameters', ()):
            if p['in'] != 'query' or p['schema'].get('type') == 'string' or 'enum' in p['schema'] \
                    or 'const' in p['schema']:
                continue
            status, headers, text = ask(SOCKET, '%s?%s=x%%0ay' % (path, p['name']))
            why = is_described(op, status, headers, text.decode())
            if why or status not in (400, 200, 404):
                bad.append((path, p['name'], status, why))
    ok('what GETs answer is as described, right or wrong', not bad, bad)


def post(path, op):
    """The example of an operation; its answer, that of its job too. '' or why not."""
    body = None
    if 'requestBody' in op:
        (_, media), = op['requestBody']['content'].items()
        body = media['example'] if isinstance(media['example'], str) else \
            json.dumps(media['example'])
    status, headers, text = ask(SOCKET, path + query_of(op), 'POST', body)
    text = text.decode()
    why = is_described(op, status, headers, text)
    if why or status != 200:
        return '%d %s %s' % (status, why, text)
    answer = json.loads(text)
    if 'job' not in answer:
        return ''
    job = {}

    def done():
        job.update(ask_unix('job?id=%d' % answer['job'])[1])
        return job['state'] in ('done', 'failed')
    if not wait_until(10, done) or job['state'] != 'done':
        return 'job %s' % job
    schema = op['responses']['200'].get('x-job-answer')
    if not schema:
        return 'a job, of which the file does not know'
    return wrong({'$ref': schema}, json.dumps(job['answer']))


def posts():
    bad = []
    seen = {}
    # apply waits to be confirmed, and rollback then needs a generation
    for method, path, op in operations():
        if method == 'POST' and not path.endswith('/module'):
            why = post(path, op)
            seen[path] = not why
            if why:
                bad.append((path, why))
    ok('what POSTs answer is as described, jobs too', not bad and len(seen) > 10, bad)
    bad = []
    for method, path, op in operations():
        if method != 'POST':
            continue
        for body in ('{', '[]', '{"prefixes":5,"on":"x","generation":"x","interface":7}', ''):
            status, headers, text = ask(SOCKET, path + '?name=-&since=x&confirm=x', 'POST', body)
            why = is_described(op, status, headers, text.decode())
            if why:
                bad.append((path, body, status, why))
    ok('... and when they are wrong', not bad, bad)


def lanes():
    def names(query):
        status, _, text = ask(SOCKET, '/api/v1/lanes' + query)
        return status, [x['lane'] for x in json.loads(text).get('lanes', ())]
    # stray packets, such as neighbours' solicitations, make lane other appear
    got = [(status, [n for n in found if n != 'other' or 'other' in q])
           for q in ('', '?lane=FAR', '?lane=other&lane=FAR', '?lane=other',
                     '?lane=FAR&lane=nonesuch')
           for status, found in [names(q)]]
    ok('lanes are those that are asked for, and 404 where one is none', got == [
        (200, ['FAR']), (200, ['FAR']), (200, ['FAR', 'other']), (200, ['other']), (404, [])], got)
    lat = ask(SOCKET, '/api/v1/lanes?lane=FAR')[2].decode()
    ok('places and lengths are as they were written', '"at":[1.35,103.82]' in lat
       and '"cable_km":2900.5' in lat, lat)


def paths():
    got = [ask(SOCKET, '/api/v1/history?lane=FAR&path=' + p)[0] for p in ('cable', 'nonesuch')]
    ok('history by a path without samples is empty, by none at all 404', got == [200, 404], got)


def methods():
    bad = []
    by_path = {}
    for method, path, _ in operations():
        by_path.setdefault(path, set()).add(method)
    for path, has in by_path.items():
        for method in {'GET', 'POST', 'PUT', 'DELETE'} - has:
            status, headers, text = ask(SOCKET, path, method)
            if status != 405 or set(headers.get('allow', '').split(', ')) != has or \
                    wrong({'$ref': 'schema/error.schema.json'}, text):
                bad.append((method, path, status, headers.get('allow')))
    ok('other methods are 405, and say which there are', not bad, bad)
    status, _, text = ask(SOCKET, '/api/v1/nothing')
    ok('what is not there is 404', status == 404 and not wrong(
        {'$ref': 'schema/error.schema.json'}, text), text)


def tokens():
    def tool(*words):
        return subprocess.run((BUILD + '/sealane', '-j', 'token') + words + (
            '--file', DIR + '/tokens'), capture_output=True, text=True).stdout
    ok('token add -j is as its schema says', not wrong(
        {'$ref': 'schema/token_add.schema.json'}, tool('add', 'noc', '--role', 'view',
                                                       '--until', '2d')))
    ok('token ls -j too', not wrong({'$ref': 'schema/tokens.schema.json'}, tool('ls')))
    ok('token remove -j too', not wrong({'$ref': 'schema/token_remove.schema.json'},
                                        tool('remove', 'noc')))
    text = tool('add', 'noc')
    ok('token\'s errors too', not wrong({'$ref': 'schema/error.schema.json'}, text), text)


def main():
    world()
    configure()
    the_file()
    if not ok('the agent starts', start(), log()):
        end()
    routes()
    posts()
    gets()
    lanes()
    paths()
    methods()
    tokens()
    stop()
    end()


main()
