// SPDX-License-Identifier: GPL-2.0
// West, south, east, north in degrees of what near.json has finer: land.mjs cuts it so,
// and map.js takes it for views that lie within.
export const NEAR = [44, -50, 180, 66];
