// SPDX-License-Identifier: GPL-2.0
/* Histograms as bytes: what comes back is what was put, and what is not whole is
 * refused. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "sketch.h"
#include "kselftest_harness.h"

/* Something of any kind: empty, a single sample, few, many, beyond the range, and
 * what no data plane would measure. */
static void made(struct sl_hist *h, unsigned int kind)
{
	unsigned int i, n = kind % 8 == 0 ? 1 : kind % 8 == 1 ? 2 :
			    kind % 8 == 2 ? 5000 : random() % 300;
	uint64_t centre = 1000ULL << random() % 24;

	memset(h, 0, sizeof(*h));
	for (i = 0; i < n; i++)
		sl_hist_record(h, centre + random() % (centre / 4 + 1));
	if (kind % 8 == 5) {
		sl_hist_record(h, 17000000000ULL + random());
		sl_hist_record(h, 12);
	}
	if (kind % 8 == 6) {
		h->count += random() % 9;	/* torn while it was read */
		h->bucket[random() % SL_HIST_BUCKETS] += 4000000000U;
	}
	if (kind % 8 == 7) {
		h->min_ns = random();
		h->max_ns = h->min_ns + random();
		h->sum_ns = (uint64_t)random() << 32;
	}
	if (kind % 64 == 63)
		h->bucket[0] = h->bucket[SL_HIST_BUCKETS - 1] = UINT32_MAX;
}

TEST(numbers_come_back)
{
	static const uint64_t v[] = { 0, 1, 127, 128, 16383, 16384, UINT32_MAX,
				      INT64_MAX, (uint64_t)INT64_MIN,
				      UINT64_MAX };
	struct sl_bytes s = {};
	struct sl_cut c;
	unsigned int i;

	for (i = 0; i < 10; i++) {
		sl_put_u64(&s, v[i]);
		sl_put_s64(&s, (int64_t)v[i]);
	}
	c = (struct sl_cut){ s.b, s.b + s.n, false };
	for (i = 0; i < 10; i++) {
		ASSERT_EQ(v[i], sl_get_u64(&c));
		ASSERT_EQ((int64_t)v[i], sl_get_s64(&c));
	}
	ASSERT_FALSE(c.bad);
	ASSERT_EQ(0, sl_get_u64(&c));
	ASSERT_TRUE(c.bad);
	sl_bytes_free(&s);
}

TEST(a_number_longer_than_64_bits_is_refused)
{
	uint8_t b[11];
	struct sl_cut c = { b, b + sizeof(b), false };

	memset(b, 0xff, sizeof(b));
	b[10] = 0;
	ASSERT_EQ(0, sl_get_u64(&c));
	ASSERT_TRUE(c.bad);
}

TEST(one_sketch_is_exact_in_every_member)
{
	struct sl_bytes s = {};
	struct sl_hist h, back;
	struct sl_cut c;
	unsigned int i;

	srandom(1);
	for (i = 0; i < 4000; i++) {
		made(&h, i);
		s.n = 0;
		sl_sketch_put(&s, &h);
		memset(&back, 0, sizeof(back));
		c = (struct sl_cut){ s.b, s.b + s.n, false };
		ASSERT_EQ(0, sl_sketch_add(&c, &back));
		ASSERT_TRUE(c.at == c.end);
		ASSERT_EQ(0, memcmp(&h, &back, sizeof(h))) {
			TH_LOG("sketch %u", i);
		}
	}
	sl_bytes_free(&s);
}

TEST(adding_bytes_is_adding_histograms)
{
	struct sl_hist h, sum = {}, twin = {};
	struct sl_bytes s = {};
	struct sl_cut c;
	unsigned int i;

	srandom(2);
	for (i = 0; i < 500; i++) {
		made(&h, i % 6);
		sl_hist_add(&twin, &h);
		s.n = 0;
		sl_sketch_put(&s, &h);
		c = (struct sl_cut){ s.b, s.b + s.n, false };
		ASSERT_EQ(0, sl_sketch_add(&c, &sum));
	}
	ASSERT_EQ(0, memcmp(&sum, &twin, sizeof(sum)));
	sl_bytes_free(&s);
}

static bool near(uint64_t want, uint64_t got, double ppm)
{
	return fabs((double)got - (double)want) <= want * ppm / 1e6 + 1;
}

