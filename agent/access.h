/* SPDX-License-Identifier: GPL-2.0 */
/* Listeners, tokens and roles, for the rest of the agent: docs/access.md. */
#ifndef SL_ACCESS_H
#define SL_ACCESS_H

#include "agent.h"

/* Listeners, tokens and roles of a configuration, beside what is live: 0, or a
 * refusal and *out untouched. Then taken over, or given up. */
int api_prepare(struct agent *a, const struct sl_config *cfg,
		struct api_plan **out, struct refusal *r);
void api_take(struct agent *a, struct api_plan *p);	/* frees it */
void api_plan_free(struct api_plan *p);
/* The files that they name: 0, or a refusal. */
int api_check(const struct sl_config *cfg, struct refusal *r);
/* Name of the token that was shown, or NULL; of the one with this number. */
const char *caller_token(const struct caller *who);
const char *token_name(uid_t uid);

#endif
