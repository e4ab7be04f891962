// SPDX-License-Identifier: GPL-2.0
// Figures as a file, made here: nothing is asked of anybody for it.
import { el } from "./dom.js";

const NEWLINE = "\r\n";	// RFC 4180

const cell = (v) => {
	const text = v === null || v === undefined ? "" : String(v);
	// a spreadsheet takes a word that begins so for a formula
	const safe = /^[=+\-@\t\r]/.test(text) && isNaN(text) ? `'${text}` : text;

	return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
};

export const csv = (keys, rows) => [keys, ...rows.map((r) => keys.map((k) => r[k]))]
	.map((r) => r.map(cell).join(",")).join(NEWLINE) + NEWLINE;

export const download = (name, text) => {
	const url = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
	const link = el("a", { href: url, download: name });

	link.click();
	setTimeout(() => URL.revokeObjectURL(url), 10000);
};
