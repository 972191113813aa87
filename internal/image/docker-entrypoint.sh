#!/bin/bash
# Entrypoint of a postgres image built from Debian's packages. It keeps the
# contract of the official image: the same variables, paths and hooks.
set -Eeuo pipefail

say() { printf 'entrypoint: %s\n' "$*" >&2; }
die() {
	say "$@"
	exit 1
}

# from_file NAME: lets NAME_FILE name a file that holds the value of NAME.
from_file() {
	local name=$1 file=$1_FILE
	if [[ -n ${!file-} ]]; then
		[[ -z ${!name-} ]] || die "$name and $file are both set: keep one of them"
		[[ -r ${!file} ]] || die "$file names ${!file}, which $(id -un 2>/dev/null || id -u) cannot read"
		export "$name=$(<"${!file}")"
	fi
	unset "$file"
}

# only_asks ARGS...: is this a postgres that prints something and ends?
only_asks() {
	local arg
	for arg; do
		case $arg in
		'-?' | --help | --describe-config | -V | --version) return 0 ;;
		esac
	done
	return 1
}

read_settings() {
	local name
	for name in POSTGRES_PASSWORD POSTGRES_USER POSTGRES_DB POSTGRES_INITDB_ARGS; do
		from_file "$name"
	done
	export POSTGRES_USER=${POSTGRES_USER:-postgres}
	export POSTGRES_DB=${POSTGRES_DB:-$POSTGRES_USER}
	export POSTGRES_PASSWORD=${POSTGRES_PASSWORD-} POSTGRES_HOST_AUTH_METHOD=${POSTGRES_HOST_AUTH_METHOD-}
}

initialised() { [[ -s $PGDATA/PG_VERSION ]]; }

prepare_directories() {
	mkdir -p "$PGDATA" /var/run/postgresql
	# These fail on some volumes (NFS, a foreign owner); if it matters, initdb
	# or postgres says so better than chmod does.
	chmod 0700 "$PGDATA" 2>/dev/null || true
	chmod 3777 /var/run/postgresql 2>/dev/null || true
	[[ -z ${POSTGRES_INITDB_WALDIR-} ]] || install -d -m 0700 "$POSTGRES_INITDB_WALDIR"
	[[ $(id -u) == 0 ]] || return 0
	find "$PGDATA" ${POSTGRES_INITDB_WALDIR:+"$POSTGRES_INITDB_WALDIR"} \
		! -user postgres -exec chown postgres {} +
	find /var/run/postgresql ! -user postgres -exec chown postgres {} +
}

