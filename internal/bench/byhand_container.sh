# What a person would do instead of a drill, in a container: the image as it
# is, its entrypoint and all.
trap 'docker rm -f -v "$NAME" >/dev/null 2>&1 || true' EXIT
step() { echo "step $1 at ${EPOCHREALTIME/,/.}"; }
docker run -d --name "$NAME" --network none -e POSTGRES_HOST_AUTH_METHOD=trust \
	-v "$ARCHIVE_DIR":/backups:ro "$IMAGE" >/dev/null
step "docker run"
# Over TCP, since the server that the entrypoint starts first has a socket only.
until docker exec "$NAME" psql -h 127.0.0.1 -U postgres -qAtc "select 1" >/dev/null 2>&1; do sleep 0.05; done
step "first query"
docker exec "$NAME" psql -h 127.0.0.1 -U postgres -qAt -c "$ROLES" -c "create database $DATABASE" >/dev/null
step "roles and database"
docker exec "$NAME" pg_restore -h 127.0.0.1 -U postgres -j "$JOBS" -d "$DATABASE" "/backups/$ARCHIVE"
step "pg_restore"
docker exec "$NAME" psql -h 127.0.0.1 -U postgres -qAt -d "$DATABASE" -c "$COUNTS" >/dev/null
step "counts"
docker rm -f -v "$NAME" >/dev/null
trap - EXIT
step "docker rm"
