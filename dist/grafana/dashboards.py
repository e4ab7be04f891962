#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The two dashboards from one description: dashboards.py [--check].

sealane-native.json reads native histograms, sealane-classic.json classic ones; all
else is the same. Written for Grafana 9.4 and later (native histograms in heat maps
from 10.2 on). --check fails where the files are not what this makes."""
import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
WHERE = 'instance=~"$instance"'
LANE = WHERE + ',lane=~"$lane"'
PATH = LANE + ',path=~"$path"'
RATE = "$__rate_interval"


class Board:
    def __init__(self, native):
        self.native = native
        self.panels = []
        self.y = self.x = self.tall = 0

    # --- questions ---
    def quantile(self, q, by, labels, name="sealane_rtt_seconds",
                 span=RATE):
        """Of histograms, merged but for `by`."""
        if self.native:
            return "histogram_quantile(%s, sum by (%s) (rate(%s{%s}[%s])))" % (
                q, by, name, labels, span)
        return ("histogram_quantile(%s, sum by (%s) (rate(%s_bucket{%s}[%s])))"
                % (q, ", ".join(w for w in (by, "le") if w), name, labels,
                   span))

    def samples(self, by, labels, name="sealane_rtt_seconds"):
        if self.native:
            return "histogram_count(sum by (%s) (rate(%s{%s}[%s])))" % (
                by, name, labels, RATE)
        return "sum by (%s) (rate(%s_count{%s}[%s]))" % (by, name, labels,
                                                         RATE)

    # --- panels ---
    def place(self, w, h):
        if self.x + w > 24:
            self.x, self.y, self.tall = 0, self.y + self.tall, 0
        at = {"x": self.x, "y": self.y, "w": w, "h": h}
        self.x += w
        self.tall = max(self.tall, h)
        return at

    def row(self, title):
        self.x, self.y, self.tall = 0, self.y + self.tall, 0
        self.panels.append({"type": "row", "title": title, "collapsed": False,
                            "id": len(self.panels) + 1, "panels": [],
                            "gridPos": self.place(24, 1)})

    def panel(self, kind, title, targets, w=8, h=8, unit="short", text="",
              defaults=None, **more):
        """targets: (question, legend)."""
        fields = {"unit": unit, "custom": {}}
        fields.update(defaults or {})
        p = {"type": kind, "title": title, "id": len(self.panels) + 1,
             "description": text, "gridPos": self.place(w, h),
             "datasource": {"type": "prometheus", "uid": "${datasource}"},
             "fieldConfig": {"defaults": fields, "overrides": []},
             "options": {}, "targets": []}
        for i, (expr, legend) in enumerate(targets):
            p["targets"].append({
                "refId": "ABCDEFGHIJ"[i], "expr": expr,
                "legendFormat": legend, "range": True, "instant": False,
                "datasource": p["datasource"]})
        for key, value in more.items():
            p[key] = value
        self.panels.append(p)
        return p

    def series(self, title, targets, **more):
        p = self.panel("timeseries", title, targets, **more)
        p["options"] = {"tooltip": {"mode": "multi", "sort": "desc"},
                        "legend": {"displayMode": "list", "placement": "bottom"}}
        p["fieldConfig"]["defaults"]["custom"].update(
            {"lineWidth": 1, "fillOpacity": 0, "showPoints": "never"})
        return p

    def stat(self, title, expr, good, bad, w=3, **more):
        """A figure that is green up to `good`, red from `bad` on."""
        steps = [{"color": "green", "value": None}]
        if bad != good:
            steps.append({"color": "orange", "value": good})
        steps.append({"color": "red", "value": bad})
        p = self.panel("stat", title, [(expr, "")], w=w, h=4, defaults={
            "thresholds": {"mode": "absolute", "steps": steps}}, **more)
        p["options"] = {"colorMode": "background", "graphMode": "area",
                        "reduceOptions": {"calcs": ["lastNotNull"]}}
        return p

    def heat(self, title, name, labels, **more):
        if self.native:
            expr, fmt = "sum(rate(%s{%s}[%s]))" % (name, labels, RATE), "heatmap"
        else:
            expr, fmt = ("sum by (le) (increase(%s_bucket{%s}[%s]))" % (
                name, labels, RATE), "heatmap")
        p = self.panel("heatmap", title, [(expr, "{{le}}")], **more)
        p["targets"][0]["format"] = fmt
        p["options"] = {"calculate": False, "cellGap": 0,
                        "color": {"mode": "scheme", "scheme": "Spectral",
                                  "exponent": 0.5, "steps": 64,
                                  "reverse": True},
                        "yAxis": {"unit": "s"}, "tooltip": {"show": True},
                        "filterValues": {"le": 1e-9}}
        return p

    def table(self, title, columns, by, **more):
        """columns: (name, question, unit); rows by the labels `by`."""
        p = self.panel("table", title, [(q, n) for n, q, _ in columns], **more)
        for t, _ in zip(p["targets"], columns):
            t.update({"format": "table", "instant": True, "range": False})
        names = {"Value #" + t["refId"]: c[0]
                 for t, c in zip(p["targets"], columns)}
        p["transformations"] = [
            {"id": "merge", "options": {}},
            {"id": "organize", "options": {
                "excludeByName": {"Time": True},
                "indexByName": {l: i for i, l in enumerate(by)},
                "renameByName": names}}]
        p["fieldConfig"]["overrides"] = [
            {"matcher": {"id": "byName", "options": n},
             "properties": [{"id": "unit", "value": u}]}
            for n, _, u in columns]
        return p


def health(b):
    b.row("Health")
    b.stat("Agents down", 'count(up{job="sealane",%s} == 0) or vector(0)' % WHERE,
           1, 1)
    b.stat("Bypass", "sum(sealane_bypass{%s})" % WHERE, 1, 1,
           text="Everything passes, nothing is measured.")
    b.stat("Interfaces without program",
           "sum(1 - sealane_interface_attached{%s})" % WHERE, 1, 1)
    b.stat("Budgets broken", "sum(sealane_budget_broken{%s}) or vector(0)" % LANE,
           1, 1)
    b.stat("Path changes, 24 h",
           "sum(increase(sealane_path_changes_total{%s}[24h])) or vector(0)"
           % PATH, 1, 5)
    b.stat("Commits waiting", "sum(sealane_commit_pending{%s})" % WHERE, 1, 2,
           text="They undo themselves unless somebody confirms them.")
    b.stat("Packets dropped", 'sum(rate(sealane_packets_total{verdict="drop",%s}'
           "[%s]))" % (WHERE, RATE), 1000, 100000, unit="pps")
    b.stat("Generation", "max(sealane_generation{%s})" % WHERE, 1e12, 1e12)


def lanes(b):
    far = LANE + ',half="far"'
    b.row("Lanes")
    b.table("Lanes, far half", [
        ("p50", b.quantile(0.5, "instance, lane", far, span="5m"), "s"),
        ("p95", b.quantile(0.95, "instance, lane", far, span="5m"), "s"),
        ("p99", b.quantile(0.99, "instance, lane", far, span="5m"), "s"),
        ("floor", "max by (instance, lane) (sealane_lane_floor_seconds{%s})"
         % LANE, "s"),
        ("stretch", "max by (instance, lane) (sealane_path_stretch_ratio{%s})"
         % PATH, "short"),
        ("traffic", "sum by (instance, lane) (8 * rate(sealane_lane_bytes_total"
         "{%s}[%s]))" % (PATH, RATE), "bps"),
        ("retransmitted", "sum by (instance, lane) (rate("
         "sealane_tcp_retransmitted_segments_total{%s}[%s])) / sum by "
         "(instance, lane) (rate(sealane_tcp_data_segments_total{%s}[%s]))"
         % (PATH, RATE, PATH, RATE), "percentunit"),
        ("samples/s", b.samples("instance, lane", far), "short")],
        ["instance", "lane"], w=24, h=9,
        text="The half between gateway and remote end, our own queue in it.")
    for q in ("0.5", "0.95", "0.99"):
        b.series("p%s by lane" % q[2:].ljust(2, "0"), [
            (b.quantile(q, "instance, lane", far), "{{instance}} {{lane}}")],
            unit="s")
    b.heat("Round trips ($half)", "sealane_rtt_seconds",
           PATH + ',half=~"$half"', w=24, h=10,
           text="All chosen lanes and paths together: choose one to see its "
                "cable.")


def paths(b):
    far = PATH + ',half="far"'
    b.row("Paths and cables")
    b.series("p50 and p95 by path", [
        (b.quantile(0.5, "instance, lane, path", far),
         "{{instance}} {{lane}} {{path}} p50"),
        (b.quantile(0.95, "instance, lane, path", far),
         "{{instance}} {{lane}} {{path}} p95")], unit="s", w=12)
    b.series("Low quantile against its usual value", [
        ("sealane_path_p5_rtt_seconds{%s}" % PATH,
         "{{instance}} {{lane}} {{path}} p5"),
        ("sealane_path_baseline_rtt_seconds{%s}" % PATH,
         "{{instance}} {{lane}} {{path}} usual"),
        ("sealane_lane_floor_seconds{%s}" % LANE,
         "{{instance}} {{lane}} floor")], unit="s", w=12,
        text="A step that stays is another way: `sealane events` names it.")
    b.series("Stretch", [("sealane_path_stretch_ratio{%s}" % PATH,
                          "{{instance}} {{lane}} {{path}}")],
             text="p5 over what light in fibre needs.")
    b.series("Hop limit of answers", [("sealane_path_hop_limit{%s}" % PATH,
                                       "{{instance}} {{lane}} {{path}}")])
    b.series("Path changes", [(
        "increase(sealane_path_changes_total{%s}[5m])" % PATH,
        "{{instance}} {{lane}} {{path}} {{what}}")])
    b.panel("state-timeline", "Budgets", [(
        "sealane_budget_broken{%s}" % LANE,
        "{{instance}} {{lane}} {{budget}}")], w=12, defaults={
            "mappings": [{"type": "value", "options": {
                "0": {"text": "kept", "color": "green"},
                "1": {"text": "broken", "color": "red"}}}]})
    b.series("Budgets: value and limit", [
        ("sealane_budget_value_seconds{%s}" % LANE,
         "{{instance}} {{lane}} {{budget}}"),
        ("sealane_budget_limit_seconds{%s}" % LANE,
         "{{instance}} {{lane}} {{budget}} limit")], unit="s", w=12)


def traffic(b):
    b.row("Traffic and TCP")
    b.series("Traffic by lane", [(
        'sum by (instance, lane, direction) (8 * rate(sealane_lane_bytes_total'
        '{%s}[%s]))' % (PATH, RATE), "{{instance}} {{lane}} {{direction}}")],
        unit="bps")
    b.series("Traffic by path", [(
        'sum by (instance, path, direction) (8 * rate(sealane_lane_bytes_total'
        '{%s}[%s]))' % (PATH, RATE), "{{instance}} {{path}} {{direction}}")],
        unit="bps")
    b.series("Retransmitted", [(
        "sum by (instance, lane, direction) (rate("
        "sealane_tcp_retransmitted_segments_total{%s}[%s])) / sum by (instance,"
        " lane, direction) (rate(sealane_tcp_data_segments_total{%s}[%s]))"
        % (PATH, RATE, PATH, RATE), "{{instance}} {{lane}} {{direction}}")],
        unit="percentunit", text="Of TCP segments with payload.")
    b.series("SYNs without answer", [(
        "sum by (instance, lane) (rate(sealane_tcp_syns_total{direction=\"out\","
        "%s}[%s])) - sum by (instance, lane) (rate("
        "sealane_tcp_syns_answered_total{direction=\"out\",%s}[%s]))"
        % (LANE, RATE, LANE, RATE), "{{instance}} {{lane}}")], unit="ops")
    b.series("Overtaken, closed windows, resets", [
        ("sum by (instance, lane) (rate(sealane_tcp_%s_total{%s}[%s]))"
         % (n, LANE, RATE), "{{instance}} {{lane}} " + text)
        for n, text in (("reordered_segments", "overtaken"),
                        ("zero_windows", "closed"), ("resets", "reset"))],
        unit="ops")
    b.series("Idle and working round trip", [
        ("sealane_lane_idle_rtt_seconds{%s}" % LANE,
         "{{instance}} {{lane}} idle"),
        ("sealane_lane_working_rtt_median_seconds{%s}" % LANE,
         "{{instance}} {{lane}} working")], unit="s",
        text="The difference is what queues under load add.")


def drops(b):
    b.row("Drops")
    b.series("Dropped, by reason", [(
        'sum by (instance, reason) (rate(sealane_packets_total{verdict="drop",'
        "%s}[%s]))" % (WHERE, RATE), "{{instance}} {{reason}}")], unit="pps")
    b.series("Rules that match most", [(
        "topk(10, sum by (instance, owner, rule, action) (rate("
        "sealane_rule_packets_total{%s}[%s])))" % (WHERE, RATE),
        "{{instance}} {{owner}} {{rule}} ({{action}})")], unit="pps")
    b.series("Lists that drop most", [(
        "topk(10, sum by (instance, list) (rate(sealane_list_packets_total"
        "{%s}[%s])))" % (WHERE, RATE), "{{instance}} {{list}}")], unit="pps")
    b.series("Over a rule's limit", [(
        'topk(10, sum by (instance, rule) (rate('
        "sealane_rule_over_limit_packets_total{%s}[%s])))" % (WHERE, RATE),
        "{{instance}} {{rule}}")], unit="pps")
    b.series("Passed, by reason", [(
        'sum by (instance, reason) (rate(sealane_packets_total{verdict="pass",'
        "%s}[%s])) > 0" % (WHERE, RATE), "{{instance}} {{reason}}")],
        unit="pps")
    b.series("FlowSpec routes", [
        ("sealane_flowspec_routes{%s}" % WHERE,
         "{{instance}} {{neighbour}} announced"),
        ("sealane_flowspec_enforced_routes{%s}" % WHERE,
         "{{instance}} {{neighbour}} in force")])


def gateway(b):
    b.row("The gateway's own time")
    b.heat("Residence", "sealane_residence_seconds", PATH, w=12,
           text="How long the gateway keeps packets that leave home.")
    b.series("Residence by path", [
        (b.quantile(q, "instance, path, method", PATH,
                    "sealane_residence_seconds"),
         "{{instance}} {{path}} {{method}} p%s" % q[2:].ljust(2, "0"))
        for q in ("0.5", "0.99")], unit="s", w=12)
    b.series("Lost in the gateway's queues", [(
        "sum by (instance, path) (rate(sealane_residence_lost_total{%s}[%s]))"
        % (PATH, RATE), "{{instance}} {{path}}")], unit="pps")
    b.series("Module", [
        ("sealane_module_used{%s}" % WHERE, "{{instance}} used"),
        ("sealane_module_pending_stamps{%s}" % WHERE,
         "{{instance}} stamps pending")])
    b.series("Clocks of NICs", [("sealane_nic_clock_error_seconds{%s}" % WHERE,
                                 "{{instance}} {{interface}}")], unit="s")


def agent(b):
    b.row("Data plane and agent")
    b.series("Tables", [(
        "sealane_table_entries{%s} / sealane_table_capacity{%s}"
        % (WHERE, WHERE), "{{instance}} {{table}}")], unit="percentunit")
    b.series("Not measured, by reason", [(
        "sum by (instance, reason) (rate(sealane_unmeasured_total{%s}[%s])) > 0"
        % (LANE, RATE), "{{instance}} {{reason}}")], unit="ops")
    b.series("Stamps lost with evicted flows", [(
        "sum by (instance, lane, half) (rate(sealane_evicted_stamps_total{%s}"
        "[%s])) > 0" % (LANE, RATE), "{{instance}} {{lane}} {{half}}")],
        unit="ops")
    b.series("Agent: core", [(
        'rate(process_cpu_seconds_total{job="sealane",%s}[%s])' % (WHERE, RATE),
        "{{instance}}")], unit="percentunit")
    b.series("Agent: memory", [
        ("sealane_agent_anonymous_memory_bytes{%s}" % WHERE,
         "{{instance}} own"),
        ("sealane_map_memory_bytes{%s}" % WHERE, "{{instance}} tables")],
        unit="bytes")
    b.series("Scrape: time to make it", [(
        "max by (instance, format) (sealane_scrape_build_seconds{%s})" % WHERE,
        "{{instance}} {{format}}")], unit="s")
    b.series("State directory", [
        ("sealane_state_file_bytes{%s}" % WHERE, "{{instance}} {{file}}"),
        ("sealane_state_free_bytes{%s}" % WHERE, "{{instance}} free")],
        unit="bytes")
    b.series("Events by kind", [(
        "sum by (instance, kind) (increase(sealane_events_total{%s}[5m])) > 0"
        % WHERE, "{{instance}} {{kind}}")])
    b.series("Packets by interface", [(
        "sum by (instance, interface, vlan) (rate("
        "sealane_interface_packets_total{%s}[%s]))" % (WHERE, RATE),
        "{{instance}} {{interface}} {{vlan}}")], unit="pps")


def variable(name, query, label):
    return {"name": name, "label": label, "type": "query", "refresh": 2,
            "query": {"query": query, "refId": name},
            "datasource": {"type": "prometheus", "uid": "${datasource}"},
            "multi": True, "includeAll": True, "allValue": ".*",
            "current": {"text": "All", "value": "$__all"}, "sort": 1}


def mark(name, expr, colour, title):
    return {"name": name, "enable": True, "iconColor": colour, "expr": expr,
            "datasource": {"type": "prometheus", "uid": "${datasource}"},
            "titleFormat": title, "step": "60s", "useValueForTime": False}


def make(native):
    b = Board(native)
    for part in (health, lanes, paths, traffic, drops, gateway, agent):
        part(b)
    kind = "native" if native else "classic"
    return {
        "title": "Sealane (%s histograms)" % kind, "uid": "sealane-" + kind,
        "description": "Round trips of an international gateway, lane by lane "
                       "and cable by cable, and what it drops.",
        "tags": ["sealane"], "schemaVersion": 38, "version": 1,
        "editable": True, "graphTooltip": 1, "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"}, "timezone": "browser",
        "templating": {"list": [
            {"name": "datasource", "label": "Prometheus", "type": "datasource",
             "query": "prometheus", "current": {}},
            variable("instance", "label_values(sealane_build_info, instance)",
                     "Gateway"),
            variable("lane", "label_values(sealane_lane_packets_total"
                     '{instance=~"$instance"}, lane)', "Lane"),
            variable("path", "label_values(sealane_lane_packets_total"
                     '{instance=~"$instance"}, path)', "Path"),
            {"name": "half", "label": "Half", "type": "custom",
             "query": "far,near,full", "multi": False, "includeAll": False,
             "current": {"text": "far", "value": "far"},
             "options": [{"text": h, "value": h, "selected": h == "far"}
                         for h in ("far", "near", "full")]}]},
        "annotations": {"list": [
            mark("Path changes", "increase(sealane_path_changes_total{%s}[1m])"
                 " > 0" % PATH, "red",
                 "{{instance}}: {{lane}} on {{path}}: another way ({{what}})"),
            mark("Commits", "changes(sealane_generation{%s}[1m]) > 0" % WHERE,
                 "blue", "{{instance}}: rules or lists were changed"),
            mark("Budgets", "sealane_budget_broken{%s} == 1 unless "
                 "sealane_budget_broken{%s} offset 1m == 1" % (LANE, LANE),
                 "orange", "{{instance}}: {{lane}} breaks {{budget}}"),
            mark("Agent", "changes(process_start_time_seconds{job=\"sealane\","
                 "%s}[1m]) > 0" % WHERE, "purple",
                 "{{instance}}: the agent began anew")]},
        "panels": b.panels}


def main():
    wrong = []
    for native in (True, False):
        path = "%s/sealane-%s.json" % (HERE, "native" if native else "classic")
        text = json.dumps(make(native), indent=1) + "\n"
        if sys.argv[1:] == ["--check"]:
            with open(path) as f:
                if f.read() != text:
                    wrong.append(path)
        else:
            with open(path, "w") as f:
                f.write(text)
    if wrong:
        sys.exit("not as dashboards.py makes them: " + " ".join(wrong))


main()
