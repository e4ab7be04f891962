// SPDX-License-Identifier: GPL-2.0
// Build time: Natural Earth's land as the map needs it. `world` is coarse and whole;
// `near` is finer and cut to the seas around South-East Asia.
//   node land.mjs WORLD-ATLAS-DIR OUT-DIR
import { readFileSync, writeFileSync } from "node:fs";
import { geoArea, geoIdentity, geoStream } from "d3-geo";
import { feature } from "topojson-client";
import { NEAR } from "./near.js";

const ANTARCTICA_DEG = -60;

// Polygons, without Antarctica.
const land = (dir, name) => {
	const atlas = JSON.parse(readFileSync(`${dir}/${name}.json`, "utf8"));

	return feature(atlas, atlas.objects.land).features
		.flatMap((f) => f.geometry.coordinates)
		.filter(([ring]) => ring.some(([, lat]) => lat > ANTARCTICA_DEG));
};

// Longitudes that go on beyond 180 degrees instead of beginning anew at -180: on the
// plane an island on that meridian is no belt around the globe then. The middle is kept
// between -180 and 180, so that a lake stays in its land.
const unwind = (ring) => {
	let turn = 0;

	const out = ring.map(([lon, lat], i) => {
		const step = i ? lon - ring[i - 1][0] : 0;

		turn += step > 180 ? -360 : step < -180 ? 360 : 0;
		return [lon + turn, lat];
	});
	const middle = out.reduce((sum, [lon]) => sum + lon, 0) / out.length;

	return out.map(([lon, lat]) => [lon - 360 * Math.round(middle / 360), lat]);
};
const turned = (ring) => ring.map(([lon, lat]) => [lon + 360, lat]);

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

// Of a ring on the plane, in square degrees.
const area = (ring) => Math.abs(ring.slice(1).reduce((sum, [x, y], i) =>
	sum + (ring[i][0] * y - x * ring[i][1]) / 2, 0));

// Rounded, points that coincide then left out. So are rings of hardly any area: what
// rounding turned around would be all of the globe but itself.
const round = (rings, digits) => rings.map((ring) => ring
	.map((p) => p.map((v) => +v.toFixed(digits)))
	.filter((p, i, all) => !i || p[0] !== all[i - 1][0] ||
		p[1] !== all[i - 1][1]))
	.filter((ring) => ring.length > 3 && area(ring) > 3 * 10 ** (-2 * digits));

const write = (file, polygons) => {
	const coordinates = polygons.filter((rings) => rings.length);

	for (const rings of coordinates)
		if (geoArea({ type: "Polygon", coordinates: rings }) > 2 * Math.PI)
			throw new Error(`${file}: land at ${rings[0][0]} is inside out`);
	writeFileSync(file, JSON.stringify({ type: "MultiPolygon", coordinates }));
};

const [dir, out] = process.argv.slice(2);

write(`${out}/world.json`, land(dir, "land-110m")
	.map((rings) => round(rings, 1)));
write(`${out}/near.json`, land(dir, "land-50m")
	.map((rings) => rings.map(unwind))
	.flatMap((rings) => [rings, rings.map(turned)])
	.map((rings) => round(cut(rings, NEAR), 2)));
