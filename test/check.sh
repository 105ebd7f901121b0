# Sourced by scripts that check one thing after the other, and have a directory $work for what is printed.
# shellcheck shell=bash disable=SC2154

passed=0
failed=0

# A command that must succeed; else show what it said.
check() {
	local what=$1

	shift
	if "$@" >"$work/log" 2>&1; then
		echo "ok - $what"
		passed=$((passed + 1))
		return 0
	fi
	echo "not ok - $what"
	failed=$((failed + 1))
	tail -n 40 "$work/log" | sed 's/^/# /'
	return 1
}

count_checks() {
	echo "$passed passed, $failed failed"
	[ "$failed" -eq 0 ]
}
