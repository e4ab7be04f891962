// SPDX-License-Identifier: GPL-2.0
/* The files of the page at /: build.sh made them, the linker put them in here. */
#include <endian.h>
#include <gnutls/crypto.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include "page.h"

/* Whatever the page does it does with files and answers from here; a text that
 * became markup by some mistake could neither run nor call home. */
#define POLICY "default-src 'none'; script-src 'self'; style-src 'self'; " \
	"connect-src 'self'; img-src 'self'; base-uri 'none'; " \
	"form-action 'none'; frame-ancestors 'none'"

#define GZIP_WINDOW (15 + 16)	/* zlib: gzip's frame around the largest window */
#define HASH_B 16		/* of SHA-256, for the tag */

struct file {
	const unsigned char *start, *end;	/* gzip */
	const char *type;
	char tag[2][2 * HASH_B + 8];	/* quoted; [1]: of it compressed */
};

#define FILE_OF(symbol, var, mime) \
	extern const unsigned char _binary_##symbol##_gz_start[]; \
	extern const unsigned char _binary_##symbol##_gz_end[]; \
	static struct file var = { _binary_##symbol##_gz_start, \
				   _binary_##symbol##_gz_end, mime, {} }

FILE_OF(index_html, index_file, "text/html; charset=utf-8");
FILE_OF(app_js, app_file, "text/javascript; charset=utf-8");
FILE_OF(app_css, style_file, "text/css; charset=utf-8");
FILE_OF(icon_svg, icon_file, "image/svg+xml");
FILE_OF(world_json, world_file, "application/json");
FILE_OF(near_json, near_file, "application/json");
FILE_OF(licences_txt, licences_file, "text/plain; charset=utf-8");

/* A file's tags: of its bytes, so that they change with them and with nothing
 * else. */
static void make_tags(struct file *f)
{
	unsigned char hash[32];
	char text[2 * HASH_B + 1];
	int i;

	if (f->tag[0][0])
		return;
	gnutls_hash_fast(GNUTLS_DIG_SHA256, f->start, f->end - f->start, hash);
	for (i = 0; i < HASH_B; i++)
		sprintf(text + 2 * i, "%02x", hash[i]);
	snprintf(f->tag[0], sizeof(f->tag[0]), "\"%s\"", text);
	snprintf(f->tag[1], sizeof(f->tag[1]), "\"%s-gz\"", text);
}

static const char *request_header(struct call *k, const char *name)
{
	const char *v = MHD_lookup_connection_value(k->c, MHD_HEADER_KIND, name);

	return v ? v : "";
}

/* RFC 9110 12.5.3, as far as it goes for one coding: named, and not with a
 * weight of 0. */
static bool takes_gzip(struct call *k)
{
	const char *at = strstr(request_header(k, "Accept-Encoding"), "gzip");
	double weight = 1;

	if (!at)
		return false;
	sscanf(at, "gzip ; q = %lf", &weight);
	return weight > 0;
}

/* 0 or -1: no memory. */
static int inflate_file(const struct file *f, char **text, size_t *len_b)
{
	z_stream z = { .next_in = (unsigned char *)f->start,
		       .avail_in = f->end - f->start };
	uint32_t size_b;
	int rc;

	memcpy(&size_b, f->end - 4, 4);	/* RFC 1952: ISIZE, little-endian */
	size_b = le32toh(size_b);
	*text = malloc(size_b);
	if (!*text || inflateInit2(&z, GZIP_WINDOW) != Z_OK) {
		free(*text);
		*text = NULL;
		return -1;
	}
	z.next_out = (unsigned char *)*text;
	z.avail_out = size_b;
	rc = inflate(&z, Z_FINISH);
	inflateEnd(&z);
	if (rc != Z_STREAM_END) {
		free(*text);
		*text = NULL;
		return -1;
	}
	*len_b = size_b;
	return 0;
}

static int deflated_file(const struct file *f, char **text, size_t *len_b)
{
	*len_b = f->end - f->start;
	*text = malloc(*len_b);
	if (!*text)
		return -1;
	memcpy(*text, f->start, *len_b);
	return 0;
}

static void put_header(struct call *k, const char *name, const char *value)
{
	int n = 0;

	while (k->header[n].name)
		n++;
	k->header[n].name = name;
	k->header[n].value = value;
}

/* The rest is what every answer has (api_answer.c). */
static void put_headers(struct call *k, const struct file *f, bool gzip)
{
	put_header(k, "ETag", f->tag[gzip]);
	put_header(k, "Cache-Control", "max-age=0, must-revalidate");
	put_header(k, "Vary", "Accept-Encoding");
	put_header(k, "Content-Security-Policy", POLICY);
	if (gzip && !k->status)
		put_header(k, "Content-Encoding", "gzip");
}

static struct json_object *serve(struct call *k, struct file *f)
{
	bool gzip = takes_gzip(k);
	int rc;

	make_tags(f);
	k->type = f->type;
	if (strstr(request_header(k, "If-None-Match"), f->tag[gzip])) {
		k->status = MHD_HTTP_NOT_MODIFIED;
		k->text = calloc(1, 1);
		rc = k->text ? 0 : -1;
	} else if (gzip) {
		rc = deflated_file(f, &k->text, &k->text_b);
	} else {
		rc = inflate_file(f, &k->text, &k->text_b);
	}
	if (rc)
		refuse(&k->r, 500, "free memory", "out of memory");
	else
		put_headers(k, f, gzip);
	return NULL;
}

struct json_object *get_page(struct call *k)
{
	return serve(k, &index_file);
}

struct json_object *get_page_app(struct call *k)
{
	return serve(k, &app_file);
}

struct json_object *get_page_style(struct call *k)
{
	return serve(k, &style_file);
}

struct json_object *get_page_icon(struct call *k)
{
	return serve(k, &icon_file);
}

struct json_object *get_page_world(struct call *k)
{
	return serve(k, &world_file);
}

struct json_object *get_page_near(struct call *k)
{
	return serve(k, &near_file);
}

struct json_object *get_page_licences(struct call *k)
{
	return serve(k, &licences_file);
}
