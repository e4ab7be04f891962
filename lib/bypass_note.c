// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "bypass_note.h"

#define RUN_DIR "/run/sealane"

static void path_of(char *buf, size_t len, const char *pin_dir, const char *end)
{
	char *c, name[256];

	snprintf(name, sizeof(name), "%s", pin_dir);
	for (c = name; *c; c++)
		if (*c == '/')
			*c = '_';
	snprintf(buf, len, RUN_DIR "/bypass%s%s", name, end);
}

int sl_bypass_note_write(const char *pin_dir, const struct sl_bypass_note *n)
{
	struct json_object *o = json_object_new_object();
	char path[320], tmp[320];
	int rc = 0;

	path_of(path, sizeof(path), pin_dir, "");
	path_of(tmp, sizeof(tmp), pin_dir, ".new");
	json_object_object_add(o, "on", json_object_new_boolean(n->on));
	json_object_object_add(o, "at_ns", json_object_new_int64(n->at_ns));
	json_object_object_add(o, "uid", json_object_new_int64(n->uid));
	json_object_object_add(o, "pid", json_object_new_int64(n->pid));
	json_object_object_add(o, "why", json_object_new_string(n->why));
	if (mkdir(RUN_DIR, 0755) && errno != EEXIST)
		rc = -errno;
	else if (json_object_to_file(tmp, o) || rename(tmp, path))
		rc = errno ? -errno : -EIO;
	json_object_put(o);
	return rc;
}

static int64_t number(struct json_object *o, const char *key)
{
	struct json_object *v;

	return json_object_object_get_ex(o, key, &v) ?
	       json_object_get_int64(v) : 0;
}

int sl_bypass_note_read(const char *pin_dir, struct sl_bypass_note *n)
{
	struct json_object *o, *v;
	char path[320];

	path_of(path, sizeof(path), pin_dir, "");
	o = json_object_from_file(path);
	if (!o)
		return -ENOENT;
	*n = (struct sl_bypass_note){ .at_ns = number(o, "at_ns"),
				      .uid = number(o, "uid"),
				      .pid = number(o, "pid") };
	n->on = json_object_object_get_ex(o, "on", &v) &&
		json_object_get_boolean(v);
	if (json_object_object_get_ex(o, "why", &v) && v)
		snprintf(n->why, sizeof(n->why), "%s",
			 json_object_get_string(v));
	json_object_put(o);
	return 0;
}
