#!/bin/sh
# fleetwarden trust-client 2
#
# Installs the client of Alibaba Cloud Trusted System on a Linux instance: as a Cloud
# Assistant command, or as user data of a launch. It takes the place of the script in
# the documentation page "Create a trusted instance". The second line is how an
# instance with this script is recognised; its number rises with every change.
#
# The sites are the published ones, over https, with site 3's host name repaired. A
# site is left for the next one only if what came from it is not a script to run. An
# installer that ran and failed has the last word: no other site is asked.
#
# The region is asked from the metadata service with a token, and in no other way. A
# token is given by every instance, also where it is not demanded, so a request
# without one would only succeed where something is wrong.
#
# Not told apart: an installer cut off between two commands by a server that also
# announced the shorter length. No checksum of it is published.
#
# One run at a time: a second one ends at once, whoever starts it.
#
# Ends with the installer's status, or, with one line on stderr that says why:
#   201  curl is not installed
#   202  the metadata service gives no token
#   203  the metadata service gives no usable region id
#   204  no temporary folder can be made
#   205  no site of the installer answered
#   206  a site answered, and none with an installer that can run here
#   209  another run of this script has not ended
set -u
LC_ALL=C
export LC_ALL

lock=/var/run/fleetwarden-trust-client.lock
metadata=http://100.100.100.200/latest
path=/download/linux/script/TrustAgentInstall.sh

# What follows, down to the end mark, stands word for word in agent-linux.sh too.
# fail ends the script: fail STATUS REASON.
fail() {
	printf 'fleetwarden: %s\n' "$2" >&2
	exit "$1"
}

# prepare takes the lock and makes a folder that only we can read, and sees that both go
# when we do. The lock is a folder where root alone may make one. What was killed leaves
# it behind: it is void after 20 minutes, twice as long as Cloud Assistant lets us run,
# and after a restart, which empties /var/run.
prepare() {
	command -v curl >/dev/null 2>&1 || fail 201 "curl is not installed"
	umask 077
	dir=
	trap 'exit 129' HUP
	trap 'exit 130' INT
	trap 'exit 143' TERM
	find "$lock" -prune -type d -mmin +20 -exec rmdir {} \; 2>/dev/null
	mkdir "$lock" 2>/dev/null || locked
	trap 'rm -rf "$dir"; rmdir "$lock" 2>/dev/null' EXIT
	dir=$(mktemp -d) || fail 204 "cannot make a temporary folder"
	installer=$dir/installer
	missing=205 reasons=
}

# locked says why the lock cannot be had.
locked() {
	[ -d "$lock" ] && fail 209 "another run of this script has not ended: $lock"
	fail 204 "cannot make the folder $lock"
}

# named sets interpreter to the shell that the installer's first line names. The
# installer is checked and run by that one: sh may be dash, and bash's arrays would
# not parse.
named() {
	first=
	IFS= read -r first <"$installer" || :
	case $first in
	'#!'*/bash | '#!'*/bash' '* | '#!'*/'env bash') interpreter='bash' ;;
	'#!'*/sh | '#!'*/sh' '* | '#!'*/'env sh') interpreter='sh' ;;
	*) return 1 ;;
	esac
}

# refuse notes why a site is of no use.
refuse() {
	reasons="$reasons${reasons:+; }$1"
	return 1
}

# fetch gets the installer of a URL, or notes why not.
fetch() {
	rm -f "$installer"
	curl --fail --silent --location --proto '=https' --connect-timeout 5 --max-time 60 \
		--output "$installer" "$1" || {
		refuse "$1: curl ended with $?"
		return 1
	}
	missing=206
	[ -s "$installer" ] || refuse "$1: an empty answer" || return 1
	named || refuse "$1: not a shell script" || return 1
	command -v "$interpreter" >/dev/null 2>&1 || refuse "$1: no $interpreter here to run it" || return 1
	"$interpreter" -n "$installer" 2>/dev/null || refuse "$1: a broken shell script" || return 1
}

# fetch_any gets the installer from the first URL that has one.
fetch_any() {
	for url in "$@"; do
		fetch "$url" && return
	done
	fail "$missing" "no installer to be had: $reasons"
}
# End of what both scripts hold.

# ask talks to the metadata service, never through a proxy.
ask() {
	curl --fail --silent --noproxy '*' --connect-timeout 3 --max-time 5 --retry 2 "$@"
}

locate() {
	token=$(ask --request PUT --header 'X-aliyun-ecs-metadata-token-ttl-seconds: 60' "$metadata/api/token") ||
		fail 202 "the metadata service gives no token: curl ended with $?"
	[ -n "$token" ] || fail 202 "the metadata service gives an empty token"
	region=$(ask --header "X-aliyun-ecs-metadata-token: $token" "$metadata/meta-data/region-id") ||
		fail 203 "the metadata service gives no region id: curl ended with $?"
	case $region in
	'' | *[!a-z0-9-]*) fail 203 "the metadata service gives a region id that cannot be part of a host name" ;;
	esac
}

main() {
	prepare
	locate
	fetch_any \
		"https://trustclient-$region.oss-$region-internal.aliyuncs.com$path" \
		"https://trustclient-$region.oss-$region.aliyuncs.com$path" \
		"https://t-trustclient-$region.oss-$region-internal.aliyuncs.com$path"
	"$interpreter" "$installer" </dev/null
	status=$?
	[ "$status" -eq 0 ] || fail "$status" "the installer of $url ended with $status"
	printf 'fleetwarden: the installer of %s has run%s\n' "$url" "${reasons:+; before it: $reasons}"
	exit 0
}

main
