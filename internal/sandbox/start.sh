# Makes a cluster and becomes its server. Both kinds of sandbox run this, with
# the sandbox's account, and never the image's own entrypoint.
#
# start.sh DATA RUN PASSWORD CLUSTER [server argument ...]
#   DATA      the data directory to make
#   RUN       where the socket, pipes and the log lie; the log is there already
#   PASSWORD  a file with the superuser's password in its first line, until the
#             harness sets another
#   CLUSTER   a cluster that was made earlier, packed. If it is not there, or
#             damaged, one is made, and packed into RUN/cluster.tar if that is
#             there
set -eu
umask 077
data=$1 run=$2 password=$3 cluster=$4
shift 4
exec >>"$run/log" 2>&1 </dev/null
cd "$run"

unpack() {
	[ -s "$cluster" ] || return 1
	mkdir -p "$data"
	if tar -xf "$cluster" -C "$data"; then return 0; fi
	find "$data" -mindepth 1 -delete
	return 1
}

if ! unpack; then
	# Without TZ initdb compares the system's zone with all that there are.
	TZ=UTC initdb -D "$data" -U postgres -A scram-sha-256 --pwfile="$password" \
		-E UTF8 --locale=C --no-sync >/dev/null
	if [ -f "$run/cluster.tar" ]; then
		# Nobody needs it, and it is a third of the files.
		echo "DROP DATABASE postgres" | postgres --single -D "$data" -c fsync=off -c log_checkpoints=off \
			-c log_min_messages=warning -c log_min_error_statement=panic template1 >/dev/null
		tar -cf - -C "$data" . >"$run/cluster.tar" || : >"$run/cluster.tar"
	fi
fi

echo "-- server starts"
exec postgres -D "$data" "$@"
