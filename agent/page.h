/* SPDX-License-Identifier: GPL-2.0 */
/* The page at / (docs/page.md): its files are in the program, compressed. */
#ifndef SL_PAGE_H
#define SL_PAGE_H

#include "call.h"

/* One of its files each; for whoever asks, since they hold no figures. */
struct json_object *get_page(struct call *k);
struct json_object *get_page_app(struct call *k);
struct json_object *get_page_style(struct call *k);
struct json_object *get_page_icon(struct call *k);
struct json_object *get_page_world(struct call *k);
struct json_object *get_page_near(struct call *k);
struct json_object *get_page_licences(struct call *k);

#endif
