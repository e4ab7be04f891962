// SPDX-License-Identifier: GPL-2.0
/* Faults on purpose, for `make vm-check-debug`: it must see each of them, or its
 * silence about the rest says nothing. Only in a module built for that
 * (SEALANE_PLANT): a word written to /sys/module/sealane/parameters/plant
 * commits one.
 */
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>

#define PLANT_B 64	/* a size class of its own: a byte past it is nobody's */

static DEFINE_SPINLOCK(first);
static DEFINE_SPINLOCK(second);
static DEFINE_MUTEX(sleeper);
static volatile int sink;

static char *get(void)
{
	char *p = kzalloc(PLANT_B, GFP_KERNEL);

	/* so that the compiler does not see through what follows */
	OPTIMIZER_HIDE_VAR(p);
	return p;
}

static void plant_oob(void)
{
	char *p = get();

	if (!p)
		return;
	sink = p[PLANT_B];
	kfree(p);
}

static void plant_uaf(void)
{
	char *p = get(), *q = p;

	if (!p)
		return;
	OPTIMIZER_HIDE_VAR(q);
	kfree(p);
	sink = q[0];
}

/* Some of them: of the last a pointer may be left on a stack. */
static void plant_leak(void)
{
	int i;

	for (i = 0; i < 8; i++)
		sink = !get();
}

/* Two locks, once this way round and once that. */
static void plant_lock(void)
{
	spin_lock(&first);
	spin_lock(&second);
	spin_unlock(&second);
	spin_unlock(&first);
	spin_lock(&second);
	spin_lock(&first);
	spin_unlock(&first);
	spin_unlock(&second);
}

static void plant_sleep(void)
{
	spin_lock(&first);
	mutex_lock(&sleeper);
	mutex_unlock(&sleeper);
	spin_unlock(&first);
}

static void plant_shift(void)
{
	int bits = 40;

	OPTIMIZER_HIDE_VAR(bits);
	sink = 1 << bits;
}

static const struct {
	const char *word;
	void (*commit)(void);
} plants[] = {
	{ "oob", plant_oob }, { "uaf", plant_uaf }, { "leak", plant_leak },
	{ "lock", plant_lock }, { "sleep", plant_sleep },
	{ "shift", plant_shift },
};

static int plant_set(const char *word, const struct kernel_param *param)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(plants); i++) {
		if (!sysfs_streq(word, plants[i].word))
			continue;
		plants[i].commit();
		return 0;
	}
	return -EINVAL;
}

static const struct kernel_param_ops plant_ops = { .set = plant_set };

module_param_cb(plant, &plant_ops, NULL, 0200);
MODULE_PARM_DESC(plant, "commit a fault: oob, uaf, leak, lock, sleep, shift");
