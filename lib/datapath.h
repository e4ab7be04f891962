/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The data plane as one object: load or adopt, attach, write tables, read
 * counters. The agent, replay, the tests and the bench all use this and
 * nothing else to reach BPF. Errors are negative errno; sl_dp_error() says
 * more in words. Silent: nothing is printed.
 *
 * Pins, below the directory that sl_dp_pin_dir() finds or mounts:
 *   v<ABI>/<map>           every map
 *   v<ABI>/link-<ifindex>  one XDP link per interface
 */
#ifndef SL_DATAPATH_H
#define SL_DATAPATH_H

#include <stdbool.h>
#include <stdint.h>
#include <stddef.h>
#include <sealane/abi.h>
#include "abv.h"
#include "config.h"
#include "fib_image.h"

struct bpf_object;
struct sl_dp;
struct sl_hist_sparse;

/* Adopted: the pinned maps of an earlier agent are in use. */
enum sl_dp_origin { SL_DP_FRESH, SL_DP_ADOPTED };

struct sl_dp_opts {
	const struct sl_config *cfg;	/* sizes */
	const char *pin_dir;		/* NULL: nothing is pinned (replay, tests) */
	bool replay;			/* capture clock, fixed hash key, one CPU */
	/* Called with all settings made and all maps sized, before the kernel
	 * sees the program; may be NULL. What is not 0 ends sl_dp_open(). */
	int (*before_load)(struct bpf_object *obj, void *arg);
	void *before_load_arg;
};

/*
 * Find the bpffs directory for our pins: wanted (configured, or "" for the
 * default) where that lies on a bpffs, else the same name on a bpffs of our own
 * at /run/sealane/bpf. With `create` both are made when they are missing.
 */
int sl_dp_pin_dir(const char *wanted, bool create, char *buf, size_t len);

/* Load the object, adopting pinned maps where the ABI and sizes agree.
 * -EPROTO: pins of another ABI or other sizes are there. */
int sl_dp_open(const struct sl_dp_opts *opts, struct sl_dp **out);
void sl_dp_close(struct sl_dp *dp);	/* pins, links and traffic stay */
enum sl_dp_origin sl_dp_origin(const struct sl_dp *dp);
const char *sl_dp_error(const struct sl_dp *dp);	/* of the last failure */
const struct sl_settings *sl_dp_settings(const struct sl_dp *dp);
int sl_dp_prog_fd(const struct sl_dp *dp);
int sl_dp_map_fd(const struct sl_dp *dp, const char *name);	/* -1: none */
uint64_t sl_dp_map_bytes(const struct sl_dp *dp);	/* memory of all maps */

/* What sl_dp_open() would load, without loading it, for who runs the same
 * engine elsewhere (tests/native): its settings, and the entries of a map by
 * them (0: as the object says); -ENOENT: no such map. */
void sl_dp_plan(const struct sl_dp_opts *opts, struct sl_settings *set);
int sl_dp_plan_entries(const struct sl_settings *set, const char *map,
		       uint32_t *n);

/* --- interfaces --- */
#define SL_XDP_NATIVE	1
#define SL_XDP_GENERIC	2

struct sl_dp_iface {
	uint32_t ifindex;
	char name[SL_NAME_B];	/* now; "" when it is gone */
	int mode;		/* SL_XDP_NATIVE or SL_XDP_GENERIC; 0: not attached */
};

/*
 * Attach to an interface (mode: SL_XDP_NATIVE, or SL_XDP_GENERIC when asked
 * for by name). An adopted link is updated to our program without a gap.
 * -EBUSY: a foreign XDP program is there; -EOPNOTSUPP: no native XDP.
 */
int sl_dp_attach(struct sl_dp *dp, uint32_t ifindex, int mode);
int sl_dp_detach(struct sl_dp *dp, uint32_t ifindex);
/* Attached interfaces, from the pinned links; count, or negative errno. */
int sl_dp_ifaces(struct sl_dp *dp, struct sl_dp_iface *out, unsigned int max);
int sl_dp_set_port(struct sl_dp *dp, uint32_t ifindex, uint16_t vlan,
		   const struct sl_port *port);	/* port NULL: remove */

/* The port entry of an interface; false: none. */
bool sl_dp_get_port(struct sl_dp *dp, uint32_t ifindex, struct sl_port *out);

/* --- half self: programs of traffic control --- */
#define SL_TC_IN	1	/* sealane_in, where packets come from home */
#define SL_TC_OUT	2	/* sealane_out, where they leave */
/* These and no others run at an interface; one that is there already, also of an
 * earlier agent, is updated in place. The rest is tried where one fails. */
