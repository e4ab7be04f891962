// SPDX-License-Identifier: GPL-2.0
#include <linux/atomic.h>
#include <linux/debugfs.h>
#include <linux/seq_file.h>
#include "image.h"
#include "stamp.h"
#include "stats.h"

/* Some hundred events a second: not worth a row for each CPU. */
static atomic64_t stat[SLK_S_MAX];
static struct dentry *dir;

#define NAME(id, name) [SLK_S_##id] = name,
static const char *const names[SLK_S_MAX] = { SLK_STATS(NAME) };

void slk_stats_add(enum slk_stat which, u64 n)
{
	atomic64_add(n, &stat[which]);
}

void slk_stats_read(struct slk_info *info)
{
	int i;

	memset(info, 0, sizeof(*info));
	info->abi = SLK_ABI_VERSION;
	info->debug = IS_ENABLED(SLK_DEBUG);
	/* first what gives up, and counts it */
	info->pending = slk_stamp_pending();
	slk_image_usage(info);
	for (i = 0; i < SLK_S_MAX; i++)
		info->stat[i] = atomic64_read(&stat[i]);
}

static int stats_show(struct seq_file *file, void *unused)
{
	struct slk_info info;
	int i;

	slk_stats_read(&info);
	seq_printf(file, "abi %u\ndebug %u\npending %u\nimages %u\nimage_b %llu\n",
		   info.abi, info.debug, info.pending, info.images,
		   info.image_b);
	for (i = 0; i < SLK_S_MAX; i++)
		seq_printf(file, "%s %llu\n", names[i], info.stat[i]);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(stats);

int slk_stats_init(void)
{
	/* without debugfs the device tells the same */
	dir = debugfs_create_dir(SLK_MODULE, NULL);
	debugfs_create_file("stats", 0400, dir, NULL, &stats_fops);
	return 0;
}

void slk_stats_exit(void)
{
	debugfs_remove_recursive(dir);
}
