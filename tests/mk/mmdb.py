#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Write a MaxMind DB: mmdb.py OUT country|asn < lines of "prefix value".

A value is a country ("SG"; "registered:SG" gives only registered_country) or
an AS number. Longer prefixes win over shorter ones, whatever their order.
Records of 24 bits; IPv4 stands at ::/96, and ::ffff:0:0/96 and 2002::/16 lead
there as well, as in MaxMind's own files.
"""
import ipaddress
import struct
import sys

EMPTY = None


def control(kind, size):
    """A field's type and size; sizes up to 284 are all that is needed."""
    extra = b'' if size < 29 else bytes([size - 29])
    low = min(size, 29)
    if kind > 7:
        return bytes([low, kind - 7]) + extra
    return bytes([kind << 5 | low]) + extra


class U16(int):
    kind = 5


class U32(int):
    kind = 6


class U64(int):
    kind = 9


def encode(v):
    if isinstance(v, str):
        b = v.encode()
        return control(2, len(b)) + b
    if isinstance(v, dict):
        return control(7, len(v)) + b''.join(
            encode(k) + encode(x) for k, x in v.items())
    if isinstance(v, list):
        return control(11, len(v)) + b''.join(encode(x) for x in v)
    b = v.to_bytes((v.bit_length() + 7) // 8, 'big')
    return control(v.kind, len(b)) + b


def record_of(kind, value):
    if kind == 'asn':
        return {'autonomous_system_number': U32(value),
                'autonomous_system_organization': 'AS' + value}
    word, _, cc = value.rpartition(':')
    where = {'iso_code': cc, 'names': {'en': 'Land of ' + cc}}
    if word == 'registered':
        return {'registered_country': where}
    return {'country': where, 'registered_country': where}


class Tree:
    """Nodes are [left, right]: an int leads to a node, a str is a value."""

    def __init__(self):
        self.nodes = [[EMPTY, EMPTY]]

    def child(self, node, bit):
        """The node behind a record; a leaf there is split."""
        r = self.nodes[node][bit]
        if not isinstance(r, int):
            self.nodes.append([r, r])
            r = self.nodes[node][bit] = len(self.nodes) - 1
        return r

    def reach(self, addr, length):
        """Node and side of the record of addr/length, length >= 1."""
        node = 0
        for i in range(length - 1):
            node = self.child(node, addr >> (127 - i) & 1)
        return node, addr >> (128 - length) & 1

    def put(self, addr, length, what):
        if not length:
            self.nodes[0] = [what, what]
            return
        node, side = self.reach(addr, length)
        self.nodes[node][side] = what


def read_lines(lines):
    out = []
    for line in lines:
        words = line.split()
        if not words or words[0].startswith('#'):
            continue
        net = ipaddress.ip_network(words[0])
        length = net.prefixlen + (96 if net.version == 4 else 0)
        out.append((length, int(net.network_address), words[1]))
    # A shorter prefix must not run over a longer one that lies in it.
    return sorted(out, key=lambda x: x[0])


def build(entries):
    tree = Tree()
    for length, addr, value in entries:
        tree.put(addr, length, value)
    root4 = tree.child(*tree.reach(0, 96))
    for addr, length in ((0xffff << 32, 96), (0x2002 << 112, 16)):
        node, side = tree.reach(addr, length)
        if tree.nodes[node][side] is not EMPTY:
            sys.exit('mmdb.py: a prefix covers an alias of IPv4')
        tree.nodes[node][side] = root4
    return tree


def write(out, kind, tree):
    count, data, at = len(tree.nodes), b'', {}
    blob = b''
    for node in tree.nodes:
        for r in node:
            if r is EMPTY:
                r = count
            elif isinstance(r, str):
                if r not in at:
                    at[r] = len(data)
                    data += encode(record_of(kind, r))
                r = count + 16 + at[r]
            if r >= 1 << 24:
                sys.exit('mmdb.py: too much for records of 24 bits')
            blob += struct.pack('>I', r)[1:]
    meta = encode({
        'binary_format_major_version': U16(2),
        'binary_format_minor_version': U16(0),
        'build_epoch': U64(1700000000),
        'database_type': 'Sealane-Test-' + kind,
        'description': {'en': 'made by tests/mk/mmdb.py'},
        'ip_version': U16(6),
        'languages': ['en'],
        'node_count': U32(count),
        'record_size': U16(24),
    })
    with open(out, 'wb') as f:
        f.write(blob + bytes(16) + data + b'\xab\xcd\xefMaxMind.com' + meta)


def main():
    if len(sys.argv) != 3 or sys.argv[2] not in ('country', 'asn'):
        sys.exit('usage: mmdb.py OUT country|asn < lines of "prefix value"')
    write(sys.argv[1], sys.argv[2], build(read_lines(sys.stdin)))


main()
