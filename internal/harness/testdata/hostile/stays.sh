# Ways of staying: each child carries the mark.
cd /
for how in setsid nohup ""; do
	$how sh -c 'exec >/dev/null 2>&1 </dev/null; perl -e "sleep 90 # MARK" & perl -e "if (!fork) { if (!fork) { \$SIG{HUP} = \$SIG{TERM} = \$SIG{INT} = q(IGNORE); sleep 90 # MARK
}}"' &
done
perl -e 'unless (fork) { close STDIN; close STDOUT; close STDERR; require POSIX; POSIX::setsid(); while (1) { exit if time - $^T > 90; unless (fork) { select undef, undef, undef, 0.2; next } exit } } # MARK'
echo 'sleep 90 # MARK' | at now 2>/dev/null
(crontab -l; echo '* * * * * sleep 30 # MARK') 2>/dev/null | crontab - 2>/dev/null
systemd-run --user sleep 90 '# MARK' 2>/dev/null
kill -STOP 1 2>/dev/null
:
