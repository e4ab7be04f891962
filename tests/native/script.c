// SPDX-License-Identifier: GPL-2.0
/* Bytes, of a fuzzer or at random, as a conversation: see shot.h. */
#include "shot.h"

#define START_NS	1000000000000ULL	/* so that time can step back */

static unsigned int byte(struct script *s)
{
	return s->at < s->end ? *s->at++ : 0;
}

static unsigned int word(struct script *s)
{
	unsigned int low = byte(s);

	return byte(s) << 8 | low;
}

static void step(struct script *s, unsigned int code)
{
	uint64_t mantissa = code & 15;

	if (code >> 4 < 15)
		s->now_ns += mantissa << (10 + 2 * (code >> 4));
	else if (s->now_ns > mantissa << 24)
		s->now_ns -= mantissa << 24;
}

void script_open(struct script *s, const uint8_t *bytes, size_t n)
{
	s->at = bytes;
	s->end = bytes + n;
	s->mode = byte(s);
	s->now_ns = START_NS;
	s->talk = (struct talk){};
	s->f.len = 0;
}

static uint32_t interface(const struct script *s, unsigned int dir)
{
	switch (s->mode >> 2 & 3) {
	case 0: return dir ? KNOWN_IF_OUTSIDE : KNOWN_IF_INSIDE;
	case 1: return KNOWN_IF_TAP;
	case 2: return KNOWN_IF_VLANS;
	}
	return KNOWN_IF_NONE;
}

static void next_raw(struct script *s, struct shot *out)
{
	struct frame *f = &s->f;
	uint32_t len_b = word(s), beyond_b;

	step(s, byte(s));
	beyond_b = word(s);
	if (len_b > SHOT_MAX_B)
		len_b = SHOT_MAX_B;
	if (len_b > (size_t)(s->end - s->at))
		len_b = s->end - s->at;
	f->len = 0;
	put(f, s->at, len_b);
	s->at += len_b;
	if (len_b < SHOT_MIN_B) {
		memset(f->b + len_b, 0, SHOT_MIN_B - len_b);
		f->len = SHOT_MIN_B;
	}
	out->len_b = f->len;
	out->wire_b = f->len + beyond_b;
	out->ifindex = interface(s, f->b[6] & 1);
}

static void edit(struct script *s, unsigned int n)
{
	unsigned int at;

	while (n--) {
		at = byte(s);
		s->f.b[at % s->f.len] = byte(s);
	}
}

static void next_talk(struct script *s, struct shot *out)
{
	unsigned int kind = byte(s), how;
	struct frame *f = &s->f;
	struct talk_packet p = {
		.kind = kind & 15, .dir = kind >> 4 & 1,
		.ip6 = kind & 0x20, .wrapped = kind & 0x40 };

	step(s, byte(s));
	p.arg = byte(s);
	p.len_b = byte(s);
	if (p.len_b >= 128)
		p.len_b = (p.len_b - 127) * 16;
	how = byte(s);
	p.flow = how >> 6;
	p.wrap = p.wrapped ? byte(s) : 0;
	p.now_ms = s->now_ns / 1000000;
	if (!(kind & 0x80) || !f->len)
		talk(&s->talk, &p, f);
	out->len_b = out->wire_b = f->len;
	if (how & 8)
		out->len_b = byte(s) * 2;
	if (out->len_b < SHOT_MIN_B || out->len_b > f->len)
		out->len_b = f->len;
	if (how & 16)
		out->wire_b = byte(s) * 8;
	edit(s, how & 7);
	if (how & 32)
		out->flags = SL_REPLAY_NO_TIME;
	out->ifindex = interface(s, p.dir);
}

bool script_next(struct script *s, struct shot *out)
{
	if (s->at == s->end)
		return false;
	*out = (struct shot){};
	if (s->mode & SCRIPT_RAW)
		next_raw(s, out);
	else
		next_talk(s, out);
	out->b = s->f.b;
	out->time_ns = s->now_ns;
	return true;
}
