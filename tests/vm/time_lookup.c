// SPDX-License-Identifier: GPL-2.0
/*
 * What one IPv6 lookup costs: kernel LPM_TRIE, the product's reader in BPF, and the
 * module's kfunc where /dev/sealane is. A line of JSON for each: ns a lookup, net
 * of an empty twin. In a guest whose clock counts instructions (boot.sh,
 * VM_ICOUNT) these are instructions.
 *   time_lookup OBJECT
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <sealane/kmod.h>
#include "../bench/lookup.h"
#include "fib_image.h"
#include "module_image.h"

#define LANES	100
#define ROUNDS	5

struct tables {
	struct sl_pset set;
	struct sl_rib *rib;
	struct sl_fib_image img;
	struct lookup_step steps[LOOKUP_STEPS];
	uint64_t rng;
};

static struct tables t = { .rng = 88172645463325252ULL };

__attribute__((noreturn, format(printf, 1, 2)))
static void die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("time_lookup: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	exit(1);
}

static uint64_t number(void)
{
	t.rng ^= t.rng << 13;
	t.rng ^= t.rng >> 7;
	t.rng ^= t.rng << 17;
	return t.rng;
}

static void add4(void)
{
	unsigned int r = number() % 100;
	unsigned int len = r < 60 ? 24 : r < 82 ? 22 : r < 94 ? 19 : 16;

	sl_pset_add4(&t.set, ((1 + number() % 191) << 24 |
		     (number() & 0xffffff)) & ~(~0U >> len), len);
}

/* Half of them /48, the rest down to /32, as in the global table. */
static void add6(void)
{
	struct sl_prefix p = { .family = 6 };
	unsigned int r = number() % 10;
	uint64_t hi;

	p.len = r < 5 ? 48 : r < 8 ? 32 + number() % 13 : 32;
	hi = 0x2000000000000000ULL | (number() & 0x0fffffffffffffffULL);
	hi = __builtin_bswap64(hi & ~0ULL << (64 - p.len));
	memcpy(p.addr, &hi, sizeof(hi));
	sl_pset_add(&t.set, &p);
}

static void make_tables(void)
{
	struct sl_prefix p;
	size_t i;

	while (t.set.n4 < LOOKUP_PREFIXES4 || t.set.n6 < LOOKUP_PREFIXES6) {
		while (t.set.n4 < LOOKUP_PREFIXES4)
			add4();
		while (t.set.n6 < LOOKUP_PREFIXES6)
			add6();
		sl_pset_finish(&t.set);		/* some stood twice */
	}
	t.rib = sl_rib_new();
	for (i = 0; i < t.set.n4 + t.set.n6; i++) {
		sl_pset_get(&t.set, i, &p);
		sl_rib_add_lane(t.rib, &p, 1 + i % LANES, SL_LAYER_COUNTRY, 0);
	}
	if (sl_rib_sort(t.rib) ||
	    sl_fib_image_new(sl_fib_size_of("medium"), 1, &t.img) ||
	    sl_fib_build(&t.img, (struct sl_rib_pair){ .base = t.rib }, NULL))
		die("the tables cannot be built");
}

/* Random addresses below random prefixes. */
static void make_steps(void)
{
	const struct sl_prefix6 *p;
	unsigned int i;

	for (i = 0; i < LOOKUP_STEPS; i++) {
		p = &t.set.v6[number() % t.set.n6];
		t.steps[i].hi = p->hi | (number() & (~0ULL >> p->len));
		t.steps[i].lo = number();
	}
}

