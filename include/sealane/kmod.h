/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * What the kernel module, the programs and user space share: the module's
 * device, its image of the IPv6 table, its kfuncs' numbers. A change here that
 * an older side would misread bumps SLK_ABI_VERSION; the agent then leaves the
 * module alone and says so.
 *
 * The device is SLK_DEVICE. Opening it needs CAP_NET_ADMIN; one opener at a
 * time (-EBUSY). Images and series outlive their opener, so that an agent that
 * died finds them again.
 */
#ifndef SEALANE_KMOD_H
#define SEALANE_KMOD_H

#include <linux/ioctl.h>
#include <linux/types.h>
#include <sealane/abi.h>

#define SLK_ABI_VERSION	1
#define SLK_MODULE	"sealane"
#define SLK_DEVICE	"/dev/sealane"

#define SLK_SERIES	1024	/* lane, path and source of a residence */
#define SLK_PENDING	8192	/* stamps asked for and not given, at one time */
#define SLK_PENDING_PATH 4096	/* ... on one path: a bad one leaves room for others */
#define SLK_PENDING_MS	17000	/* a packet is lost when none came by then; longer
				 * than the histogram reaches. Parameter
				 * pending_ms of the module. */
#define SLK_NICS	64	/* that are remembered: their clocks, their silence */
#define SLK_IMAGES	8	/* at one time; power of two */

/*
 * Where a residence went that was asked for; names for people. Those from BUSY to
 * SILENT are refusals of the kfunc: the packet goes on as if nobody had asked.
 */
#define SLK_STATS(X) \
	X(ASKED, "asked")		/* requests that were made */ \
	X(HARDWARE, "hardware")		/* settled by the NIC's stamp */ \
	X(SOFTWARE, "software")		/* settled at hand-over to the driver */ \
	X(LOST, "lost")			/* none within SLK_PENDING_MS: dropped in
					 * the queue */ \
	X(BUSY, "busy")			/* too many are waited for */ \
	X(OWNED, "owned")		/* the packet has a socket */ \
	X(CLONED, "cloned")		/* ... or is shared with somebody */ \
	X(STAMPED, "stamped")		/* ... or somebody else asked for stamps */ \
	X(GSO, "gso")			/* its segments would not carry the key */ \
	X(DEVICE, "device")		/* its interface would treat it otherwise */ \
	X(SILENT, "silent")		/* ... or does not stamp, as was seen */ \
	X(REPEATED, "repeated")		/* more than one completion of a key, or one
					 * after its time */ \
	X(CLOCK, "clock")		/* a stamp that cannot be true */ \
	X(SERIES_FULL, "series_full")	/* counted as lane 0 */ \
	X(IMAGES_LOADED, "images_loaded") \
	X(IMAGES_REFUSED, "images_refused")

#define SLK_ENUM_STAT(id, name) SLK_S_##id,
enum slk_stat { SLK_STATS(SLK_ENUM_STAT) SLK_S_MAX };
#define SLK_STAT_SLOTS	24

struct slk_info {
	__u32 abi;		/* SLK_ABI_VERSION */
	__u32 debug;		/* 1: a debug build, whose self-tests passed */
	__u32 pending;		/* now */
	__u32 images;		/* now */
	__u64 image_b;		/* bytes of them */
	__u32 handle[SLK_IMAGES];	/* of them; 0: none */
	__u64 stat[SLK_STAT_SLOTS];	/* enum slk_stat */
};

/*
 * An IPv6 table: this head, SL_FIB6_ROOT_WORDS root words, `nodes` nodes,
 * `leaves` leaf words, as abi_fib.h has them. Checked whole before it is used:
 * length, checksum, every index inside its array, no node led to twice (hence
 * no cycle), no depth beyond 128 bits.
 */
#define SLK_IMAGE_MAGIC	0x36626c53	/* "Slb6" */
#define SLK_NODES_MAX	(1U << 22)
#define SLK_LEAVES_MAX	(1U << 24)

struct slk_image_head {
	__u32 magic;
	__u32 abi;		/* SL_ABI_VERSION: of the table's layout */
	__u32 nodes;
	__u32 leaves;
	__u32 crc;		/* CRC-32 (IEEE 802.3) of all behind the head */
	__u32 pad[11];		/* 0; what follows begins a cache line */
};

#define SLK_IMAGE_B(nodes, leaves) (sizeof(struct slk_image_head) + \
	4ULL * SL_FIB6_ROOT_WORDS + (__u64)(nodes) * sizeof(struct sl_fib_node) + \
	4ULL * (leaves))

/* In: where the image is. Out: its handle, never 0. Errors: -EINVAL the image
 * is wrong (why, in words); -ENOSPC SLK_IMAGES are loaded; -EFBIG; -ENOMEM. */
struct slk_load {
	__u64 data;		/* user pointer */
	__u64 len_b;
	__u32 handle;
	__u32 pad;
	char why[64];		/* out, after -EINVAL */
};

#define SLK_CLOCK_MAX_NS	10000000000ULL	/* mono_ns and until_ns: from now */
#define SLK_PPB_MAX		1000000		/* a clock further off is none */

/*
 * The clock of a NIC against CLOCK_MONOTONIC, as the agent measured it:
 * mono = mono_ns + d - d * ppb / 10^9 with d = stamp - phc_ns. The NIC is asked
 * for stamps until until_ns, one at a time: only who switched its stamping on
 * gives a clock, since a NIC has few places for them, and ptp4l needs them.
 * until_ns 0 forgets the clock. -EINVAL: a value out of its range.
 */
struct slk_clock {
	__u32 ifindex;		/* in the opener's network namespace */
	__s32 ppb;		/* by how much the NIC's clock runs fast */
	__u64 phc_ns;
	__u64 mono_ns;
	__u64 until_ns;		/* CLOCK_MONOTONIC */
};

/* In: from. Out: the first series in use at or behind it, and its slot; -ENOENT:
 * none. `hist` is cumulative; min_ns and max_ns are those since the last read. */
struct slk_read {
	__u32 from;
	__u32 slot;
	__u64 key;		/* SL_SERIES_KEY */
	__u64 hist;		/* user pointer to a struct sl_hist */
	__u64 lost;		/* so far: asked for, and never sent */
	__u64 busy;		/* so far: not asked for, too many were waiting */
};

#define SLK_IOC_INFO	_IOR(0xb6, 1, struct slk_info)
#define SLK_IOC_LOAD	_IOWR(0xb6, 2, struct slk_load)
#define SLK_IOC_UNLOAD	_IOW(0xb6, 3, __u32)
#define SLK_IOC_CLOCK	_IOW(0xb6, 4, struct slk_clock)
#define SLK_IOC_READ	_IOWR(0xb6, 5, struct slk_read)

/* The kfuncs, and their bits in sl_settings.kmod. */
#define SLK_KFUNC_STAMP		"sealane_tx_stamp"
#define SLK_KFUNC_LOOKUP6	"sealane_lookup6"
#define SL_KMOD_STAMP	1
#define SL_KMOD_LOOKUP6	2

_Static_assert(sizeof(struct slk_info) == 56 + 8 * SLK_STAT_SLOTS, "slk_info");
_Static_assert(sizeof(struct slk_image_head) == 64, "slk_image_head");
_Static_assert(sizeof(struct slk_load) == 88, "slk_load");
_Static_assert(sizeof(struct slk_clock) == 32, "slk_clock");
_Static_assert(sizeof(struct slk_read) == 40, "slk_read");
_Static_assert(SLK_S_MAX <= SLK_STAT_SLOTS, "stats outgrew their slots");

#endif
