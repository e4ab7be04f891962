// SPDX-License-Identifier: GPL-2.0
/* The rules that are in force, with what they did. */
#include <stdio.h>
#include <string.h>
#include "commits.h"
#include "duration.h"
#include "rule_file.h"

void rules_clear_counters(struct agent *a, unsigned int slot)
{
	sl_dp_clear_rule(a->dp, slot);
}

void rules_put_counters(const struct agent *a, unsigned int slot,
			struct json_object *o)
{
	struct sl_rule_ctr ctr;

	sl_dp_read_rule(a->dp, slot, &ctr);
	put_int(o, "packets", ctr.packets);
	put_int(o, "bytes", ctr.bytes);
	put_int(o, "over_packets", ctr.over);
	put_time(o, "last_hit", ctr.last_ns ? sl_now_ns() -
		 (sl_mono_ns() - ctr.last_ns) : 0);
}

static struct json_object *rule_doc(const struct agent *a,
				    const struct rules *set, unsigned int i)
{
	const struct sl_rule *r = &set->set.r[i];
	struct json_object *o = json_object_new_object();
	struct json_object *said = sl_rule_json(r);
	struct json_object *match = NULL, *action = NULL;
	char text[256];

	json_object_object_get_ex(said, "match", &match);
	json_object_object_get_ex(said, "action", &action);
	put_text(o, "id", r->id);
	json_object_object_add(o, "match", match ? json_object_get(match) :
			       json_object_new_object());
	json_object_object_add(o, "action", json_object_get(action));
	put_text(o, "match_text",
		 sl_rule_match_text(&r->match, text, sizeof(text)));
	put_text(o, "action_text",
		 sl_rule_action_text(r, text, sizeof(text)));
	put_text(o, "tag", r->tag);
	put_text(o, "by", r->by);
	put_text(o, "why", r->why);
	put_time(o, "until", r->until_ns);
	put_bool(o, "ended", r->until_ns && r->until_ns <= sl_now_ns());
	put_int(o, "slot", set->slot[i]);
	rules_put_counters(a, set->slot[i], o);
	json_object_put(said);
	return o;
}

static struct json_object *rule_docs(const struct agent *a,
				     const struct rules *set)
{
	struct json_object *list = json_object_new_array();
	unsigned int i;

	for (i = 0; set && i < set->set.n; i++)
		json_object_array_add(list, rule_doc(a, set, i));
	return list;
}

struct json_object *rules_doc(const struct agent *a)
{
	const struct rules *r = a->rules;
	const struct caller by = { .uid = r->uid, .pid = -1 };
	struct json_object *o = json_object_new_object();

	put_int(o, "generation", a->generation);
	put_int(o, "rules_generation", r->generation);
	json_object_object_add(o, "pending", pending_doc(a));
	put_text(o, "file", r->file);
	put_text(o, "by", r->at_ns ? user_name(&by) : NULL);
	put_time(o, "at", r->at_ns);
	put_text(o, "why", r->why);
	json_object_object_add(o, "guards", rule_docs(a, a->guard));
	json_object_object_add(o, "rules", rule_docs(a, r));
	return o;
}
