// SPDX-License-Identifier: GPL-2.0
/* Any bytes as histograms from disk: read to their end or refused; what is read
 * as one sketch can be put and read again. */
#include <stdlib.h>
#include <string.h>
#include "sketch.h"

static void as_sketch(const uint8_t *data, size_t size)
{
	struct sl_cut c = { data, data + size, false };
	struct sl_hist h = {}, again = {};
	struct sl_bytes s = {};

	if (!sl_sketch_add(&c, &h)) {
		sl_sketch_put(&s, &h);
		c = (struct sl_cut){ s.b, s.b + s.n, false };
		if (sl_sketch_add(&c, &again) ||
		    memcmp(h.bucket, again.bucket, sizeof(h.bucket)) ||
		    h.count != again.count)
			abort();
	}
	sl_bytes_free(&s);
}

static void as_chunk(const uint8_t *data, size_t size)
{
	struct sl_chunk_reader r;
	uint32_t at, n = 0;
	struct sl_hist h;

	if (sl_chunk_open(&r, data, size))
		return;
	while (sl_chunk_next(&r, &at, &h) > 0)
		if (++n > SL_CHUNK_STEPS)
			abort();
}

static void as_columns(const uint8_t *data, size_t size)
{
	struct sl_columns_reader r;
	uint64_t v[SL_COLUMNS];
	uint32_t at;

	if (!sl_columns_open(&r, data, size))
		while (sl_columns_next(&r, &at, v) > 0)
			;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sl_bytes plain = {}, packed = {};

	if (!size)
		return 0;
	if (data[0] % 4 == 0)
		as_sketch(data + 1, size - 1);
	else if (data[0] % 4 == 1)
		as_chunk(data + 1, size - 1);
	else if (data[0] % 4 == 2)
		as_columns(data + 1, size - 1);
	else if (!sl_unpack(data + 1, size - 1, 0, &plain))
		as_chunk(plain.b, plain.n);
	/* behind a right check sum */
	if (sl_pack(data, size, 1, 1, &packed) ||
	    sl_unpack(packed.b, packed.n, 1, &plain) || plain.n != size ||
	    memcmp(plain.b, data, size))
		abort();
	sl_bytes_free(&plain);
	sl_bytes_free(&packed);
	return 0;
}
