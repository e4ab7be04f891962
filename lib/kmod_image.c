// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <sealane/kmod.h>
#include "kmod_image.h"

int sl_kmod_image(const struct sl_fib_image *img, void **out, size_t *len_b)
{
	struct slk_image_head head = { .magic = SLK_IMAGE_MAGIC,
				       .abi = SL_ABI_VERSION,
				       .nodes = img->nodes,
				       .leaves = img->leaves };
	size_t n = SLK_IMAGE_B(head.nodes, head.leaves), at = sizeof(head);
	uint8_t *bytes;

	/* more than there is room: a build that did not fit */
	if (head.nodes > SLK_NODES_MAX || head.leaves > SLK_LEAVES_MAX ||
	    head.nodes > img->room.nodes || head.leaves > img->room.leaves)
		return -EFBIG;
	bytes = malloc(n);
	if (!bytes)
		return -ENOMEM;
	memcpy(bytes + at, img->root6, 4 * (size_t)SL_FIB6_ROOT_WORDS);
	at += 4 * (size_t)SL_FIB6_ROOT_WORDS;
	memcpy(bytes + at, img->node, head.nodes * sizeof(*img->node));
	at += head.nodes * sizeof(*img->node);
	memcpy(bytes + at, img->leaf, head.leaves * sizeof(*img->leaf));
	head.crc = crc32_z(0, bytes + sizeof(head), n - sizeof(head));
	memcpy(bytes, &head, sizeof(head));
	*out = bytes;
	*len_b = n;
	return 0;
}
