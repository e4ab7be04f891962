# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Debian's packages for guests: bookworm's with updates and backports, from the
# host's own mirrors. $vm is set; all of apt's state is below it, and nothing is
# installed on the host.

package_keyring=/usr/share/keyrings/debian-archive-keyring.gpg

die() { echo "${0##*/}: $*" >&2; exit 1; }

# Where this host has a suite of Debian's from. (Asked of apt, which knows all
# formats of its sources, and needs no list for it.)
mirror() { # SUITE
	apt-get --print-uris update |
		sed -n "s|^'\\([^']*\\)/dists/$1/InRelease'.*|\\1|p" | head -1
}

private_apt() { # PROGRAM ARGUMENT...
	local program=$1
	shift
	"$program" -qq -o Dir::Etc::sourcelist="$vm/apt/sources.list" \
		-o Dir::Etc::sourceparts=/dev/null \
		-o Dir::State::lists="$vm/apt/lists" \
		-o Dir::Cache="$vm/apt/cache" \
		-o APT::Sandbox::User=root "$@"
}

update_lists() {
	local main security suite
	suite=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
	main=$(mirror "$suite")
	security=$(mirror "$suite-security")
	[ -n "$main" ] || die "apt's sources name no mirror of Debian's"
	mkdir -p "$vm/apt/lists/partial" "$vm/apt/cache/archives/partial"
	{
		echo "deb [signed-by=$package_keyring] $main bookworm main"
		echo "deb [signed-by=$package_keyring] $main bookworm-backports main"
		[ -z "$security" ] || echo "deb [signed-by=$package_keyring]" \
			"$security bookworm-security main"
	} >"$vm/apt/sources.list"
	private_apt apt-get update
}

# The newest of several packages' dependencies that begins with a word:
# the image of a series that a metapackage leads to.
newest_image() { # METAPACKAGE SERIES
	private_apt apt-cache show "$1" | awk -v series="$2." '
		/^Version:/ { ours = index($2, series) == 1 }
		/^Depends:/ && ours {
			sub(/^Depends: /, ""); sub(/ .*/, ""); print; exit
		}'
}
