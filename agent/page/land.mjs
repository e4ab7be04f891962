// SPDX-License-Identifier: GPL-2.0
// Build time: Natural Earth's land as the map needs it. `world` is coarse and whole;
// `near` is finer and cut to the seas around South-East Asia.
//   node land.mjs WORLD-ATLAS-DIR OUT-DIR
import { readFileSync, writeFileSync } from "node:fs";
import { geoIdentity, geoStream } from "d3-geo";
import { feature } from "topojson-client";
import { NEAR } from "./near.js";

const ANTARCTICA_DEG = -60;

const land = (dir, name) => {
	const atlas = JSON.parse(readFileSync(`${dir}/${name}.json`, "utf8"));

	return feature(atlas, atlas.objects.land).features
		.flatMap((f) => f.geometry.coordinates);
};

// What is left of a polygon's rings within a box; planar, in degrees.
const cut = (rings, [west, south, east, north]) => {
	const out = [];
	const sink = {
		point: (x, y) => out.at(-1).push([x, y]),
		lineStart: () => out.push([]),
		lineEnd: () => out.at(-1).push(out.at(-1)[0]),
		polygonStart() {}, polygonEnd() {}, sphere() {},
	};

	geoStream({ type: "Polygon", coordinates: rings }, geoIdentity()
		.clipExtent([[west, south], [east, north]]).stream(sink));
	return out;
};

// Rounded, points that coincide then left out; rings of nothing as well.
const round = (rings, digits) => rings.map((ring) => ring
	.map((p) => p.map((v) => +v.toFixed(digits)))
	.filter((p, i, all) => !i || p[0] !== all[i - 1][0] ||
		p[1] !== all[i - 1][1]))
	.filter((ring) => ring.length > 3);

const write = (file, polygons) => writeFileSync(file, JSON.stringify({
	type: "MultiPolygon", coordinates: polygons.filter((rings) => rings.length) }));

const [dir, out] = process.argv.slice(2);

write(`${out}/world.json`, land(dir, "land-110m")
	.filter(([ring]) => ring.some(([, lat]) => lat > ANTARCTICA_DEG))
	.map((rings) => round(rings, 1)));
write(`${out}/near.json`, land(dir, "land-50m")
	.map((rings) => round(cut(rings, NEAR), 2)));
