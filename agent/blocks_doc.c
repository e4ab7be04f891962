// SPDX-License-Identifier: GPL-2.0
/* Blocks, as they can be asked for. */
#include "blocks_priv.h"
#include "duration.h"

struct json_object *block_doc(const struct agent *a, const struct block *b)
{
	struct json_object *o = json_object_new_object();
	char text[SL_PREFIX_STR_B];
	const struct caller by = { .uid = b->uid, .pid = -1 };
	struct sl_class_ctr ctr;
	uint64_t ago_ns;

	sl_dp_read_class(a->dp, b->class_id, &ctr);
	put_int(o, "id", b->id);
	put_text(o, "prefix", sl_prefix_str(&b->prefix, text));
	put_text(o, "action", b->action == SL_ACT_DROP ? "drop" : "count");
	put_time(o, "until", b->until_ns);
	put_text(o, "why", b->why);
	put_text(o, "by", user_name(&by));
	put_time(o, "at", b->at_ns);
	put_int(o, "packets", ctr.packets);
	put_int(o, "bytes", ctr.bytes);
	ago_ns = sl_mono_ns() - ctr.last_ns;
	put_time(o, "last_hit", ctr.last_ns ? sl_now_ns() - ago_ns : 0);
	return o;
}

struct json_object *blocks_doc(const struct agent *a)
{
	struct json_object *o = json_object_new_object();
	struct json_object *list = json_object_new_array();
	unsigned int i;

	for (i = 0; i < a->blocks.n; i++)
		json_object_array_add(list, block_doc(a, &a->blocks.b[i]));
	json_object_object_add(o, "blocks", list);
	return o;
}

struct json_object *blocks_commit_doc(const struct agent *a,
				      const struct sl_prefix *p,
				      unsigned int n, int removed,
				      const struct plan *plan)
{
	struct json_object *o = json_object_new_object();
	struct json_object *list = json_object_new_array();
	const struct block *b;
	unsigned int i;

	for (i = 0; i < n; i++) {
		b = blocks_find(&a->blocks, &p[i]);
		if (b)
			json_object_array_add(list, block_doc(a, b));
	}
	put_int(o, "generation", a->generation);
	json_object_object_add(o, "blocks", list);
	put_int(o, "removed", removed);
	json_object_object_add(o, "live", plan_share_doc(plan));
	return o;
}
