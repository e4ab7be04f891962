// SPDX-License-Identifier: GPL-2.0
// West, south, east, north in degrees of what near.json has finer: land.mjs cuts it so,
// and map.js takes it for views that lie within. Beyond 180 it goes on.
export const NEAR = [40, -50, 200, 66];
