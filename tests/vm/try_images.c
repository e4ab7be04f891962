// SPDX-License-Identifier: GPL-2.0
/*
 * The module's images: what is none is refused and leaves no trace, what is checked
 * can be looked up in, and who looks up while images are swapped finds one of them,
 * whole. try_images OBJECT (lookup.bpf.o); TAP.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <sealane/fib6_check.h>
#include "../bench/lookup.h"
#include "module_image.h"

#define PREFIXES	300
#define MUTANTS		30
#define SWAPS		30
#define RUNS		20000	/* lookups of one test run */

static struct slk_image_head *image;
static size_t image_b;
static struct bpf_object *obj;
static volatile struct lookup_vars *vars;
static uint64_t rng = 88172645463325252ULL;
static int device, n_results, failed;

static void result(bool good, const char *sentence)
{
	printf("%sok %d - %s\n", good ? "" : "not ", ++n_results, sentence);
	failed |= !good;
}

static uint64_t number(void)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return rng;
}

static uint64_t stat_of(enum slk_stat which)
{
	struct slk_info info;

	return ioctl(device, SLK_IOC_INFO, &info) ? ~0ULL : info.stat[which];
}

static uint32_t images_now(void)
{
	struct slk_info info;

	return ioctl(device, SLK_IOC_INFO, &info) ? ~0U : info.images;
}

/* Prefixes of all lengths, some inside others, or one entry everywhere. */
static struct slk_image_head *make(uint32_t everywhere, size_t *len_b)
{
	struct sl_rib *rib = sl_rib_new();
	struct slk_image_head *made = NULL;
	struct sl_prefix p = { .family = 6 };
	struct sl_fib_image img;
	unsigned int i, k;

	for (i = 0; i < (everywhere ? 1 : PREFIXES); i++) {
		p.len = everywhere ? 0 : 12 + number() % 117;
		memset(p.addr, 0, sizeof(p.addr));
		for (k = 0; k < p.len; k++)
			p.addr[k / 8] |= (number() >> (k % 61) & 1 &
					  (k < 8 || k > 14)) << (7 - k % 8);
		sl_rib_add_lane(rib, &p, 1 + i % 50, SL_LAYER_OPERATOR, 0);
	}
	if (!sl_rib_sort(rib) &&
	    !sl_fib_image_new(sl_fib_size_of("small"), 1, &img)) {
		if (!sl_fib_build(&img, (struct sl_rib_pair){ .base = rib },
				  NULL)) {
			/* which cannot be said by a prefix alone */
			for (i = 0; everywhere && i < SL_FIB6_ROOT_WORDS; i++)
				img.root6[i] = everywhere;
			made = module_image_make(&img, len_b);
		}
		sl_fib_image_free(&img);
	}
	sl_rib_free(rib);
	return made;
}

/* Refused with this error, counted, nothing kept. */
static bool refused(const void *data, size_t len_b, int error)
{
	const uint64_t before = stat_of(SLK_S_IMAGES_REFUSED);
	const uint32_t kept = images_now();
	struct slk_load l;
	int rc = module_image_give(device, data, len_b, &l);

	if (rc == -error && images_now() == kept &&
	    (error != EINVAL || (stat_of(SLK_S_IMAGES_REFUSED) == before + 1 &&
				 memchr(l.why, 0, sizeof(l.why)) && *l.why)))
		return true;
	printf("# %zu bytes: %s (%.*s), wanted %s\n", len_b,
	       rc ? strerror(-rc) : "taken", (int)sizeof(l.why), l.why,
	       strerror(error));
	if (!rc)
		ioctl(device, SLK_IOC_UNLOAD, &l.handle);
	return false;
}

static void no_image_at_all(void)
{
	static uint8_t noise[4096];
	const size_t some[] = { 0, 1, 63, 64, 65, sizeof(noise) };
	bool good = true;
	size_t i;

	for (i = 0; i < sizeof(noise); i++)
		noise[i] = number();
	for (i = 0; i < sizeof(some) / sizeof(some[0]); i++)
		good &= refused(noise, some[i], EINVAL);
	good &= refused(NULL, sizeof(noise), EFAULT);
	good &= refused((void *)0xffff888000000000, sizeof(noise), EFAULT);
	good &= refused(image, ~0ULL, EFBIG);
	good &= refused(image, SLK_IMAGE_B(SLK_NODES_MAX, SLK_LEAVES_MAX) + 1,
			EFBIG);
	result(good, "noise, no memory and absurd lengths are refused");
}