int sl_dp_set_tc(struct sl_dp *dp, uint32_t ifindex, unsigned int wanted);
unsigned int sl_dp_get_tc(uint32_t ifindex);	/* which run there, anybody's */
int sl_dp_clear_tc(uint32_t ifindex);
/* One leaving packet of so many is timed from now on; 0: none. */
void sl_dp_set_transits(struct sl_dp *dp, uint32_t every);
uint32_t sl_dp_transits(const struct sl_dp *dp);
/* seen, chosen, left and elsewhere, summed over CPUs. */
void sl_dp_read_choosers(const struct sl_dp *dp, struct sl_chooser *out);

/* --- with the module (include/sealane/kmod.h) --- */
/* The module that is loaded: a number that no other one will have; 0: none. */
uint64_t sl_kmod_instance(void);
uint32_t sl_kmod_functions(void);	/* SL_KMOD_*: which it has */
/* Load the programs anew so that they call these of its functions (0: none), and
 * put them in the place of those that run: no packet sees a gap. Then nothing of
 * the former ones holds the module. On failure to load all is as it was. */
int sl_dp_use_module(struct sl_dp *dp, uint32_t functions);
/* Bank of an epoch: its lowest bit. The module's copy of its IPv6 table: */
uint32_t sl_dp_image(const struct sl_dp *dp, unsigned int bank);
void sl_dp_set_image(struct sl_dp *dp, unsigned int bank, uint32_t handle);
/* The table is about to be changed: no packet that comes asks the copy. */
void sl_dp_outdate_image(struct sl_dp *dp, unsigned int bank);
/* Grows by each sl_dp_outdate_image(). */
uint32_t sl_dp_table_version(const struct sl_dp *dp, unsigned int bank);
const struct sl_fib_image *sl_dp_bank(const struct sl_dp *dp,
				      unsigned int bank);

/* --- tables --- */
/* The bank that no packet uses; waits until the last ones have left it. */
struct sl_fib_image *sl_dp_idle(struct sl_dp *dp);
struct sl_fib_image *sl_dp_live(struct sl_dp *dp);
/* The bank that is not live, as it is: to patch what may hold again. */
struct sl_fib_image *sl_dp_other(struct sl_dp *dp);
/* Make the idle bank the live one: one store. */
void sl_dp_flip(struct sl_dp *dp);
/* Build into the idle bank, verify, flip. On failure the live one stays. */
int sl_dp_commit(struct sl_dp *dp, struct sl_rib_pair p);
/* The idle bank's rules; after sl_dp_idle(). Its compiler is the caller's and
 * must live while the bank is in use. */
const struct sl_abv_image *sl_dp_idle_rules(struct sl_dp *dp);
/* What the idle bank's packets will be asked: sl_abv_head(), 0: no rules. */
void sl_dp_set_rules(struct sl_dp *dp, uint32_t head);
/*
 * Flip, and back again at until_ns (the clock) unless confirmed before, agent
 * or no agent. Until then the bank that was left must not be built into.
 */
void sl_dp_flip_until(struct sl_dp *dp, uint64_t until_ns);
void sl_dp_confirm(struct sl_dp *dp);
/* Does the live epoch wait for confirmation, and until when? Past that time it
 * is over, and the answer stays true until the next flip. */
bool sl_dp_pending(const struct sl_dp *dp, uint64_t *until_ns);
uint64_t sl_dp_epoch(const struct sl_dp *dp);
int sl_dp_set_class(struct sl_dp *dp, uint32_t class_id,
		    const struct sl_class *cls);
/* What a class does now; no action: it is not given out. */
void sl_dp_get_class(const struct sl_dp *dp, uint32_t class_id,
		     struct sl_class *out);
/* Forget a class's hits, before it is given out anew. */
void sl_dp_clear_class(struct sl_dp *dp, uint32_t class_id);
/* Write the clock down for those who cannot afford to read it; once a second. */
void sl_dp_tick(struct sl_dp *dp);
int sl_dp_set_bypass(struct sl_dp *dp, bool on);
bool sl_dp_bypass(const struct sl_dp *dp);
/* Lane and class of an address by the live tables (addr: network order). */
uint32_t sl_dp_lookup(struct sl_dp *dp, int family, const uint8_t *addr);

/* --- reading (sums over CPUs; all cumulative unless said) --- */
void sl_dp_read_port(const struct sl_dp *dp, uint32_t slot,
		     struct sl_port_ctr *out);
void sl_dp_read_lane(const struct sl_dp *dp, uint32_t path, uint32_t lane,
		     struct sl_lane_ctr *out);
void sl_dp_read_miss(const struct sl_dp *dp, uint32_t lane,
		     struct sl_lane_miss *out);
void sl_dp_read_tcp(const struct sl_dp *dp, uint32_t lane,
		    struct sl_lane_tcp *out);
void sl_dp_read_lost(const struct sl_dp *dp, uint32_t lane,
		     struct sl_lane_lost *out);
/* The last samples of a remote address (network order); false: none kept. */
bool sl_dp_read_recent(const struct sl_dp *dp, int family, const uint8_t *addr,
		       struct sl_recent *out);
