# shellcheck shell=bash
#
# For scripts that work in trees of other releases (see test/trees): what is mounted there while they do, and
# a copy of the project. To be read by them, in the project's directory.

trees=${JEMCTX_TREES:-/var/cache/jemctx-trees}
mounted=()

# In the reverse order, and before anything removes a tree.
unmount() {
	local index

	for ((index = ${#mounted[@]} - 1; index >= 0; index--)); do
		umount -R "${mounted[index]}" || umount -Rl "${mounted[index]}"
	done
	mounted=()
}

mount_into() {
	local lock

	mkdir -p "$1"/{proc,sys,dev/shm,run} || return
	mount -t proc proc "$1/proc" || return
	mounted+=("$1/proc")
	mount --rbind --make-rslave /sys "$1/sys" || return
	mounted+=("$1/sys")
	mount -t tmpfs -o mode=1777 tmpfs "$1/dev/shm" || return
	mounted+=("$1/dev/shm")
	# there is one kernel: tests wait until others have set its modes back, see test/run
	for lock in /run/jemctx-tests.lock{,.turn}; do
		touch "$lock" "$1$lock" || return
		mount --bind "$lock" "$1$lock" || return
		mounted+=("$1$lock")
	done
}

# May we do that here, and use what we make?  In many containers root may not.
may_use_trees() {
	local place status=0

	chroot / true || return
	place=$(mktemp -d)
	mount_into "$place" || status=$?
	unmount
	rm -rf --one-file-system "$place"
	return $status
}

# A copy of the project, without what was built, and nothing of an earlier one.
copy_to() {
	rm -rf "$1"
	mkdir -p "$1"
	cp -r Makefile README.md LICENSE META.json CHANGELOG.md .editorconfig ./*.[ch] ./*.sql ./*.control \
		docs debian src sql expected test monitoring "$1"
	find "$1" -name '*.o' -delete -o -name '*.so' -delete
	chmod -R a+rX "$1"
}
