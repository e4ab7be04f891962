/* SPDX-License-Identifier: GPL-2.0 */
/* /dev/sealane: how the agent loads images, tells clocks and reads. */
#ifndef SLK_DEVICE_H
#define SLK_DEVICE_H

int slk_device_init(void);
void slk_device_exit(void);

#endif
