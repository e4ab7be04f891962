// SPDX-License-Identifier: GPL-2.0
// What needs no browser: parsing a stream, figures as text, files, axes, the map's
// middle. TAP; bundled by test_page.sh, since libraries are not found from here.
import assert from "node:assert";
import { csv } from "../../agent/page/csv.js";
import * as f from "../../agent/page/format.js";
import { columns, extent, ticks, upper_ms } from "../../agent/page/heat.js";
import { step } from "../../agent/page/lanes.js";
import { middle } from "../../agent/page/map.js";
import { Parser } from "../../agent/page/stream.js";

let n = 0, failed = false;
const ok = (sentence, check) => {
	n++;
	try {
		check();
		console.log(`ok ${n} - ${sentence}`);
	} catch (error) {
		failed = true;
		console.log(`not ok ${n} - ${sentence}\n# ${error.message.replaceAll("\n", "\n# ")}`);
	}
};

const STREAM = ": beat\r\n\r\nid: 7\nevent: event\ndata: {\"a\":1}\n\ndata: x\rdata: y\r\r" +
	"event: lanes\r\ndata:z\r\n\r\ndata: cut";
const EVENTS = [["event", "{\"a\":1}", "7"], ["message", "x\ny", "7"], ["lanes", "z", "7"]];

ok("a stream is the same wherever it is cut", () => {
	for (let a = 0; a <= STREAM.length; a++)
		for (let b = a; b <= STREAM.length; b++) {
			const got = [], p = new Parser((...e) => got.push(e));

			for (const part of [STREAM.slice(0, a), STREAM.slice(a, b), STREAM.slice(b)])
				p.feed(part);
			assert.deepEqual(got, EVENTS, `cut at ${a} and ${b}`);
		}
});
ok("round trips have three digits that count", () => assert.deepEqual(
	[36_240_000, 9_996_000, 999_600_000, 1_234_000_000, null].map(f.ms),
	["36.2\u00a0ms", "10.0\u00a0ms", "1,000\u00a0ms", "1,234\u00a0ms", "\u2013"]));
ok("rates have the prefix that fits", () => assert.deepEqual(
	[0, 950, 999_600, 4.1e9, null].map(f.bits),
	["0\u00a0bit/s", "950\u00a0bit/s", "1.00\u00a0Mbit/s", "4.10\u00a0Gbit/s", "\u2013"]));
ok("small losses are not zero", () => assert.deepEqual([0, 3, 35, 21_400, 1e6].map(f.share),
	["0\u00a0%", "0.0003\u00a0%", "0.0035\u00a0%", "2.14\u00a0%", "100\u00a0%"]));
ok("a file quotes what must be, and holds no formula", () => assert.equal(
	csv(["a", "b"], [{ a: "x,\"y\"", b: null }, { a: "=1+1", b: -3 }]),
	"a,b\r\n\"x,\"\"y\"\"\",\r\n'=1+1,-3\r\n"));
ok("buckets have schema 5's bounds", () => {
	assert.ok(Math.abs(upper_ms(0) - 1000) < 1e-9);
	assert.ok(Math.abs(upper_ms(-160) - 31.25) < 1e-9);
});
ok("a step that is missing is a gap", () => assert.deepEqual(columns(
	[{ time: "2026-01-01T00:00:00Z", v: 1e6 }, { time: "2026-01-01T00:01:00Z", v: 2e6 },
		{ time: "2026-01-01T00:05:00Z", v: null }], ["v"], 60)[1], [1, 2, null, null]));
ok("one odd sample of thousands does not squeeze the axis", () => {
	const heat = [[-150, 5000], [0, 1]];	// 39 ms, and 1 s once
	const [low, high] = extent([{ heat, p5_ns: 38e6, p50_ns: 38.5e6, p95_ns: 39e6,
		p99_ns: 39e6 }], 30e6);

	assert.ok(low < 30 && high < 100, `${low} to ${high}`);
});
ok("axes have some ticks, within", () => {
	for (const [low, high] of [[36, 37], [34, 52], [20, 200], [1, 1000], [0.02, 9000]]) {
		const at = ticks(low, high);

		assert.ok(at.length >= 3 && at.length <= 20, `${low}..${high}: ${at}`);
		assert.ok(at.every((v) => v >= low * 0.999 && v <= high * 1.001), `${at}`);
	}
});
ok("colours change at their bounds", () => assert.deepEqual(
	[1, 1.5, 1.51, 5, 5.1, null].map(step), [0, 0, 1, 3, 4, null]));
ok("the map's middle is between the outer lanes, over the Pacific too", () => {
	for (const [home, lons, want] of [[110, [104, 122], 113], [110, [-118], 176],
		[110, [-118, 0], 120.99], [170, [-170], 180], [110, [], 110]])
		assert.ok(Math.abs(Math.cos((middle(home, lons) - want) * Math.PI / 180) - 1) < 1e-3,
			`${home}, ${lons}: ${middle(home, lons)}`);
});
console.log(`1..${n}`);
process.exit(failed ? 1 : 0);
