# Joins standard input and output to a Unix socket: the way to a server in a
# container whose directories this machine does not share.
use strict;
use IO::Socket::UNIX;

sub pump {
	my ($in, $out) = @_;
	while (my $n = sysread($in, my $data, 65536)) {
		for (my $sent = 0; $sent < $n;) {
			my $more = syswrite($out, $data, $n - $sent, $sent);
			return unless defined $more;
			$sent += $more;
		}
	}
}

$SIG{PIPE} = 'IGNORE';
my $socket = IO::Socket::UNIX->new(Peer => $ARGV[0]) or exit 1;
my $child = fork();
exit 1 unless defined $child;
if (!$child) {
	pump(\*STDIN, $socket);
	shutdown($socket, 1);
	exit 0;
}
pump($socket, \*STDOUT);
kill 'KILL', $child;
waitpid($child, 0);
