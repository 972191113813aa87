# Makes a cluster and becomes its server. Both kinds of sandbox run this, with
# the sandbox's account, and never the image's own entrypoint.
#
# start.sh DATA RUN PASSWORD PASSFILE [server argument ...]
#   DATA      the data directory to make
#   RUN       where the socket, pipes and the log lie; the log is there already
#   PASSWORD  a file with the superuser's password in its first line
#   PASSFILE  a libpq password file to write, for programs that run in here
set -eu
umask 077
data=$1 run=$2 password=$3 passfile=$4
shift 4
exec >>"$run/log" 2>&1 </dev/null
cd "$run"
initdb -D "$data" -U postgres -A scram-sha-256 --pwfile="$password" \
	-E UTF8 --locale=C --no-sync >/dev/null
# The password passes by read and printf, which are the shell's own: it is
# never an argument or in the environment of anything.
IFS= read -r secret <"$password"
printf '*:*:*:*:%s\n' "$secret" >"$passfile"
unset secret
echo "-- server starts"
exec postgres -D "$data" "$@"