static void put(struct bpf_object *o, const char *name, const void *data,
		size_t len_b)
{
	int fd = bpf_object__find_map_fd_by_name(o, name);
	void *m = mmap(NULL, len_b, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (m == MAP_FAILED)
		die("cannot map %s: %s", name, strerror(errno));
	memcpy(m, data, len_b);
	munmap(m, len_b);
}

/* An entry of a lane is its number (SL_ENTRY), which the trie gets too. */
static void fill_lpm(struct bpf_object *o)
{
	int fd = bpf_object__find_map_fd_by_name(o, "lookup_lpm");
	struct lookup_key k;
	struct sl_prefix p;
	uint32_t e;
	size_t i;

	for (i = t.set.n4; i < t.set.n4 + t.set.n6; i++) {
		sl_pset_get(&t.set, i, &p);
		k.len = p.len;
		memcpy(k.addr, p.addr, sizeof(k.addr));
		e = SL_ENTRY(1 + i % LANES, 0);
		if (bpf_map_update_elem(fd, &k, &e, BPF_ANY))
			die("LPM_TRIE: %s", strerror(errno));
	}
}

static void size(struct bpf_object *o, const char *name, uint32_t n)
{
	if (bpf_map__set_max_entries(bpf_object__find_map_by_name(o, name), n))
		die("%s cannot have %u entries", name, n);
}

static struct bpf_object *open_object(const char *path, bool module)
{
	struct bpf_object *o = bpf_object__open(path);
	const struct sl_fib_size *room = &t.img.room;
	struct bpf_map *map;
	struct sl_settings *set;
	size_t len;

	if (!o)
		die("%s does not open", path);
	bpf_object__for_each_map(map, o) {
		if (!strstr(bpf_map__name(map), ".rodata"))
			continue;
		set = (void *)bpf_map__initial_value(map, &len);
		set->fib_nodes = room->nodes;
		set->fib_leaves = room->leaves;
		set->n_lanes = SL_MAX_LANES;
	}
	size(o, "sl_fib6_root", SL_FIB6_ROOT_WORDS / SL_FIB_LINE);
	size(o, "sl_fib6_nodes", room->nodes);
	size(o, "sl_fib6_leaves", room->leaves / SL_FIB_LINE);
	bpf_program__set_autoload(bpf_object__find_program_by_name(o,
				  "by_kfunc"), module);
	bpf_program__set_autoload(bpf_object__find_program_by_name(o,
				  "in_swapped"), false);
	if (bpf_object__load(o))
		die("%s does not load", path);
	put(o, "sl_fib6_root", t.img.root6, 4 * SL_FIB6_ROOT_WORDS);
	put(o, "sl_fib6_nodes", t.img.node,
	    (size_t)room->nodes * sizeof(*t.img.node));
	put(o, "sl_fib6_leaves", t.img.leaf, 4 * room->leaves);
	put(o, "lookup_steps", t.steps, sizeof(t.steps));
	fill_lpm(o);
	return o;
}

/* The programs' variables, mapped. */
static volatile struct lookup_vars *vars_of(struct bpf_object *o)
{
	struct bpf_map *map;
	void *m = MAP_FAILED;

	bpf_object__for_each_map(map, o)
		if (strstr(bpf_map__name(map), ".data.lookup"))
			m = mmap(NULL, sizeof(struct lookup_vars),
				 PROT_READ | PROT_WRITE, MAP_SHARED,
				 bpf_map__fd(map), 0);
	if (m == MAP_FAILED)
		die("no variables");
	return m;
}

/* ns a run over all addresses, from the first. */
static uint32_t run(struct bpf_object *o, const char *name, uint64_t *sum)
{
	struct bpf_program *p = bpf_object__find_program_by_name(o, name);
	volatile struct lookup_vars *v = vars_of(o);
	static char frame[64];
	LIBBPF_OPTS(bpf_test_run_opts, r, .data_in = frame,
		    .data_size_in = sizeof(frame), .repeat = LOOKUP_STEPS);

	v->pos = 0;
	v->sum = 0;
	if (bpf_prog_test_run_opts(bpf_program__fd(p), &r) || r.retval != 2)
		die("%s: answered %u: %s", name, r.retval, strerror(errno));
	*sum = v->sum;
	return r.duration;
}

/* The least of some runs in turn: where the clock does not count instructions, who
 * else is running adds to it. */
static void measure(struct bpf_object *o, const char *name, uint64_t sum)
{
	uint32_t empty = UINT32_MAX, with = UINT32_MAX, ns;
	uint64_t got = 0, none;
	struct utsname u;
	int i;

	uname(&u);
	for (i = 0; i < ROUNDS; i++) {
		ns = run(o, "by_nothing", &none);
		empty = ns < empty ? ns : empty;
		ns = run(o, name, &got);
		with = ns < with ? ns : with;
		if (got != sum)
			die("%s finds other entries: sum %llu, not %llu", name,
			    (unsigned long long)got, (unsigned long long)sum);
	}
	printf("{\"kernel\":\"%s\",\"lookup\":\"%s\",\"ns\":%u,"
	       "\"empty_ns\":%u}\n", u.release, name, with - empty, empty);
}

/* What user space says of all addresses. */
static uint64_t sum_of_all(void)
{
	uint64_t addr[2], sum = 0;
	unsigned int i;

	for (i = 0; i < LOOKUP_STEPS; i++) {
		addr[0] = __builtin_bswap64(t.steps[i].hi);
		addr[1] = __builtin_bswap64(t.steps[i].lo);
		sum += sl_fib_lookup(&t.img, 6, (const uint8_t *)addr);
	}
	return sum;
}

int main(int argc, char **argv)
{
	int module = open(SLK_DEVICE, O_RDWR | O_CLOEXEC);
	struct slk_load load;
	struct bpf_object *o;
	uint64_t sum;

	if (argc != 2)
		die("usage: time_lookup OBJECT");
	if (module < 0 && errno != ENOENT)
		die("%s: %s", SLK_DEVICE, strerror(errno));
	make_tables();
	make_steps();
	sum = sum_of_all();
	o = open_object(argv[1], module >= 0);
	measure(o, "by_lpm", sum);
	measure(o, "by_bpf", sum);
	if (module >= 0) {
		if (module_image_load(module, &t.img, &load))
			die("the module takes no image: %s", load.why);
		vars_of(o)->handle = load.handle;
		measure(o, "by_kfunc", sum);
		ioctl(module, SLK_IOC_UNLOAD, &load.handle);
	}
	return 0;
}
