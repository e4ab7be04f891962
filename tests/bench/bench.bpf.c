// SPDX-License-Identifier: GPL-2.0
/* The very same pipeline behind a stream of packets, and its empty twins. */
#include "../../bpf/sealane.bpf.c"
#include "step.bpf.h"

SEC("xdp")
int ignored(struct xdp_md *ctx)
{
	return step4(ctx) ? XDP_ABORTED : handle(ctx);
}

SEC("xdp")
int empty4(struct xdp_md *ctx)
{
	return step4(ctx) ? XDP_ABORTED : XDP_PASS;
}

SEC("xdp")
int tracked(struct xdp_md *ctx)
{
	return step_tcp(ctx) ? XDP_ABORTED : handle(ctx);
}

SEC("xdp")
int empty_tcp(struct xdp_md *ctx)
{
	return step_tcp(ctx) ? XDP_ABORTED : XDP_PASS;
}

SEC("xdp")
int ignored6(struct xdp_md *ctx)
{
	return step6(ctx) ? XDP_ABORTED : handle(ctx);
}

SEC("xdp")
int empty6(struct xdp_md *ctx)
{
	return step6(ctx) ? XDP_ABORTED : XDP_PASS;
}

/* Only the lookup of the remote address. */
SEC("xdp")
int only_lookup6(struct xdp_md *ctx)
{
	const struct bench_step *s = next_step();

	(void)ctx;
	if (!s || !control())
		return XDP_ABORTED;
	return sl_lookup6(control()->epoch & 1, pair(s->dst),
			  pair(s->dst + 2)) ? XDP_PASS : XDP_ABORTED;
}

SEC("xdp")
int empty_lookup(struct xdp_md *ctx)
{
	const struct bench_step *s = next_step();

	(void)ctx;
	return s && s->dst[0] ? XDP_PASS : XDP_ABORTED;
}

/* Traffic control: a packet that enters and is not chosen (or seldom), one that
 * leaves without a number, and one that is chosen and timed on its way. */
SEC("tc")
int enters(struct __sk_buff *skb)
{
	arrive(skb);
	return 0;
}

SEC("tc")
int goes(struct __sk_buff *skb)
{
	go(skb);
	return 0;
}

SEC("tc")
int passes(struct __sk_buff *skb)
{
	struct sl_chooser *c = chooser();
	const struct sl_ctl *ctl = control();

	if (!c || !ctl)
		return 2;
	c->taken = 0;
	depart(skb, ctl, c);
	leaves(skb, c);
	return 0;
}

SEC("tc")
int empty_tc(struct __sk_buff *skb)
{
	return skb->tc_index ? 2 : 0;
}
