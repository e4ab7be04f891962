// SPDX-License-Identifier: GPL-2.0
#include "cli.h"
int cmd_doctor(struct cli *cli, int argc, char **argv)
{ (void)argc;(void)argv; return cli_usage(cli, "x"); }
