/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The program loaded as replay does, once, before the harness forks a process
 * for each test: on an old kernel and a slow machine the verifier takes many
 * seconds. A test begins with sl_dp_test_reset().
 */
#ifndef SL_TEST_ONCE_H
#define SL_TEST_ONCE_H

#include "datapath.h"
#include "kselftest_harness.h"

/* The harness gives a test 30 s; guests without hardware help are many
 * times slower than a host, and share it. */
#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT 120

/* One for all files of a program that is made of several (the guests'). */
__attribute__((weak)) struct sl_dp *loaded;
__attribute__((weak)) struct sl_config *loaded_cfg;
__attribute__((weak)) int loaded_rc;

static void __attribute__((constructor)) load_once(void)
{
	struct sl_dp_opts o = { .replay = true };

	if (loaded_cfg)
		return;
	o.cfg = loaded_cfg = sl_config_default();
	loaded_cfg->tables.flows = 1024;
	loaded_cfg->tables.series = 64;
	loaded_rc = sl_dp_open(&o, &loaded);
}

static void __attribute__((destructor)) unload(void)
{
	if (!loaded_cfg)
		return;
	sl_dp_close(loaded);
	sl_config_free(loaded_cfg);
	loaded_cfg = NULL;
}

#endif
