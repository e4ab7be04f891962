/* SPDX-License-Identifier: GPL-2.0 */
/* Debug builds try themselves before they serve anybody. */
#ifndef SLK_SELFTEST_H
#define SLK_SELFTEST_H

#ifdef SLK_DEBUG
/* 0, or -EINVAL and the log says what failed. */
int slk_selftest(void);
#else
static inline int slk_selftest(void)
{
	return 0;
}
#endif

#endif
