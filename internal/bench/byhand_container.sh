# What a person would do instead of a drill, in a container of the same image.
trap 'docker rm -f -v "$NAME" >/dev/null 2>&1 || true' EXIT
step() { echo "step $1 at ${EPOCHREALTIME/,/.}"; }
docker run -d --name "$NAME" --network none --user postgres --entrypoint sh \
	-v "$ARCHIVE_DIR":/backups:ro "$IMAGE" -euc '
		initdb -D "$PGDATA" -U postgres -A trust -E UTF8 --locale=C >/dev/null
		exec postgres -D "$PGDATA"' >/dev/null
step "docker run"
until docker exec "$NAME" psql -U postgres -qAtc "select 1" >/dev/null 2>&1; do sleep 0.05; done
step "first query"
docker exec "$NAME" psql -U postgres -qAt -c "$ROLES" -c "create database $DATABASE" >/dev/null
step "roles and database"
docker exec "$NAME" pg_restore -U postgres -j "$JOBS" -d "$DATABASE" "/backups/$ARCHIVE"
step "pg_restore"
docker exec "$NAME" psql -U postgres -qAt -d "$DATABASE" -c "$COUNTS" >/dev/null
step "counts"
docker rm -f -v "$NAME" >/dev/null
trap - EXIT
step "docker rm"
