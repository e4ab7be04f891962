// SPDX-License-Identifier: GPL-2.0
/* A capture, played into two interfaces as it was recorded. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cable_iface.h"
#include "cable_play.h"

enum { ETH_B = 14, TAG_B = 4, MAX_TAGS = 2 };

/* Where we were kept from running for longer, the rest is played later, too:
 * sent all at once it would have round trips that were never recorded. */
#define STALL_NS	1000000

/* --- command line --- */
static bool parse_home(struct cable_play *p, const char *text)
{
	const char *why;

	if (p->n_homes == CABLE_MAX_HOMES)
		return false;
	if (sl_prefix_parse(text, &p->home[p->n_homes], &why)) {
		fprintf(stderr, "cable: home=%s: %s\n", text, why);
		return false;
	}
	p->n_homes++;
	return true;
}

static bool parse_key(struct cable_play *p, const char *key, const char *v)
{
	char *end;

	if (!strcmp(key, "file")) {
		if (strlen(v) >= sizeof(p->file))
			return false;
		strcpy(p->file, v);
		return true;
	}
	if (!strcmp(key, "home"))
		return parse_home(p, v);
	if (!strcmp(key, "speed")) {
		p->speed = strtod(v, &end);
		return end != v && !*end && p->speed >= 0.01 &&
		       p->speed <= 100;
	}
	return false;
}

bool cable_play_parse(const char *text, struct cable_play *p)
{
	char copy[1024], *rest = copy, *word, *eq;

	if (strlen(text) >= sizeof(copy))
		return false;
	strcpy(copy, text);
	if (!cable_iface_names(strsep(&rest, ","), p->a, p->b))
		return false;
	p->speed = 1;
	while ((word = strsep(&rest, ","))) {
		eq = strchr(word, '=');
		if (!eq)
			return false;
		*eq = '\0';
		if (!parse_key(p, word, eq + 1))
			return false;
	}
	return *p->file && p->n_homes;
}

/* --- packets --- */
static bool at_home(const struct cable_play *p, const struct sl_prefix *addr)
{
	unsigned int i;

	for (i = 0; i < p->n_homes; i++)
		if (sl_prefix_covers(&p->home[i], addr))
			return true;
	return false;
}

/* The outermost IP addresses, behind VLAN tags; false: there are none. */
static bool addresses(const uint8_t *d, uint32_t len_b, struct sl_prefix *src,
		      struct sl_prefix *dst)
{
	uint32_t at = ETH_B, tags = 0, at_src, addr_b;
	uint16_t etype = d[12] << 8 | d[13];

	while ((etype == 0x8100 || etype == 0x88a8) && tags++ < MAX_TAGS &&
	       at + TAG_B <= len_b) {
		etype = d[at + 2] << 8 | d[at + 3];
		at += TAG_B;
	}
	if (etype != 0x0800 && etype != 0x86dd)
		return false;
	addr_b = etype == 0x0800 ? 4 : 16;
	at_src = at + (etype == 0x0800 ? 12 : 8);
	if (at_src + 2 * addr_b > len_b)
		return false;
	*src = *dst = (struct sl_prefix){ .family = addr_b == 4 ? 4 : 6,
					  .len = addr_b * 8 };
	memcpy(src->addr, d + at_src, addr_b);
	memcpy(dst->addr, d + at_src + addr_b, addr_b);
	return true;
}

/* Which interface a frame goes to: by its source, if that is home, and else by
 * its destination; negative: neither is home. */
static int direction(struct cable_play *p, const uint8_t *d, uint32_t len_b)
{
	struct sl_prefix src, dst;

	if (!addresses(d, len_b, &src, &dst)) {
		p->not_ip++;
		return -1;
	}
	if (at_home(p, &src))
		return p->to_a;
	if (at_home(p, &dst))
		return p->to_b;
	p->stray++;
	return -1;
}

/* Our copy: as long as it was on the wire, zeros for what the capture cut off,
 * and to a station that is nobody, so that no kernel takes it up. */
