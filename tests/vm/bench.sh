#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# `make bench-vm`: what one IPv6 lookup costs by the kernel's LPM_TRIE, by the
# product's reader in BPF and by the module's kfunc: instructions in a guest whose
# clock counts them, and times in one without. A table, and build/bench-vm.json.
set -eu
cd "$(dirname "$0")/../.."
BUILD=${BUILD:-build}
VM_SERIES=${VM_SERIES:-6.1 6.12}
out=$BUILD/vm/bench
rm -rf "$out"

run() { # SERIES NAME
	if ! tests/vm/boot.sh "$dir" "$out/$1.cpio" "$out/$1-$2" 300 \
		jobs=lookup >&2 || ! grep -q '^== end lookup 0' \
		"$out/$1-$2.results"; then
		cat "$out/$1-$2.results" "$out/$1-$2.console" >&2
		exit 1
	fi
	grep '^{' "$out/$1-$2.results" | sed "s/^{/{\"clock\":\"$2\",/" \
		>>"$out/lines"
}

# one guest at a time: its times are its own
for series in $VM_SERIES; do
	dir=$(tests/vm/image.sh kernel "$series")
	mkdir -p "$out/$series"
	cp "$BUILD"/vm/bin/{time_lookup,lookup.bpf.o} tests/vm/guest/{lookup,net}.sh \
		"$BUILD/kmod/$(cat "$dir/release")/sealane.ko" "$out/$series"
	tests/vm/image.sh initramfs "$series" "$out/$series" "$out/$series.cpio"
	VM_ICOUNT=1 run "$series" instructions
	run "$series" ns
	rm -rf "$out/$series" "$out/$series.cpio"
done
python3 - "$out/lines" "$BUILD/bench-vm.json" <<'END'
import json, sys
SUBJECTS = {"by_lpm": "LPM_TRIE", "by_bpf": "BPF", "by_kfunc": "kfunc"}
rows, table = [], {}
for line in open(sys.argv[1]):
    d = json.loads(line)
    subject = SUBJECTS[d["lookup"]]
    rows.append({"id": "v6_20k", "kernel": d["kernel"], "subject": subject,
                 "unit": d["clock"], "value": d["ns"], "empty": d["empty_ns"]})
    table.setdefault((d["kernel"], subject), {})[d["clock"]] = d["ns"]
with open(sys.argv[2], "w") as f:
    json.dump({"schema": "sealane-bench-vm/1", "rows": rows}, f, indent=1)
    f.write("\n")
print("| kernel | one IPv6 lookup by | instructions | of BPF's | ns, emulated |")
print("| --- | --- | --- | --- | --- |")
for (kernel, subject), v in table.items():
    print("| %s | %s | %d | %.2f | %d |" % (kernel, subject, v["instructions"],
          v["instructions"] / table[kernel, "BPF"]["instructions"], v["ns"]))
END
