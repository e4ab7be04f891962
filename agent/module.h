/* SPDX-License-Identifier: GPL-2.0 */
/* What the agent's files about the kernel module share. */
#ifndef SL_MODULE_H
#define SL_MODULE_H

#include <sealane/kmod.h>
#include "residence.h"

/* The module's copy of a bank's IPv6 table. */
struct module_image {
	uint32_t handle;		/* 0: none */
	uint32_t version;		/* of the table, a second ago */
	bool refused;			/* this version */
};

struct module {
	int fd;				/* -1: not in use */
	uint32_t functions;		/* SL_KMOD_*, in use */
	uint64_t loaded;		/* sl_kmod_instance(), a second ago */
	uint64_t instance;		/* the one in use, or the last that was */
	uint64_t failed;		/* not to be tried again */
	bool off;			/* by the verb */
	char why[TEXT_B];		/* loaded and not used; "" */
	struct slk_info info;		/* a second ago */
	struct module_image image[2];
	uint64_t image_took_ns;		/* the last load of one */
	uint64_t images_refused;
	/* what its series miss, a second ago */
	struct module_missed {
		uint64_t key, lost, busy;
	} missed[SLK_SERIES];
	uint32_t n_series;
	struct sl_hist *last[SLK_SERIES];	/* as module_walk() saw them */
};

const char *module_version(void);	/* of the one that is loaded; "" */
/* Does it ask for stamps now? */
bool module_stamps(const struct agent *a);

/* Its series, all of them, cumulative: slots in order from 0. */
typedef void (*module_series_fn)(void *arg, uint32_t slot, uint64_t key,
				 const struct sl_hist *h);
void module_walk(struct agent *a, module_series_fn take, void *arg);
/* As they were a second ago: reading them takes their extremes away from who reads
 * them next. */
void module_peek(struct agent *a, module_series_fn take, void *arg);
void module_collect(struct agent *a);	/* collect.c */

/* --- images --- */
/* Those of an agent before us are ours from now on. */
void images_adopt(struct agent *a);
void images_second(struct agent *a);
void images_settle(struct agent *a);	/* wait for what is being loaded */
void images_drop(struct agent *a);	/* all of them */

/* --- clocks --- */
void clocks_second(struct agent *a);
void clocks_forget(struct agent *a);	/* before the module goes */
void clocks_close(struct agent *a);
/* What is known of an interface's clock. */
struct json_object *clock_doc(const struct agent *a, uint32_t ifindex);
bool clock_is_used(const struct agent *a, uint32_t ifindex);
int clocks_tai_s(void);		/* TAI - UTC, as the kernel knows it; 0: not */

#endif