/* Not so in one that no data plane makes. */
static bool sane(const struct sl_hist *h)
{
	uint64_t n = h->zero + h->overflow;
	unsigned int b;

	for (b = 0; b < SL_HIST_BUCKETS; b++)
		n += h->bucket[b];
	return n == h->count && n * h->min_ns <= h->sum_ns &&
	       n * h->max_ns >= h->sum_ns;
}

TEST(a_chunk_keeps_counts_and_the_rest_within_its_bounds)
{
	enum { N = 384 };
	struct sl_hist *h = calloc(N, sizeof(*h)), back;
	uint32_t step[N], at, round, i;
	struct sl_chunk_reader r;
	struct sl_bytes s = {};
	struct sl_chunk k = {};
	unsigned int bounded = 0;

	srandom(3);
	for (round = 0; round < 20; round++) {
		for (i = 0; i < N; i++) {
			step[i] = (i ? step[i - 1] + 1 : 0) + random() % 3;
			made(&h[i], round * N + i);
			sl_chunk_put(&k, step[i], &h[i]);
		}
		s.n = 0;
		ASSERT_EQ(0, sl_chunk_end(&k, &s));
		ASSERT_EQ(0, sl_chunk_open(&r, s.b, s.n));
		for (i = 0; i < N; i++) {
			ASSERT_EQ(1, sl_chunk_next(&r, &at, &back));
			ASSERT_EQ(step[i], at);
			ASSERT_EQ(0, memcmp(h[i].bucket, back.bucket,
					    sizeof(back.bucket)));
			ASSERT_EQ(h[i].count, back.count);
			ASSERT_EQ(h[i].zero, back.zero);
			ASSERT_EQ(h[i].overflow, back.overflow);
			if (!sane(&h[i]))
				continue;
			bounded++;
			ASSERT_TRUE(near(h[i].min_ns, back.min_ns,
					 SL_CHUNK_EXTREME_PPM));
			ASSERT_TRUE(near(h[i].max_ns, back.max_ns,
					 SL_CHUNK_EXTREME_PPM));
			ASSERT_TRUE(near(h[i].sum_ns, back.sum_ns,
					 SL_CHUNK_SUM_PPM +
					 (h[i].count == 1 ?
					  SL_CHUNK_EXTREME_PPM : 0))) {
				TH_LOG("%llu, %llu of %llu samples",
				       h[i].sum_ns, back.sum_ns, h[i].count);
			}
		}
		ASSERT_EQ(0, sl_chunk_next(&r, &at, &back));
	}
	ASSERT_GT(bounded, 20 * N / 2);
	sl_chunk_free(&k);
	sl_bytes_free(&s);
	free(h);
}

TEST(what_a_chunk_gave_is_the_same_when_put_again)
{
	struct sl_hist h, back, again;
	struct sl_bytes s = {}, t = {};
	struct sl_chunk k = {};
	struct sl_chunk_reader r;
	unsigned int i;
	uint32_t at;

	srandom(4);
	for (i = 0; i < 2000; i++) {
		made(&h, i);
		s.n = t.n = 0;
		sl_chunk_put(&k, 7, &h);
		ASSERT_EQ(0, sl_chunk_end(&k, &s));
		ASSERT_EQ(0, sl_chunk_open(&r, s.b, s.n));
		ASSERT_EQ(1, sl_chunk_next(&r, &at, &back));
		sl_chunk_put(&k, 7, &back);
		ASSERT_EQ(0, sl_chunk_end(&k, &t));
		ASSERT_EQ(0, sl_chunk_open(&r, t.b, t.n));
		ASSERT_EQ(1, sl_chunk_next(&r, &at, &again));
		ASSERT_EQ(back.min_ns, again.min_ns);
		ASSERT_EQ(back.max_ns, again.max_ns);
		ASSERT_EQ(back.sum_ns, again.sum_ns);
	}
	sl_chunk_free(&k);
	sl_bytes_free(&s);
	sl_bytes_free(&t);
}