# initdb refuses a user without a name, which `docker run --user 1234` has not:
# lend it one for as long as initdb runs.
with_a_user_name() {
	if id -un >/dev/null 2>&1; then
		"$@"
		return
	fi
	local dir library status=0
	dir=$(mktemp -d)
	library=$(echo /usr/lib/*/libnss_wrapper.so)
	printf 'postgres:x:%s:%s::%s:/bin/false\n' "$(id -u)" "$(id -g)" "$PGDATA" >"$dir/passwd"
	printf 'postgres:x:%s:\n' "$(id -g)" >"$dir/group"
	LD_PRELOAD=$library NSS_WRAPPER_PASSWD=$dir/passwd NSS_WRAPPER_GROUP=$dir/group "$@" || status=$?
	rm -rf "$dir"
	return "$status"
}

refuse_what_must_not_be_initialised() {
	if ((PG_MAJOR >= 18)) && [[ -s /var/lib/postgresql/data/PG_VERSION ]]; then
		die "/var/lib/postgresql/data holds a cluster, but since 18 the data lies in $PGDATA: mount the volume at /var/lib/postgresql, or set PGDATA"
	fi
	if [[ $POSTGRES_HOST_AUTH_METHOD == trust ]]; then
		say "POSTGRES_HOST_AUTH_METHOD is trust: whoever reaches this server is its superuser"
	elif [[ -z $POSTGRES_PASSWORD ]]; then
		die "$PGDATA is empty and no superuser password was given: set POSTGRES_PASSWORD or POSTGRES_PASSWORD_FILE (or POSTGRES_HOST_AUTH_METHOD=trust, to let in everybody)"
	fi
}

make_cluster() {
	local extra=()
	# POSTGRES_INITDB_ARGS is written as on a command line, quotes and all.
	eval "extra=(${POSTGRES_INITDB_ARGS-})"
	[[ -z ${POSTGRES_INITDB_WALDIR-} ]] || extra+=(--waldir "$POSTGRES_INITDB_WALDIR")
	if [[ -n $POSTGRES_PASSWORD ]]; then
		# A file, so that no process list shows it.
		local pwfile
		pwfile=$(mktemp)
		printf '%s\n' "$POSTGRES_PASSWORD" >"$pwfile"
		extra+=(--pwfile "$pwfile")
	fi
	local status=0
	with_a_user_name initdb --username "$POSTGRES_USER" "${extra[@]}" || status=$?
	[[ -z ${pwfile-} ]] || rm -f "$pwfile"
	return "$status"
}

# admit_other_hosts SETTINGS...: opens pg_hba.conf to the network, by the method
# asked for, or by the one that the server's passwords are made for.
admit_other_hosts() {
	local method=$POSTGRES_HOST_AUTH_METHOD
	[[ -n $method ]] || method=$(postgres -C password_encryption "$@")
	printf '\n# from POSTGRES_HOST_AUTH_METHOD, or its default\nhost all all all %s\n' "$method" >>"$PGDATA/pg_hba.conf"
}

# start_private_server SETTINGS...: a server for the time of initialising: no TCP, so that nobody takes it for
# the final one.
start_private_server() {
	local options
	printf -v options '%q ' "$@" -c listen_addresses= -p "${PGPORT:-5432}"
	PGUSER=${PGUSER:-$POSTGRES_USER} NOTIFY_SOCKET= pg_ctl -D "$PGDATA" -o "$options" -w start
}

stop_private_server() { PGUSER=${PGUSER:-$POSTGRES_USER} pg_ctl -D "$PGDATA" -m fast -w stop; }

# Named as in the official image: scripts below /docker-entrypoint-initdb.d
# that are sourced may call it.
docker_process_sql() {
	local database=()
	[[ -z $POSTGRES_DB ]] || database=(--dbname "$POSTGRES_DB")
	PGHOST= PGHOSTADDR= psql -v ON_ERROR_STOP=1 --no-psqlrc --no-password \
		--username "$POSTGRES_USER" "${database[@]}" "$@"
}

make_database() {
	local there
	there=$(POSTGRES_DB=postgres docker_process_sql --tuples-only --no-align --set db="$POSTGRES_DB" \
		<<<"SELECT 1 FROM pg_database WHERE datname = :'db'")
	[[ -n $there ]] || POSTGRES_DB=postgres docker_process_sql --set db="$POSTGRES_DB" <<<'CREATE DATABASE :"db"'
}

run_hooks() {
	local hook
	for hook in /docker-entrypoint-initdb.d/*; do
		case $hook in
		*.sh)
			if [[ -x $hook ]]; then
				say "running $hook"
				"$hook"
			else
				say "sourcing $hook"
				. "$hook"
			fi
			;;
		*.sql) say "loading $hook" && docker_process_sql -f "$hook" ;;
		*.sql.gz) say "loading $hook" && gzip -dc "$hook" | docker_process_sql ;;
		*.sql.xz) say "loading $hook" && xz -dc "$hook" | docker_process_sql ;;
		*.sql.zst) say "loading $hook" && zstd -dcq "$hook" | docker_process_sql ;;
		*) [[ ! -e $hook ]] || say "leaving $hook alone: neither .sh nor .sql[.gz|.xz|.zst]" ;;
		esac
	done
}

# initialise SETTINGS...: what the final server will be started with.
initialise() {
	refuse_what_must_not_be_initialised
	make_cluster
	admit_other_hosts "$@"
	# For hooks, and for a cluster that asks even local users for a password.
	export PGPASSWORD=${PGPASSWORD:-$POSTGRES_PASSWORD}
	start_private_server "$@"
	make_database
	run_hooks
	stop_private_server
	unset PGPASSWORD
	say "$PGDATA is initialised; starting the server"
}

[[ ${1-} != -* ]] || set -- postgres "$@"

if [[ ${1-} == postgres ]] && ! only_asks "$@"; then
	# As root still, who may read a secret that postgres may not.
	initialised || read_settings
	prepare_directories
	if [[ $(id -u) == 0 ]]; then
		HOME=/var/lib/postgresql exec setpriv --reuid postgres --regid postgres --init-groups "$0" "$@"
	fi
	initialised || initialise "${@:2}"
fi

exec "$@"
