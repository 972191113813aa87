# What a person would do instead of a drill, with the server's own programs.
data=$ARCHIVE_DIR/data
trap 'pg_ctl -D "$data" -m immediate stop >/dev/null 2>&1 || true; rm -rf "$data"' EXIT
step() { echo "step $1 at ${EPOCHREALTIME/,/.}"; }
export PGHOST=$ARCHIVE_DIR PGUSER=postgres
initdb -D "$data" -U postgres -A trust -E UTF8 --locale=C >/dev/null
step "initdb"
pg_ctl -D "$data" -w -s -l "$data/log" -o "-k '$ARCHIVE_DIR' -c listen_addresses=''" start
psql -qAt -d postgres -c "select 1" >/dev/null
step "start and first query"
psql -qAt -d postgres -c "$ROLES" -c "create database $DATABASE" >/dev/null
step "roles and database"
pg_restore -j "$JOBS" -d "$DATABASE" "$ARCHIVE_DIR/$ARCHIVE"
step "pg_restore"
psql -qAt -d "$DATABASE" -c "$COUNTS" >/dev/null
step "counts"
pg_ctl -D "$data" -m immediate -s stop
rm -rf "$data"
trap - EXIT
step "stop and rm"
