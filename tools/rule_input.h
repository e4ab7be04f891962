/* SPDX-License-Identifier: GPL-2.0 */
/* Rule files on the command line: read, judged, and their mistakes shown. */
#ifndef SL_RULE_INPUT_H
#define SL_RULE_INPUT_H

#include "cli.h"
#include "config.h"
#include "rule_file.h"

/*
 * Read a rule file ("-": standard input), judged by ctx. With a configuration
 * its lanes and paths are known, and its protected prefixes where ctx has none;
 * cfg NULL: what the file says of itself is judged. DONE, or REFUSED with every
 * mistake shown.
 */
int rule_input(struct cli *cli, const char *file, const struct sl_config *cfg,
	       const struct sl_rule_context *ctx, struct sl_ruleset *out);
/* Its bytes, once they are found right; the caller frees them. */
int rule_input_text(struct cli *cli, const char *file,
		    const struct sl_rule_context *ctx, char **text,
		    size_t *len_b);
/* The configuration; every mistake of it shown likewise. */
int rule_input_config(struct cli *cli, const char *conf,
		      struct sl_config **out);
/* Show mistakes: a line each, or error.items under -j. REFUSED. */
int rule_input_refuse(struct cli *cli, const char *file,
		      const struct sl_mistakes *all);

#endif
