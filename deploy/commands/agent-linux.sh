#!/bin/sh
# fleetwarden agent-linux 2
#
# Installs the Security Center agent on a Linux instance, as a Cloud Assistant command
# with one parameter: the install code. Only the client status in Security Center tells
# whether the agent came online; this script's status tells whether the installer ran.
#
# The code is the body of the quoted here-document at the very end. Cloud Assistant
# puts it there as text. Nothing in such a body is expanded, and whatever a hostile
# code would write after it is never read: main ends the shell. So it stays data, and
# it must be 1 to 64 letters and digits before it is used. It is never printed, also
# where the installer prints it. The installer takes it as an argument, its only way,
# so for that while it shows in the instance's process list.
#
# The addresses are those of the official manual install: the first is for instances
# with a path inside Alibaba Cloud, the second is public.
#
# One run at a time: a second one ends at once, whoever starts it.
#
# Ends with the installer's status, or, with one line on stderr that says why:
#   201  curl is not installed
#   204  no temporary folder can be made
#   205  no site of the installer answered
#   206  a site answered, and none with an installer that can run here
#   207  the install code is not one
#   209  another run of this script has not ended
set +x -u
LC_ALL=C
export LC_ALL

lock=/var/run/fleetwarden-agent.lock
path=/download/install/2.0/linux/AliAqsInstall.sh

# What follows, down to the end mark, stands word for word in trust-client.sh too.
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

# report prints the end of what the installer said, without the code.
report() {
	tail -n 20 "$dir/output" | sed "s/$code/(code)/g"
}

main() {
	code=$(cat)
	case $code in
	'' | *[!A-Za-z0-9]*) fail 207 "the install code is not 1 to 64 letters and digits" ;;
	esac
	[ "${#code}" -le 64 ] || fail 207 "the install code is not 1 to 64 letters and digits"
	prepare
	fetch_any "https://update2.aegis.aliyun.com$path" "https://aegis.alicdn.com$path"
	"$interpreter" "$installer" "-k=$code" </dev/null >"$dir/output" 2>&1
	status=$?
	report
	[ "$status" -eq 0 ] || fail "$status" "the installer of $url ended with $status"
	printf 'fleetwarden: the installer of %s has run%s\n' "$url" "${reasons:+; before it: $reasons}"
	exit 0
}

main <<'FLEETWARDEN_END_OF_CODE'
{{code}}
FLEETWARDEN_END_OF_CODE
