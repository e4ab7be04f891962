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

struct sl_config_lane {
	char name[SL_NAME_B];
	struct sl_prefix *prefixes;
	unsigned int n_prefixes;
	struct sl_sources from;
	double cable_km;	/* 0: not stated */
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
