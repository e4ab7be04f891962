/* SPDX-License-Identifier: GPL-2.0 */
/* What a replay's data plane is told before the first packet. */
#ifndef SL_REPLAY_TABLES_H
#define SL_REPLAY_TABLES_H

#include "cli.h"
#include "config.h"
#include "datapath.h"

/* The rules of a file; their number in it is their slot. */
struct replay_rules {
	struct sl_ruleset set;
	struct sl_abv *abv;	/* the data plane's bank leads to it */
};

/*
 * Lanes and protected prefixes of the configuration, and the rules of a file
 * (NULL: none). DONE, or REFUSED with every mistake shown.
 */
int replay_tables(struct cli *cli, struct sl_dp *dp,
		  const struct sl_config *cfg, const char *file,
		  struct replay_rules *out);
void replay_rules_free(struct replay_rules *rules);

/* Their hits: [{"id","packets","bytes"}], in the file's order. */
struct json_object *replay_rules_doc(const struct sl_dp *dp,
				     const struct replay_rules *rules);
/* That as a table. */
void replay_rules_show(struct json_object *doc);

#endif
