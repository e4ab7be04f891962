// SPDX-License-Identifier: GPL-2.0
/* The gateway's stopwatch: docs/residence.md, docs/kmod.md. */
#include <linux/init.h>
#include <linux/module.h>
#include "device.h"
#include "image.h"
#include "kfuncs.h"
#include "nic.h"
#include "selftest.h"
#include "series.h"
#include "stamp.h"
#include "stats.h"

static int __init sealane_init(void)
{
	int rc;

	rc = slk_selftest();
	if (rc)
		return rc;
	rc = slk_series_init();
	if (rc)
		return rc;
	rc = slk_nic_init();
	if (rc)
		goto no_nic;
	rc = slk_stamp_init();
	if (rc)
		goto no_stamp;
	rc = slk_stats_init();
	if (rc)
		goto no_stats;
	rc = slk_kfuncs_init();
	if (rc)
		goto no_kfuncs;
	rc = slk_device_init();
	if (rc)
		goto no_kfuncs;
	pr_info("sealane: " SL_VERSION " loaded\n");
	return 0;

no_kfuncs:
	slk_stats_exit();
no_stats:
	slk_stamp_exit();
no_stamp:
	slk_nic_exit();
no_nic:
	slk_series_exit();
	return rc;
}

static void __exit sealane_exit(void)
{
	slk_device_exit();
	slk_stats_exit();
	slk_stamp_exit();
	slk_nic_exit();
	slk_image_unload_all();
	slk_series_exit();
	pr_info("sealane: unloaded\n");
}

module_init(sealane_init);
module_exit(sealane_exit);
MODULE_AUTHOR("Sealane");
MODULE_DESCRIPTION("Residence time of forwarded packets and IPv6 lookup for Sealane");
MODULE_LICENSE("GPL");
MODULE_VERSION(SL_VERSION);
