/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The configuration file: YAML read by libcyaml, then checked as a whole.
 * Nothing is applied unless everything in it is right.
 */
#ifndef SL_CONFIG_H
#define SL_CONFIG_H

#include <stdbool.h>
#include <stdint.h>
#include <sealane/abi.h>
#include "prefix.h"

#define SL_CONFIG_PATH	"/etc/sealane/sealane.yaml"
#define SL_SOCKET_PATH	"/run/sealane/sealaned.sock"
#define SL_STATE_DIR	"/var/lib/sealane"

#define SL_HISTORY_LEVELS 3	/* steps of 10 s, 1 min, 15 min */

struct sl_config_iface {
	char name[SL_NAME_B];
	uint16_t vlan;		/* 0: the whole interface */
	enum sl_side side;
	char path[SL_NAME_B];	/* "" when none is named */
	unsigned int line;	/* in the file, for later messages */
};

/* Whose addresses, beside the prefixes that are named. */
struct sl_sources {
	char **files;		/* paths */
	unsigned int n_files;
	uint16_t *countries;	/* 'S' << 8 | 'G' */
	unsigned int n_countries;
	uint32_t *asns;
	unsigned int n_asns;
};

/* Degrees; known: stated. */
struct sl_place {
	double lat_deg, lon_deg;
	bool known;
};

/* "p99 <= 60ms over 5m" */
struct sl_budget {
	char text[64];		/* as it was written */
	double quantile;	/* 0..1 */
	uint64_t most_ns, over_ns;
};

struct sl_config_lane {
	char name[SL_NAME_B];
	struct sl_prefix *prefixes;
	unsigned int n_prefixes;
	struct sl_sources from;
	double cable_km;	/* 0: not stated */
	struct sl_place at;
	struct sl_budget *budgets;
	unsigned int n_budgets;
	unsigned int line;
};

/* A way that packets may take instead of the short one; of what it is known by
 * one thing is stated, the others are 0. */
struct sl_detour {
	char name[SL_NAME_B];
	uint64_t rtt_ns;	/* its least round trip */
	double km;		/* its length */
	struct sl_place via;	/* the way to the lane over this place */
	char **lanes;		/* that may take it; none: all */
	unsigned int n_lanes;
	unsigned int line;
};

enum sl_role { SL_ROLE_NONE, SL_ROLE_VIEW, SL_ROLE_OPERATE, SL_ROLE_ENFORCE,
	       SL_ROLE_MAX };

/* Where the API listens beside its Unix socket. */
struct sl_listener {
	char host[64];		/* an address, brackets removed */
	uint16_t port;		/* 0: any */
	char *cert, *key;	/* PEM files; NULL: no TLS, loopback only */
	enum sl_role role;	/* of whoever comes without a token: none or
				 * view; default view without TLS, none with */
	unsigned int line;
};

/* All sizes are checked and powers of two where the data plane needs it. */
struct sl_config {
	struct sl_config_iface *ifaces;
	unsigned int n_ifaces;
	struct sl_config_lane *lanes;	/* lane number = index + 1 */
	unsigned int n_lanes;
	struct sl_prefix *home;
	unsigned int n_home;
	struct sl_prefix *protect;
	unsigned int n_protect;
	struct sl_sources home_from, protect_from;
	/* never dropped either: these TCP ports of own addresses */
	uint16_t ports[64];		/* default 22 and 179 */
	unsigned int n_ports;
	struct sl_prefix *own;		/* none: those of the interfaces */
	unsigned int n_own;
	struct {
		char *country_mmdb, *asn_mmdb;	/* NULL: none */
		char **rir, **geofeeds;
		unsigned int n_rir, n_geofeeds;
	} geo;
	struct {
		uint32_t flows;		/* default 131072 */
		uint32_t series;	/* default 1024 */
		char size[8];		/* of the prefix tables; default large */
	} tables;
	char socket[108];		/* default SL_SOCKET_PATH */
	char state_dir[256];		/* default SL_STATE_DIR */
	char bpffs[256];		/* "": /sys/fs/bpf/sealane or our own */
	uint64_t flow_idle_ns;		/* default 300 s */
	uint64_t stamp_max_ns;		/* default 60 s */
	struct {
		uint32_t per_s;		/* packets timed on their way through
					 * the gateway; default 500, 0: none */
		bool hardware;		/* by NICs' clocks where they can */
		bool shared;		/* ... where others use them too */
	} residence;
	bool module;			/* to be used when it is there */
	struct {
		char name[SL_NAME_B];	/* "": the host's */
		struct sl_place at;
	} gateway;
	struct sl_detour *detours;
	unsigned int n_detours;
	struct {			/* of a path change: held for so long, */
		uint64_t step_ns;	/* a step of so much ... */
		uint32_t share_ppm;	/* ... or of this share */
		uint64_t hold_ns;	/* default 3 ms, 10 %, 3 min */
	} detection;
	struct {			/* how long each step is kept */
		uint64_t keep_ns[SL_HISTORY_LEVELS];
		uint32_t max_mb;	/* of the file; the oldest goes first */
	} history;
	struct sl_listener *listen;
	unsigned int n_listen;
	char *tokens;			/* file of the tokens' hashes; or NULL */
	/* users of the Unix socket beside root, who may everything; without
	 * any everybody may view */
	struct {
		char **users;
		unsigned int n;
	} roles[SL_ROLE_MAX];
	uint32_t max_share_ppm;		/* of the live packets that one commit
					 * may drop anew; default 5 % */
};

/* One mistake in a file. */
struct sl_config_error {
	unsigned int line, column;	/* 1-based; 0: the file as a whole */
	char message[200];		/* names the bad value */
	char remedy[200];
};

struct sl_config_errors {
	struct sl_config_error *e;
	unsigned int n;
};

/*
 * Read and check a file. 0 with *out owned by the caller, or a negative errno
 * (-EINVAL: see *errs, all mistakes at once; -ENOENT, -EACCES, ...: errs has
 * one item too). *errs is owned by the caller in every case.
 */
int sl_config_load(const char *path, struct sl_config **out,
		   struct sl_config_errors *errs);
void sl_config_free(struct sl_config *cfg);
void sl_config_errors_free(struct sl_config_errors *errs);

/* The configuration of `replay` without -c: no home, no lanes, defaults. */
struct sl_config *sl_config_default(void);

#endif
