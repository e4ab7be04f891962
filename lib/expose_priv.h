/* SPDX-License-Identifier: GPL-2.0 */
/* What expose.c and the two writers, expose_text.c and expose_proto.c, share. */
#ifndef SL_EXPOSE_PRIV_H
#define SL_EXPOSE_PRIV_H

#include "expose.h"

/* Memory of one family, given back as a whole. */
struct arena {
	struct arena_part *part;
};

struct sl_expose {
	enum sl_expose_format format;
	char *bytes;
	size_t len_b, room_b;
	bool failed;			/* no memory */
	/* the family: */
	const char *name, *unit, *help;
	enum sl_expose_type type;
	bool begun;			/* it has a metric */
	struct arena arena;		/* protobuf: */
	struct proto_family *family;
};

/* n bytes more at the end, to be filled; NULL: no memory. */
char *expose_room(struct sl_expose *x, size_t n);
/* The next whole character of a text that may be no UTF-8: its length in *len_b;
 * what is none is one byte, and U+FFFD comes back in its place. */
const char *expose_char(const char *s, size_t *len_b);

void *arena_get(struct sl_expose *x, size_t len_b);	/* zeroed, or NULL */
void arena_free(struct arena *a);

void text_value(struct sl_expose *x, const struct sl_label *labels,
		double value);
void text_count(struct sl_expose *x, const struct sl_label *labels,
		uint64_t value);
void text_hist(struct sl_expose *x, const struct sl_label *labels,
	       const struct sl_expose_hist *h);
void text_end(struct sl_expose *x);

void proto_value(struct sl_expose *x, const struct sl_label *labels,
		 double value);
void proto_hist(struct sl_expose *x, const struct sl_label *labels,
		const struct sl_expose_hist *h);
void proto_family_end(struct sl_expose *x);

#endif
