// SPDX-License-Identifier: GPL-2.0
#include <stdint.h>
#include "plain.h"

/* One character at c, of *len bytes; -1: none. */
static int32_t decode(const unsigned char *c, unsigned int *len)
{
	static const int32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned int n = *c < 0x80 ? 1 : *c < 0xc0 ? 0 : *c < 0xe0 ? 2 :
			 *c < 0xf0 ? 3 : *c < 0xf8 ? 4 : 0, i;
	int32_t v = n < 2 ? *c : *c & (0x7f >> n);

	*len = 1;
	for (i = 1; i < n; i++) {
		if ((c[i] & 0xc0) != 0x80)
			return -1;
		v = v << 6 | (c[i] & 0x3f);
	}
	if (!n || v < least[n] || v > 0x10ffff || (v >= 0xd800 && v <= 0xdfff))
		return -1;
	*len = n;
	return v;
}

static int shows(int32_t v)
{
	return v >= ' ' && (v < 0x7f || v > 0x9f) &&
	       !(v >= 0x2028 && v <= 0x202e) && !(v >= 0x2066 && v <= 0x2069);
}

char *sl_plain(char *text)
{
	unsigned char *from = (unsigned char *)text, *to = from;
	unsigned int len, i;

	for (; *from; from += len) {
		if (shows(decode(from, &len)))
			for (i = 0; i < len; i++)
				*to++ = from[i];
		else
			*to++ = '?';
	}
	*to = '\0';
	return text;
}

size_t sl_plain_chars(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += (*text & 0xc0) != 0x80;
	return n;
}