/* One field of the head wrong, the rest right. */
static bool head_refused(void *field, uint32_t value)
{
	uint32_t right;
	bool good;

	memcpy(&right, field, sizeof(right));
	memcpy(field, &value, sizeof(value));
	good = refused(image, image_b, EINVAL);
	memcpy(field, &right, sizeof(right));
	return good;
}

static void wrong_heads(void)
{
	bool good = head_refused(&image->magic, image->magic + 1);

	good &= head_refused(&image->abi, image->abi + 1);
	good &= head_refused(&image->nodes, image->nodes + 1);
	good &= head_refused(&image->nodes, 0);
	good &= head_refused(&image->nodes, ~0U);
	good &= head_refused(&image->leaves, image->leaves + 16);
	good &= head_refused(&image->leaves, ~0U);
	good &= head_refused(&image->crc, ~image->crc);
	good &= head_refused(&image->pad[10], 1);
	good &= refused(image, image_b - 4, EINVAL);
	good &= refused(image, image_b / 2, EINVAL);
	result(good, "a head that is wrong in one field is refused");
}

/* By the same check in user space, which tests and the fuzzer know. */
static bool is_wrong(const struct slk_image_head *h)
{
	struct sl_fib6 t = { .root = (const uint32_t *)(h + 1),
			     .nodes = h->nodes, .leaves = h->leaves };
	bool wrong;

	t.node = (const struct sl_fib_node *)(t.root + SL_FIB6_ROOT_WORDS);
	t.leaf = (const uint32_t *)(t.node + h->nodes);
	t.seen = calloc(h->nodes + 1, 1);
	wrong = !t.seen || sl_fib6_wrong(&t);
	free(t.seen);
	return wrong;
}

/* Lookups by the kfunc in whatever is loaded; false: the program does not run. */
static bool look_up(const char *program)
{
	static char frame[64];
	LIBBPF_OPTS(bpf_test_run_opts, r, .data_in = frame,
		    .data_size_in = sizeof(frame), .repeat = RUNS);
	struct bpf_program *p = bpf_object__find_program_by_name(obj, program);

	return !bpf_prog_test_run_opts(bpf_program__fd(p), &r) &&
	       r.retval == 2;
}

/* A few words behind the root are changed, and the checksum is right. */
static void mutants(void)
{
	uint32_t *words = (uint32_t *)(image + 1) + SL_FIB6_ROOT_WORDS;
	const size_t n = (image_b - sizeof(*image)) / 4 - SL_FIB6_ROOT_WORDS;
	unsigned int i, k, taken = 0, agreed = 0;
	char sentence[128];
	struct slk_load l;
	size_t at[3];
	uint32_t was[3];

	for (i = 0; i < MUTANTS; i++) {
		for (k = 0; k < 3; k++) {
			at[k] = number() % n;
			was[k] = words[at[k]];
			words[at[k]] = number() % 3 ? words[at[k]] ^ 1U <<
				number() % 32 : number();
		}
		module_image_sign(image, image_b);
		if (is_wrong(image)) {
			agreed += refused(image, image_b, EINVAL);
		} else if (!module_image_give(device, image, image_b, &l)) {
			vars->handle = l.handle;
			taken++;
			agreed += look_up("by_kfunc") &&
				  !ioctl(device, SLK_IOC_UNLOAD, &l.handle);
		}
		for (k = 3; k-- > 0;)
			words[at[k]] = was[k];
	}
	module_image_sign(image, image_b);
	snprintf(sentence, sizeof(sentence), "of %u images with wrong words and "
		 "a right checksum %u are refused, %u are harmless", MUTANTS,
		 MUTANTS - taken, taken);
	result(agreed == MUTANTS, sentence);
}

static void limits(void)
{
	uint32_t handle[SLK_IMAGES], none = 12345, i;
	struct slk_load l;
	bool good = true;

	for (i = 0; i < SLK_IMAGES; i++) {
		good &= !module_image_give(device, image, image_b, &l) &&
			l.handle;
		handle[i] = l.handle;
	}
	good &= module_image_give(device, image, image_b, &l) == -ENOSPC;
	good &= images_now() == SLK_IMAGES;
	good &= ioctl(device, SLK_IOC_UNLOAD, &none) && errno == ENOENT;
	for (i = 0; i < SLK_IMAGES; i++)
		good &= !ioctl(device, SLK_IOC_UNLOAD, &handle[i]);
	good &= ioctl(device, SLK_IOC_UNLOAD, &handle[0]) && errno == ENOENT;
	good &= !images_now();
	result(good, "eight images fit, each goes once, and none is left");
}

