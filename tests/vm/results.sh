# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Sourced by the tests that boot guests: TAP out of what their jobs printed. $out
# is where results lie; a guest is named SERIES-GUEST there.

n=0 failed=0

result() { # RC SENTENCE [FILE-TO-SHOW]
	n=$((n + 1))
	if [ "$1" = 0 ]; then
		echo "ok $n - $2"
	else
		echo "not ok $n - $2"
		failed=1
		[ -n "${3:-}" ] && tail -30 "$3" | cut -c1-400 | sed 's/^/# /'
	fi
}

skip() { n=$((n + 1)); echo "ok $n - $1 # SKIP $2"; }

# One job's output into OUT/NAME.JOB; its exit status.
job_of() { # NAME JOB
	awk -v begin="== begin $2" -v end="== end $2 " '
		index($0, end) == 1 { inside = 0 }
		inside
		$0 == begin { inside = 1 }' "$out/$1.results" >"$out/$1.$2"
	return "$(awk -v job="$2" '$1 == "==" && $2 == "end" && $3 == job {
		rc = $4; found = 1 } END { print found ? rc : 99 }' \
		"$out/$1.results")"
}

job_seconds() { # NAME JOB
	awk -v job="$2" '$1 == "==" && $2 == "end" && $3 == job { print $5 }' \
		"$out/$1.results"
}

# Lines `ok - ...` and `not ok - ...`, numbered or not, as results of ours.
relay() { # PREFIX FILE [FILE-TO-SHOW]
	local line sentence some=1
	while IFS= read -r line; do
		some=0
		sentence="$1: ${line#*- }"
		case $line in
		ok*) result 0 "$sentence" ;;
		*) result 1 "$sentence" "${3:-$2}" ;;
		esac
	done < <(grep -E '^(not )?ok ' "$2")
	return $some
}

# A job that says itself what is right.
judge_lines() { # NAME JOB
	local rc
	job_of "$1" "$2"
	rc=$?
	relay "$1: $2" "$out/$1.$2" && [ $rc = 0 ] && return
	grep -q '^not ok' "$out/$1.$2" ||
		result 1 "$1: $2 comes to its end" "$out/$1.$2"
}

# A job that prints figures, which judge.py knows.
judge_figures() { # NAME JOB
	job_of "$1" "$2" || result 1 "$1: $2 comes to its end" "$out/$1.$2"
	python3 tests/vm/judge.py "$2" "$out/$1.$2" >"$out/$1.$2.judged"
	relay "$1: $2" "$out/$1.$2.judged" "$out/$1.$2" ||
		result 1 "$1: $2 is judged" "$out/$1.$2"
}

# Both marks prove that the console was listened to from before to after. Our
# module is none of the kernel's own and not signed: 4096 and 8192.
judge_console() { # NAME
	local taint bad='WARNING:|BUG:|Oops|Call Trace|Kernel panic|general protection'
	grep -E -m1 -A20 "$bad" "$out/$1.console" >"$out/$1.complaint" ||
		tail -5 "$out/$1.console" >"$out/$1.complaint"
	taint=$(sed -n 's/^== tainted //p' "$out/$1.results")
	[ -n "$taint" ] && [ $((taint & ~12288)) = 0 ] &&
		grep -q 'sealane: guest ready' "$out/$1.console" &&
		grep -q 'sealane: guest done' "$out/$1.console" &&
		! grep -qE "$bad" "$out/$1.console"
	result $? "$1: the kernel warns of nothing" "$out/$1.complaint"
}
