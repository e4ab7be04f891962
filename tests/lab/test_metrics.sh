#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# /metrics as Debian's Prometheus scrapes it: one with native histograms, one with
# classic ones, both on the gateway's loopback. What they say afterwards is held
# against `sealane latency` and `status` over the same traffic, which begins behind
# their first scrape and ends before their last one.
set -u
LAB_DIR=$(mktemp -d /tmp/sealane-metrics.XXXXXX)
export LAB_DIR
export SITES="SG:10:36:2:2900:jitter=5ms HK:15:12:1:650:jitter=2ms"
# shellcheck source=tests/lab/common.sh
. "$(dirname "$0")/common.sh"
# shellcheck source=tests/lab/tap.sh
. "$(dirname "$0")/tap.sh"

METRICS_PORT=9478 NATIVE_PORT=19090 CLASSIC_PORT=19091
protobuf="application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"

get() { # CURL-WORDS...: /metrics over TCP
	in_ns gw curl -sS -m 5 "$@" "http://127.0.0.1:$METRICS_PORT/metrics"
}
type_of() { # CURL-WORDS...: Content-Type and Content-Encoding
	get -o /dev/null -D - "$@" | tr -d '\r' |
		sed -nE 's/^Content-(Type|Encoding): //p' | paste -sd' '
}
has_type() { # WANTED CURL-WORDS...
	local want=$1
	shift
	echo "$(type_of "$@")"
	[ "$(type_of "$@")" = "$want" ]
}
clean() { # promtool's lint of the text, no word
	get >"$LAB_DIR/text" && promtool check metrics <"$LAB_DIR/text" \
		>"$LAB_DIR/lint" 2>&1 && cat "$LAB_DIR/lint" &&
		[ ! -s "$LAB_DIR/lint" ]
}
unzips() {
	get -H 'Accept-Encoding: gzip' | gunzip | head -1 | grep '^# HELP'
}
prom() { # native|classic COMMAND...: of prom.py
	local port=$NATIVE_PORT
	[ "$1" = native ] || port=$CLASSIC_PORT
	in_ns gw /usr/bin/python3 "$TOP/tests/lab/prom.py" "$port" "$1" \
		"$LAB_DIR" "${@:2}"
}
prometheus_start() { # native|classic PORT WORDS...
	local dir=$LAB_DIR/prom-$1
	mkdir -p "$dir"
	cp "$TOP"/dist/prometheus/sealane*.yml "$dir"
	{
		echo "global: {scrape_interval: 2s, evaluation_interval: 2s}"
		echo "rule_files: [sealane.rules.yml, sealane-$1.rules.yml," \
			"sealane.alerts.yml]"
		echo "scrape_configs:"
		echo "  - job_name: sealane"
		echo "    static_configs: [{targets: ['127.0.0.1:$METRICS_PORT']}]"
	} >"$dir/prometheus.yml"
	in_ns_bg gw prometheus --config.file="$dir/prometheus.yml" \
		--storage.tsdb.path="$dir/data" --log.level=warn \
		--web.listen-address="127.0.0.1:$2" "${@:3}" \
		>"$dir/log" 2>&1 &
	work+=($!)
}

lab up || bail "the lab did not come up"
sed -i '/name: SG/ s/cable_km/budgets: ["p99 <= 1s over 1m"], cable_km/' \
	"$LAB_DIR/sealane.yaml"
echo "listen: [{address: \"127.0.0.1:$METRICS_PORT\"}]" >>"$LAB_DIR/sealane.yaml"
agent_start || { sed 's/^/# /' "$LAB_DIR/agent.log"; bail "no agent"; }
get >/dev/null || bail "the agent does not listen"

# Every series must be there before the first scrape: what a counter starts at is
# not counted.
lab traffic 3
prometheus_start native $NATIVE_PORT --enable-feature=native-histograms
prometheus_start classic $CLASSIC_PORT
ok "without a wish it is text" has_type "text/plain; version=0.0.4; charset=utf-8"
ok "OpenMetrics where it is asked for" has_type \
	"application/openmetrics-text; version=1.0.0; charset=utf-8" \
	-H 'Accept: application/openmetrics-text;version=1.0.0'
ok "protobuf where it is liked better, gzipped" has_type \
	"application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited gzip" \
	-H "Accept: text/plain;q=0.4,$protobuf" -H 'Accept-Encoding: gzip'
ok "text where that is liked better" has_type \
	"text/plain; version=0.0.4; charset=utf-8" \
	-H "Accept: text/plain,$protobuf;q=0.9"
