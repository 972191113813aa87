# Whatever of the host, the archive or other drills can be reached is a line.
R=/daybefore/run; [ -d $R ] || R=$(readlink /proc/$PPID/cwd | sed 's,/local/data$,/run,')
said() { echo "reached $1"; }
try() { timeout 5 grep -alsE -D skip 'real\.person[0-9]|^PGDMP' "$@" </dev/null | sed 's/^/reached /'; }
try "$R"/../share/* "$R"/../spool/* "$R"/../out/* "$R"/../start/* /daybefore/share/* /daybefore/spool/* /daybefore/out/* \
	/tmp/*/share/* /tmp/*/spool/* /var/tmp/*/share/* /tmp/*/*/*/share/* /tmp/*/*/*/spool/* /tmp/*/home/store/*/* /old*/* /dev/shm/*
for p in /proc/[0-9]*; do
	try $p/root/daybefore/share/* $p/root/daybefore/spool/* $p/root/tmp/*/*/*/share/* $p/cwd/../share/* $p/fd/*
	tr '\0' ' ' <$p/cmdline 2>/dev/null | grep -qE '^[^ ]*(pg_restore|pg_dump|drill) ' && said "the process $p"
	readlink $p/fd/* 2>/dev/null | grep -qE '/(archive|out/|share/|spool/|docker)' && said "a descriptor of $p"
done
for f in "$R"/../out "$R"/../share "$R"/../spool /daybefore/out /daybefore/share /daybefore/spool /root /home/* /work /var/lib/docker; do
	ls -A "$f" 2>/dev/null | grep -q . && said "the folder $f"
done
ls -d /tmp/drill-* /tmp/*/t/drill-* 2>/dev/null | grep -q . && said "work folders"
[ -w /var/run/docker.sock ] && said "the engine"
[ "$(grep -vcE '^ *lo:|\|' /proc/net/dev)" = 0 ] || said "a network"
[ "$(grep -c . /proc/net/unix)" -lt 40 ] || said "other sockets"
mount -t tmpfs none /tmp 2>/dev/null && said mount
unshare -Ur true 2>/dev/null && unshare -Urm mount -t tmpfs none /tmp 2>/dev/null && said "a namespace of its own"
grep -qE '^CapEff:.*[1-9a-f]' /proc/self/status && said capabilities
grep -q '^NoNewPrivs:.*0' /proc/self/status && said "new privileges"
find / -maxdepth 3 -xdev -type d -writable 2>/dev/null |
	grep -vE '^/(tmp|var/tmp|dev/shm|dev/mqueue|proc|daybefore/(run|local)|run/postgresql|run/lock|var/run/postgresql|var/lib/postgresql)(/|$)' | while read -r d; do said "$d to write in"; done
env | grep -qE 'AWS|SECRET|TOKEN|DRILL_' && said "the environment"
:
