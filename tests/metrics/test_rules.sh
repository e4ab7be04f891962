#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Rules, alerts and dashboards in dist: promtool parses every question in them, the
# alerts fire when they shall and not else.
set -u
cd "$(dirname "$0")/../.." || exit 1
dir=$(mktemp -d /tmp/sealane-rules.XXXXXX)
trap 'rm -rf "$dir"' EXIT
n=0 failed=0
ok() { # SENTENCE COMMAND...
	local what=$1
	shift
	n=$((n + 1))
	if "$@" >"$dir/out" 2>&1; then
		echo "ok $n - $what"
	else
		echo "not ok $n - $what"
		tail -20 "$dir/out" | cut -c1-400 | sed 's/^/# /'
		failed=1
	fi
}

# The questions of a dashboard as a file of rules, for promtool.
questions() { # FILE.json
	/usr/bin/python3 - "$1" "$dir/rules.json" <<-'EOF' &&
		import json, re, sys
		board = json.load(open(sys.argv[1]))
		exprs = [t["expr"] for p in board["panels"]
		         for t in p.get("targets", [])]
		exprs += [a["expr"] for a in board["annotations"]["list"]]
		rules = []
		for i, e in enumerate(exprs):
		    e = e.replace("$__rate_interval", "1m")
		    e = re.sub(r"\$(instance|lane|path|half)\b", "x", e)
		    assert "$" not in e, e
		    rules.append({"record": "question:%d" % i, "expr": e})
		ids = [p["id"] for p in board["panels"]]
		assert len(ids) == len(set(ids)) and len(exprs) > 60
		# JSON is YAML
		json.dump({"groups": [{"name": "g", "rules": rules}]},
		          open(sys.argv[2], "w"))
	EOF
		promtool check rules "$dir/rules.json"
}

# Every metric that rules and dashboards ask for is one that the agent has.
known() {
	local m bad=0
	for m in $(grep -ohE '\b(sealane|process)_[a-z0-9_]+' \
		dist/prometheus/*.yml dist/grafana/*.json | sort -u); do
		case $m in
		*_5m|*sealane_rtt_samples|*sealane_bits|*sealane_packets| \
		*sealane_dropped_packets|*sealane_tcp_retransmitted| \
		*sealane_tcp_syns_unanswered|*sealane_table_used) continue ;;
		esac
		m=${m%_bucket}
		m=${m%_count}
		grep -q "\"$m\"" agent/metrics*.c || { echo "no $m"; bad=1; }
	done
	return $bad
}

# ... and told in docs/metrics.md, as all of them are.
documented() {
	local m bad=0
	for m in $(grep -ohE '"(sealane|process)_[a-z0-9_]+"' agent/metrics*.c |
		tr -d '"' | sort -u); do
		grep -q "\`$m" docs/metrics.md || { echo "no $m"; bad=1; }
	done
	return $bad
}

# Both variants record the same names.
same_records() {
	diff <(grep -oE 'record: .*' dist/prometheus/sealane-native.rules.yml) \
		<(grep -oE 'record: .*' dist/prometheus/sealane-classic.rules.yml)
}

# The example, with files that are there.
example() {
	cp dist/prometheus/*.yml "$dir"
	touch "$dir/token" "$dir/ca.pem"
	sed "s|/etc/prometheus/sealane.token|$dir/token|
		s|/etc/prometheus/sealane-ca.pem|$dir/ca.pem|" \
		dist/prometheus/prometheus.yml.example >"$dir/prometheus.yml"
	promtool check config "$dir/prometheus.yml"
}

ok "promtool takes the rules" promtool check rules dist/prometheus/*.yml
ok "... and the example configuration" example
ok "the native and the classic rules record the same" same_records
ok "each alert fires for who is ill, for nobody else, and ends" \
	promtool test rules tests/metrics/alerts_test.yml
ok "the dashboards are what dashboards.py makes" \
	dist/grafana/dashboards.py --check
for kind in native classic; do
	ok "promtool parses every question of the $kind dashboard" \
		questions dist/grafana/sealane-$kind.json
done
ok "all ask for metrics that there are" known
ok "every metric is in docs/metrics.md" documented
echo "1..$n"
exit $failed