ok "the text unzips" unzips
ok "promtool finds nothing to say of the text" clean

ok "both servers have scraped" wait_until 30 eval \
	"prom native scraped && prom classic scraped"
sleep 2.2	# the agent has collected what came before
prom native mark before && prom classic mark before
since=$(date -u +%Y-%m-%dT%H:%M:%S.%NZ)
# enough samples that a p99 is not the greatest of them, beyond which latency never
# goes and a server that knows buckets alone may
for lane in SG HK; do
	in_ns home ping -q -i 0.01 -w 8 "$(site_v4 $lane)" >/dev/null &
	work+=($!)
done
lab traffic 8
# a rule that counts and one that drops, for their counters
cat >"$LAB_DIR/rules.yaml" <<-'RULES'
	rules:
	- {id: "count-dns", match: {proto: udp, dport: ["53"]}, action: count}
	- {id: drop-9, match: {proto: udp, dport: ["9"]}, action: drop, tag: lab}
RULES
ok "rules are applied" sealane rule apply "$LAB_DIR/rules.yaml"
in_ns home bash -c "for i in {1..30}; do echo x >/dev/udp/$(site_v4 SG)/9; done"
sleep 2.2	# collected, and no packet on its way
until=$(date -u +%Y-%m-%dT%H:%M:%S.%NZ)
sealane -j latency --half far --by lane --since "$since" --until "$until" \
	>"$LAB_DIR/latency.json"
sealane -j latency --half far --by lane,path,method --since "$since" \
	--until "$until" >"$LAB_DIR/series.json"
sealane -j status >"$LAB_DIR/status.json"
sealane -j rule ls >"$LAB_DIR/rules.json"
ok "both servers have scraped again" eval \
	"prom native wait_scrape && prom classic wait_scrape"
prom native mark after && prom classic mark after
sealane -j status >"$LAB_DIR/status2.json"

ok "native: p50, p90 and p99 of each lane are latency's, within 1.1 %" \
	prom native quantiles
sed 's/^/# /' "$LAB_DIR/out"
ok "native: so many samples in each series, exactly" prom native samples
ok "classic: p99 of each lane is in the bucket of latency's" \
	prom classic quantiles
sed 's/^/# /' "$LAB_DIR/out"
ok "classic: so many samples in each series, exactly" prom classic samples
# what is of the last ten seconds wants traffic
lab traffic 6 &
work+=($!)
sleep 4
for kind in native classic; do
	ok "$kind: exits are status', to the packet" prom $kind exits
	ok "$kind: so are the rules' counters" prom $kind rules
	ok "$kind: every record has a value" prom $kind records \
		"$LAB_DIR/prom-$kind/sealane.rules.yml" \
		"$LAB_DIR/prom-$kind/sealane-$kind.rules.yml"
	ok "$kind: the dashboard's questions are answered" prom $kind dashboard \
		"$TOP/dist/grafana/sealane-$kind.json"
done

# --- counters over a restart ---
agent_kill KILL
agent_start || bail "the agent does not come back"
sleep 2
ok "the agent may die: no counter of the data plane was reset" eval \
	"prom native wait_scrape && prom native no_resets"

# --- more rules than are told one by one ---
many_rules() {
	echo "rules:"
	for i in $(seq 510); do
		echo "- {id: r-$i, match: {proto: udp, dport: [\"$((20000 + i))\"]}, action: count}"
	done
}
told() { # RULE-LABELS VALUE
	get >"$LAB_DIR/text"
	grep '"other"\|untold' "$LAB_DIR/text"
	grep -qxF "sealane_rule_packets_total{owner=\"file\",$1} $2" "$LAB_DIR/text"
}
many_rules >"$LAB_DIR/many.yaml"
sealane rule apply "$LAB_DIR/many.yaml" >/dev/null || bail "510 rules are refused"
get >/dev/null
for port in 20007 20505 20506; do
	in_ns home bash -c "for i in {1..7}; do echo x >/dev/udp/$(site_v4 HK)/$port; done"
done
ok "rule 7 of 510 has its own counter" told 'rule="r-7",action="count",tag=""' 7
ok "those of rules 505 and 506 are one" told 'rule="other",action="",tag=""' 14
ok "ten of the file and the guards are untold" grep -q \
	'^sealane_rules_untold 1[1-9]$' "$LAB_DIR/text"
ok "promtool has nothing to say of that either" clean
tap_end