static void copy_frame(struct cable_play *p, const uint8_t *d, uint32_t len_b,
		       uint32_t wire_b)
{
	static const uint8_t nobody[] = { 2, 0, 0, 0, 0, 2 },
			     us[] = { 2, 0, 0, 0, 0, 1 };

	memset(p->frame + len_b, 0, wire_b - len_b);
	memcpy(p->frame, d, len_b);
	memcpy(p->frame, nobody, sizeof(nobody));
	memcpy(p->frame + sizeof(nobody), us, sizeof(us));
	p->len_b = wire_b;
}

/* Read on to the next packet that has a direction; false: there is none. */
static bool next(struct cable_play *p)
{
	struct sl_capture_pkt pkt;
	const uint8_t *d;
	uint32_t len_b, wire_b;

	while (sl_capture_next(p->capture, &pkt) == 1) {
		if (sl_capture_frame(p->capture, &pkt, &d, &len_b, &wire_b)) {
			p->not_ip++;
			continue;
		}
		if (wire_b > sizeof(p->frame)) {
			p->too_long++;
			continue;
		}
		p->to = direction(p, d, len_b);
		if (p->to < 0)
			continue;
		copy_frame(p, d, len_b, wire_b);
		if (!p->first_ns)
			p->first_ns = pkt.time_ns;
		if (pkt.time_ns > p->first_ns)
			p->due_ns = p->start_ns +
				    (pkt.time_ns - p->first_ns) / p->speed;
		return true;
	}
	return false;
}

int cable_play_open(struct cable_play *p)
{
	int rc = sl_capture_open(p->file, &p->capture);

	if (rc) {
		fprintf(stderr, "cable: %s: %s\n", p->file,
			rc == -EINVAL ? "not a capture" : strerror(-rc));
		return -1;
	}
	p->to_a = cable_iface_open(p->a, false);
	p->to_b = cable_iface_open(p->b, false);
	if (p->to_a < 0 || p->to_b < 0 || cable_delays_init(&p->late))
		return -1;
	return 0;
}

/* The waiting packet was sent: how late, and the rest with it after a stall. */
static void sent(struct cable_play *p)
{
	uint64_t late_ns = cable_now_ns() - p->due_ns;

	cable_delays_add(&p->late, late_ns);
	p->packets++;
	p->bytes += p->len_b;
	if (late_ns > STALL_NS) {
		p->start_ns += late_ns;
		p->due_ns += late_ns;
		p->stalls++;
	}
}

void cable_play_send(struct cable_play *p)
{
	if (!p->start_ns) {
		p->start_ns = p->due_ns = cable_now_ns();
		p->over = !next(p);
	}
	while (!p->over && p->due_ns <= cable_now_ns()) {
		if (send(p->to, p->frame, p->len_b, 0) >= 0) {
			sent(p);
		} else if (errno == EAGAIN) {
			return;
		} else if (errno == EMSGSIZE) {
			p->too_long++;
		} else {
			p->unsent++;
		}
		p->over = !next(p);
	}
}

/* --- report --- */
void cable_play_print(struct cable_play *p)
{
	cable_delays_sort(&p->late);
	printf("{\"played\":\"%s\",\"packets\":%llu,\"bytes\":%llu,"
	       "\"stray\":%llu,\"not_ip\":%llu,\"too_long\":%llu,\"unsent\":%llu,"
	       "\"cut\":%s,"
	       "\"stalls\":%llu,\"late_p50_ns\":%llu,\"late_p99_ns\":%llu,"
	       "\"late_max_ns\":%llu}\n",
	       p->file, (unsigned long long)p->packets,
	       (unsigned long long)p->bytes, (unsigned long long)p->stray,
	       (unsigned long long)p->not_ip, (unsigned long long)p->too_long,
	       (unsigned long long)p->unsent,
	       sl_capture_cut(p->capture) ? "true" : "false",
	       (unsigned long long)p->stalls,
	       (unsigned long long)cable_delays_quantile_ns(&p->late, 0.5),
	       (unsigned long long)cable_delays_quantile_ns(&p->late, 0.99),
	       (unsigned long long)cable_delays_quantile_ns(&p->late, 1));
}