void sl_dp_read_rule(const struct sl_dp *dp, uint32_t slot,
		     struct sl_rule_ctr *out);
/* Forget a slot's hits and limit, before it is given out anew. */
void sl_dp_clear_rule(struct sl_dp *dp, uint32_t slot);
/* The plain class of an entry, and the rows of its address. */
struct sl_compound sl_dp_class_of(const struct sl_dp *dp, uint32_t entry);
void sl_dp_read_class(const struct sl_dp *dp, uint32_t class_id,
		      struct sl_class_ctr *out);
/* Key of a series slot; 0: free. */
uint64_t sl_dp_series_key(const struct sl_dp *dp, uint32_t slot);
/* True and *out filled if the slot changed since the last call; min_ns and
 * max_ns are those of the time between the calls. */
bool sl_dp_read_series(struct sl_dp *dp, uint32_t slot, struct sl_hist *out);
/* What the slot grew by since `base`, which is brought up to date; extremes as
 * above. False: nothing, as far as its mark tells; `unmarked`: look all the
 * same. */
bool sl_dp_grown_series(struct sl_dp *dp, uint32_t slot, bool unmarked,
			struct sl_hist *base, struct sl_hist_sparse *out);
/* Copy without touching dirty marks or extremes. */
void sl_dp_peek_series(const struct sl_dp *dp, uint32_t slot,
		       struct sl_hist *out);
/* Lines of the flow table in use, confirmed ones among them. */
void sl_dp_flow_usage(const struct sl_dp *dp, uint32_t *used,
		      uint32_t *confirmed);
/* The same, estimated from at most so many sets (a power of two): a large table is
 * more memory than one wants to read often. */
void sl_dp_flow_estimate(const struct sl_dp *dp, uint32_t sets, uint32_t *used,
			 uint32_t *confirmed);

/* Dropped packets as they are shown: open once, then read when the descriptor is
 * readable; `take` sees each. 0 or negative errno. */
typedef void sl_dp_drop_fn(void *arg, const struct sl_drop *d);
int sl_dp_drops_open(struct sl_dp *dp, sl_dp_drop_fn *take, void *arg);
void sl_dp_drops_close(struct sl_dp *dp);
int sl_dp_drops_fd(const struct sl_dp *dp);
int sl_dp_drops_read(struct sl_dp *dp);	/* how many, or negative errno */

/* --- a sample of all packets, dropped ones too --- */
/* One packet of so many is kept from now on; 0: none. */
void sl_dp_set_sampling(struct sl_dp *dp, uint32_t every);
/* Where a CPU's samples are read on; zeroed at first. */
struct sl_dp_reader {
	uint32_t next;
	bool placed;		/* next is known */
};
/* Take what a CPU has kept since the last call, at most SL_SAMPLES, the newest
 * where it was more. How many are in out. */
uint32_t sl_dp_take_samples(struct sl_dp *dp, uint32_t cpu,
			    struct sl_dp_reader *r, struct sl_sampled *out);
/* Packets of a CPU that could have been kept, and their bytes, so far. */
void sl_dp_read_sampled_of(const struct sl_dp *dp, uint32_t cpu,
			   uint64_t *packets, uint64_t *bytes);

/* --- round trips to the far end, one by one --- */
/* One of so many is handed over from now on; 0: none. */
void sl_dp_set_trips(struct sl_dp *dp, uint32_t every);
/* Where a CPU's are read on; zeroed at first: the first call takes none. */
struct sl_dp_trip_reader {
	uint32_t next;
	uint64_t seen;
	bool known;		/* both */
};
/* Take what a CPU has handed over since the last call, at most SL_TRIPS, the newest
 * where it was more: how many are in out. *seen: so many it chose from. */
uint32_t sl_dp_take_trips(struct sl_dp *dp, uint32_t cpu,
			  struct sl_dp_trip_reader *r, struct sl_trip *out,
			  uint64_t *seen);

/* For the bench: a sample as the data plane would have put it into a slot. */
void sl_dp_test_sample(struct sl_dp *dp, uint32_t slot, uint32_t lane,
		       uint32_t method, uint64_t rtt_ns);

/* For the tests: all mapped memory as just loaded, in a fraction of the time.
 * Ports, VLANs and what is attached stay. */
void sl_dp_test_reset(struct sl_dp *dp);

/* --- replay --- */
struct sl_replay *sl_dp_replay(struct sl_dp *dp);	/* mapped block */
/* Run one frame of 14..3520 bytes; *verdict is an XDP_* action. */
int sl_dp_run(struct sl_dp *dp, const void *frame, uint32_t len_b,
	      uint32_t *verdict);

/* --- without an agent: through the pins alone, as root --- */
int sl_dp_pinned_bypass(const char *pin_dir, bool on);
int sl_dp_pinned_detach(const char *pin_dir, uint32_t ifindex);

#endif