static void one_opener(void)
{
	result(open(SLK_DEVICE, O_RDWR) < 0 && errno == EBUSY,
	       "the device has one opener at a time");
}

/* --- swaps --- */

static bool over;

static void *traffic(void *runs)
{
	while (!*(volatile bool *)&over && look_up("in_swapped"))
		++*(unsigned int *)runs;
	return NULL;
}

/* A new image, its handle told, and only then the old one goes. */
static bool swap(void *const data[2], size_t len_b)
{
	struct slk_load l;
	uint32_t old = 0, i;

	for (i = 0; i < SWAPS; i++) {
		if (module_image_give(device, data[i % 2], len_b, &l))
			return false;
		vars->handle = l.handle;
		if (old && ioctl(device, SLK_IOC_UNLOAD, &old))
			return false;
		old = l.handle;
	}
	return !ioctl(device, SLK_IOC_UNLOAD, &old);
}

static void swaps(void)
{
	void *data[2];
	char sentence[160];
	unsigned int runs = 0;
	struct slk_load first;
	pthread_t thread;
	size_t len_b;
	bool good;

	data[0] = make(LOOKUP_ONE, &len_b);
	data[1] = make(LOOKUP_OTHER, &len_b);
	good = data[0] && data[1] &&
	       !module_image_give(device, data[1], len_b, &first);
	vars->handle = first.handle;
	if (good && !pthread_create(&thread, NULL, traffic, &runs)) {
		good = swap(data, len_b);
		over = true;
		pthread_join(thread, NULL);
		good &= !ioctl(device, SLK_IOC_UNLOAD, &first.handle);
	}
	good &= runs && vars->found[LOOKUP_ONE] && vars->found[LOOKUP_OTHER] &&
		!vars->found[LOOKUP_WRONG];
	snprintf(sentence, sizeof(sentence), "%u swaps under %llu lookups: one "
		 "image, the other, or (%llu times) none, never a mixture",
		 SWAPS, (unsigned long long)(vars->found[LOOKUP_ONE] +
		 vars->found[LOOKUP_OTHER] + vars->found[LOOKUP_GONE]),
		 (unsigned long long)vars->found[LOOKUP_GONE]);
	result(good, sentence);
	free(data[0]);
	free(data[1]);
}

static bool open_object(const char *path)
{
	static const char *const off[] = { "by_lpm", "by_bpf", "by_nothing" };
	static struct lookup_step steps[LOOKUP_STEPS];
	struct bpf_map *map;
	size_t i;
	int fd;

	obj = bpf_object__open(path);
	for (i = 0; obj && i < sizeof(off) / sizeof(off[0]); i++)
		bpf_program__set_autoload(bpf_object__find_program_by_name(obj,
					  off[i]), false);
	if (!obj || bpf_object__load(obj))
		return false;
	for (i = 0; i < LOOKUP_STEPS; i++)
		steps[i] = (struct lookup_step){ number(), number() };
	bpf_object__for_each_map(map, obj) {
		fd = bpf_map__fd(map);
		if (strstr(bpf_map__name(map), ".data.lookup"))
			vars = mmap(NULL, sizeof(*vars), PROT_READ | PROT_WRITE,
				    MAP_SHARED, fd, 0);
		if (!strcmp(bpf_map__name(map), "lookup_steps"))
			for (i = 0; i < LOOKUP_STEPS; i++) {
				uint32_t k = i;

				bpf_map_update_elem(fd, &k, &steps[i], 0);
			}
	}
	return vars && vars != MAP_FAILED;
}

int main(int argc, char **argv)
{
	device = open(SLK_DEVICE, O_RDWR | O_CLOEXEC);
	image = make(0, &image_b);
	if (argc != 2 || device < 0 || !image || !open_object(argv[1])) {
		fprintf(stderr, "usage: try_images OBJECT, with the module loaded\n");
		return 1;
	}
	one_opener();
	no_image_at_all();
	wrong_heads();
	mutants();
	limits();
	swaps();
	printf("1..%d\n", n_results);
	return failed;
}
