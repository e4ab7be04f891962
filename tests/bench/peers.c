// SPDX-License-Identifier: GPL-2.0
/* What a user could install or write instead, fed the same packets. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <net/if.h>
#include "bench.h"

struct key4 {
	uint32_t len, addr;
};

struct key6 {
	uint32_t len, addr[4];
};

static int map_fd(struct bench *b, const char *name)
{
	return bpf_object__find_map_fd_by_name(b->peers, name);
}

static void fill4(int fd, const struct sl_pset *set, bool trie)
{
	struct key4 k;
	uint32_t v = 7;
	size_t i;

	for (i = 0; i < set->n4; i++) {
		k.len = set->v4[i] & 0xff;
		k.addr = __builtin_bswap32(set->v4[i] >> 8);
		if (bpf_map_update_elem(fd, trie ? (void *)&k : &k.addr, &v,
					BPF_ANY))
			die("peer table: %s", strerror(errno));
	}
}

static void fill6(int fd, const struct sl_pset *set)
{
	struct key6 k = {};
	uint32_t v = 7;
	size_t i;

	for (i = 0; i < set->n6; i++) {
		k.len = set->v6[i].len;
		k.addr[0] = __builtin_bswap32(set->v6[i].hi >> 32);
		k.addr[1] = __builtin_bswap32(set->v6[i].hi);
		if (bpf_map_update_elem(fd, &k, &v, BPF_ANY))
			die("peer table: %s", strerror(errno));
	}
}

void peers_open(struct bench *b, double *lpm_load_ms)
{
	uint32_t home_v = 1;
	struct key4 home = { 20, __builtin_bswap32(HOME4) };
	double t;

	b->peers = bpf_object__open("build/bench/peers.bpf.o");
	if (!b->peers || bpf_object__load(b->peers))
		die("peers.bpf.o does not load");
	t = bench_now_ms();
	fill4(map_fd(b, "lpm4"), &b->prefixes, true);
	*lpm_load_ms = bench_now_ms() - t;
	bpf_map_update_elem(map_fd(b, "lpm4"), &home, &home_v, BPF_ANY);
	fill4(map_fd(b, "lpm_hosts"), &b->hosts, true);
	fill4(map_fd(b, "hash4"), &b->hosts, false);
	fill6(map_fd(b, "lpm6"), &b->prefixes6);
}

/* The program that xdp-filter attached to the interface `bench0`. */
static int attached(void)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, q);
	unsigned int ifindex = if_nametoindex("bench0");

	if (!ifindex || bpf_xdp_query(ifindex, 0, &q) || !q.prog_id)
		return -1;
	return bpf_prog_get_fd_by_id(q.prog_id);
}

/* Its map of IPv4 addresses, by name. */
static int filter_map(int prog, uint32_t *entries)
{
	struct bpf_prog_info info = {};
	struct bpf_map_info map;
	uint32_t ids[64], len = sizeof(info), i, mlen;
	int fd;

	info.nr_map_ids = 64;
	info.map_ids = (uintptr_t)ids;
	if (bpf_obj_get_info_by_fd(prog, &info, &len))
		return -1;
	for (i = 0; i < info.nr_map_ids; i++) {
		fd = bpf_map_get_fd_by_id(ids[i]);
		mlen = sizeof(map);
		memset(&map, 0, sizeof(map));
		if (fd >= 0 && !bpf_obj_get_info_by_fd(fd, &map, &mlen) &&
		    !strcmp(map.name, "filter_ipv4")) {
			*entries = map.max_entries;
			return fd;
		}
		close(fd);
	}
	return -1;
}

int peers_xdp_filter(struct bench *b, size_t *hosts)
{
	int prog = attached(), map, other = map_fd(b, "other");
	uint32_t zero = 0, addr, entries = 0;
	uint64_t value[256];
	size_t i;

	map = prog < 0 ? -1 : filter_map(prog, &entries);
	if (map < 0) {
		fprintf(stderr, "bench: xdp-filter is not attached to bench0\n");
		return -1;
	}
	for (i = 0; i < 256; i++)
		value[i] = 2;		/* MAP_FLAG_DST */
	*hosts = entries < HOSTS4 ? entries : HOSTS4;
	for (i = 0; i < *hosts; i++) {
		addr = __builtin_bswap32(b->hosts.v4[i] >> 8);
		if (bpf_map_update_elem(map, &addr, value, BPF_ANY))
			break;
	}
	*hosts = i;
	if (!i || bpf_map_update_elem(other, &zero, &prog, BPF_ANY)) {
		fprintf(stderr, "bench: xdp-filter cannot be called: %s\n",
			strerror(errno));
		return -1;
	}
	return 0;
}
