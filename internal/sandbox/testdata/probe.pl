# What the author of a backup tries from inside. Each line of the output is what
# was tried, and "yes" where it could be done.
#
# probe.pl MARK PLANTED SOCKET ABSTRACT PORT PID KEY LENT...
#   MARK      a word in the unscrubbed backup, and in PLANTED
#   PLANTED   a file of the machine that anybody may read
#   SOCKET    a listener of the machine, by path
#   ABSTRACT  one without a path
#   PORT      one on the machine's loopback
#   PID       of the drill
#   KEY       of memory that anybody on the machine may share
#   LENT      directories with the server's programs, where the system's do not hold them
use strict; use Socket;
my ($mark, $planted, $socket, $abstract, $port, $pid, $key, @lent) = @ARGV;
sub tried { my ($what, $did) = @_; print "$what\t", ($did ? "yes" : "no"), "\n" }
sub reads { my ($path) = @_; return -f $path && index(content($path), $mark) >= 0 }
sub content { my ($path) = @_; open(my $f, '<', $path) or return ''; local $/; return <$f> // '' }
sub works { return system("($_[0]) >/dev/null 2>&1 </dev/null") == 0 }
sub writes { my ($path) = @_; my $did = open(my $f, '>>', $path); return $did }
sub connects { my ($type, $name) = @_; socket(my $s, $type, SOCK_STREAM, 0) or return 0; return connect($s, $name) }

my @below = grep { reads($_) } map { glob($_) }
	"/daybefore/share/*", "/daybefore/*/*", "/tmp/*/share/*", "/tmp/*/*/share/*", "/proc/[0-9]*/fd/*", "/proc/[0-9]*/root/daybefore/share/*", "/proc/[0-9]*/cwd/*";
tried("read the backup", scalar @below);
tried("read a file of the machine", reads($planted) || reads("/proc/1/root$planted"));
tried("see the machine's accounts", -e "/etc/shadow" || -e "/etc/ssh");
my $lent = join '|', qw(/proc /sys /dev /tmp /usr /bin /sbin /lib\w* /daybefore/(start|run|local|data) /var/(cache|lib)/postgresql /run/(\.containerenv|secrets)
	/etc/(ld\.so\.cache|localtime|timezone|alternatives|resolv\.conf|hostname|hosts)), map { quotemeta } @lent;
tried("see a folder that nobody lent", scalar grep { !m{^(/|($lent)(/.*)?)$} } map { (split)[4] } split(/\n/, content("/proc/self/mountinfo")));
tried("write where the start was read", writes("/daybefore/start/start.sh") || writes("/daybefore/start/x"));
tried("write among the shared files", writes("/daybefore/share/x"));
tried("write to the system", writes("/usr/x") || writes("/etc/x") || writes("/x") || writes("/usr/bin/perl"));
tried("leave a program that becomes another account", works("cp /bin/true /tmp/t.$$ && chmod u+s /tmp/t.$$ && chown 0 /tmp/t.$$"));
unlink "/tmp/t.$$"; # where /tmp is the machine's
tried("keep a file of the caller's open", scalar grep { my $to = readlink($_); defined $to && $to !~ m{^(pipe:|socket:|anon_inode:|/dev/null|/dev/shm/|/proc/|/daybefore/|/var/lib/postgresql/)} } glob("/proc/$$/fd/*"));

tried("reach a socket by its path", connects(PF_UNIX, pack_sockaddr_un($socket)));
tried("reach a socket without one", connects(PF_UNIX, pack_sockaddr_un("\0$abstract")));
tried("reach the machine's loopback", connects(PF_INET, pack_sockaddr_in($port, INADDR_LOOPBACK)));
tried("reach another machine", connects(PF_INET, pack_sockaddr_in(53, inet_aton("192.0.2.1"))));
tried("share memory with the machine", defined shmget($key, 0, 0));
tried("have another interface", works("tail -n +3 /proc/net/dev | grep -v ' lo:'"));
tried("send raw packets", works(qq(perl -MSocket -e 'socket(S, 17, 3, 0) or exit 1')) || works(qq(perl -MSocket -e 'socket(S, 2, 3, 1) or exit 1')));
tried("reach a virtual machine's host", works(qq(perl -e 'socket(S, 40, 1, 0) or exit 1')));

my $cmdline = content("/proc/$pid/cmdline");
tried("see the drill", $cmdline =~ /\.test\b/);
tried("signal the drill", $cmdline =~ /\.test\b/ && kill(0, $pid));
tried("read the first process", content("/proc/1/environ") ne '' || works("head -c 1 /proc/1/mem || ls /proc/1/fd/ || ls /proc/1/root/"));
tried("end or stop the first process", do { kill('STOP', 1); kill('KILL', 1); select(undef, undef, undef, 0.1); content("/proc/1/stat") !~ /\) [SRD] / });

tried("mount", works("mount -t tmpfs none /tmp"));
tried("mount again, to be written", works("mount -o remount,rw,bind /usr || mount -o remount,rw /"));
tried("have namespaces of its own", works("unshare -U true || unshare -m true || unshare -p true"));
tried("enter another's namespaces", works("nsenter -t 1 -m true || nsenter -t 1 -n true"));
tried("have another root", works("chroot / true"));
tried("become root", $> == 0 || works("setpriv --reuid=0 true") || works("perl -e '\$> = 0; exit(\$> != 0)'"));
tried("make a device", works("mknod /tmp/d b 8 0"));
my $status = content("/proc/self/status");
tried("have a capability", $status !~ /^CapEff:\s*0+$/m || $status !~ /^CapPrm:\s*0+$/m);
tried("gain rights by a program", $status !~ /^NoNewPrivs:\s*1$/m);
tried("make calls that no restore needs", $status !~ /^Seccomp:\s*2$/m);
tried("leave a core", works("test \$(ulimit -Hc) != 0"));
tried("have as many processes as it likes", works("test \$(ulimit -u) = unlimited && ! grep -q '^[0-9]' /sys/fs/cgroup/pids/pids.max /sys/fs/cgroup/pids.max"));
