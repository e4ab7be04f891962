#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""one_capture.py OUT CAPTURE...: all of them as one pcapng, in the order given.

A section for each: pcapng as it is, pcap as one interface with packets. Whole
records only. One file is one load of the program, which is what takes time in
a guest.
"""
import struct
import sys

SECTION, INTERFACE, PACKET = 0x0a0d0d0a, 1, 6
PCAP = {b"\xd4\xc3\xb2\xa1": ("<", 1000), b"\xa1\xb2\xc3\xd4": (">", 1000),
        b"\x4d\x3c\xb2\xa1": ("<", 1), b"\xa1\xb2\x3c\x4d": (">", 1)}


def block(kind, body):
    body += bytes(-len(body) % 4)
    size = struct.pack("<I", len(body) + 12)
    return struct.pack("<I", kind) + size + body + size


def from_pcap(data, order, unit_ns):
    linktype = struct.unpack(order + "I", data[20:24])[0] & 0xffff
    yield block(SECTION, struct.pack("<IHHq", 0x1a2b3c4d, 1, 0, -1))
    # if_tsresol (9): nanoseconds
    yield block(INTERFACE, struct.pack("<HHIHHBxxxHH", linktype, 0, 0,
                                       9, 1, 9, 0, 0))
    at = 24
    while at + 16 <= len(data):
        s, part, cap_b, wire_b = struct.unpack(order + "IIII",
                                               data[at:at + 16])
        at += 16
        if at + cap_b > len(data):
            return
        t = s * 10**9 + part * unit_ns
        yield block(PACKET, struct.pack("<IIIII", 0, t >> 32, t & 0xffffffff,
                                        cap_b, wire_b) + data[at:at + cap_b])
        at += cap_b


def from_pcapng(data):
    at, order = 0, "<"
    while at + 12 <= len(data):
        if data[at:at + 4] == b"\x0a\x0d\x0d\x0a":
            order = "<" if data[at + 8:at + 12] == b"\x4d\x3c\x2b\x1a" else ">"
        size = struct.unpack(order + "I", data[at + 4:at + 8])[0]
        if size < 12 or size % 4 or at + size > len(data):
            return
        yield data[at:at + size]
        at += size


with open(sys.argv[1], "wb") as out:
    for path in sys.argv[2:]:
        with open(path, "rb") as f:
            data = f.read()
        if data[:4] in PCAP:
            out.writelines(from_pcap(data, *PCAP[data[:4]]))
        else:
            out.writelines(from_pcapng(data))