TEST(counters_come_back_within_their_bound)
{
	struct sl_columns_reader r;
	struct sl_columns k = {};
	struct sl_bytes s = {};
	uint64_t v[500][SL_COLUMNS], back[SL_COLUMNS];
	uint32_t i, c, at;

	srandom(5);
	for (i = 0; i < 500; i++) {
		for (c = 0; c < SL_COLUMNS; c++)
			v[i][c] = ((uint64_t)random() << 33 |
				   (uint64_t)random() << 2 | random() % 4) >>
				  random() % 64;
		if (i == 17)
			memset(v[i], 0xff, sizeof(v[i]));
		sl_columns_put(&k, i * 3, v[i]);
	}
	ASSERT_EQ(0, sl_columns_end(&k, &s));
	ASSERT_EQ(0, sl_columns_open(&r, s.b, s.n));
	for (i = 0; i < 500; i++) {
		ASSERT_EQ(1, sl_columns_next(&r, &at, back));
		ASSERT_EQ(i * 3, at);
		for (c = 0; c < SL_COLUMNS; c++) {
			if (v[i][c] < 512)
				ASSERT_EQ(v[i][c], back[c]);
			ASSERT_TRUE(near(v[i][c], back[c], SL_COLUMN_PPM));
		}
	}
	sl_columns_free(&k);
	sl_bytes_free(&s);
}

TEST(packing_is_undone_and_any_changed_bit_is_seen)
{
	struct sl_bytes packed = {}, plain = {};
	uint8_t b[3000];
	unsigned int i;

	for (i = 0; i < sizeof(b); i++)
		b[i] = i / 17 ^ i % 5;
	ASSERT_EQ(0, sl_pack(b, sizeof(b), 6, 4711, &packed));
	ASSERT_LT(packed.n, sizeof(b));
	ASSERT_EQ(0, sl_unpack(packed.b, packed.n, 4711, &plain));
	ASSERT_EQ(sizeof(b), plain.n);
	ASSERT_EQ(0, memcmp(plain.b, b, sizeof(b)));
	ASSERT_EQ(-EBADMSG, sl_unpack(packed.b, packed.n, 4712, &plain));
	for (i = 0; i < packed.n * 8; i++) {
		packed.b[i / 8] ^= 1 << i % 8;
		ASSERT_EQ(-EBADMSG, sl_unpack(packed.b, packed.n, 4711,
					      &plain));
		packed.b[i / 8] ^= 1 << i % 8;
	}
	for (i = 0; i < packed.n; i++)
		ASSERT_EQ(-EBADMSG, sl_unpack(packed.b, i, 4711, &plain));
	packed.n = 0;
	ASSERT_EQ(0, sl_pack(b, 0, 1, 1, &packed));
	ASSERT_EQ(0, sl_unpack(packed.b, packed.n, 1, &plain));
	ASSERT_EQ(0, plain.n);
	sl_bytes_free(&packed);
	sl_bytes_free(&plain);
}

/* Hostile bytes behind a right check sum: read to their end or refused, never
 * beyond (the sanitizers watch). */
TEST(any_bytes_as_a_chunk_end)
{
	struct sl_columns_reader c;
	struct sl_chunk_reader r;
	struct sl_bytes s = {};
	struct sl_chunk k = {};
	uint64_t v[SL_COLUMNS];
	unsigned int i, n, refused = 0;
	struct sl_hist h;
	uint32_t at;
	int rc;

	srandom(6);
	for (i = 0; i < 20000; i++) {
		s.n = 0;
		made(&h, i % 6);
		for (n = 0; n < 4; n++)
			sl_chunk_put(&k, n, &h);
		ASSERT_EQ(0, sl_chunk_end(&k, &s));
		for (n = random() % 5 + 1; n; n--)
			s.b[random() % (n & 1 ? s.n : 8)] = random();
		rc = sl_chunk_open(&r, s.b, s.n);
		for (n = 0; !rc && n <= SL_CHUNK_STEPS; n++) {
			rc = sl_chunk_next(&r, &at, &h);
			if (rc != 1)
				break;
			rc = 0;
		}
		ASSERT_LE(n, SL_CHUNK_STEPS);
		refused += rc < 0;
		if (!sl_columns_open(&c, s.b, s.n))
			while (sl_columns_next(&c, &at, v) > 0)
				;
	}
	ASSERT_GT(refused, 1000);
	sl_chunk_free(&k);
	sl_bytes_free(&s);
}

TEST_HARNESS_MAIN
