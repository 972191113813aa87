# What is hard to remove, and names that steer a terminal.
R=/daybefore/run; [ -d $R ] || { D=$(readlink /proc/$PPID/cwd); R=${D%/local/data}/run; }
cd $R
mkdir -m 700 locked locked/in; echo x >locked/in/f; chmod 000 locked/in locked
mkdir -m 1777 sticky; echo x >sticky/f; chmod 0 sticky/f
perl -e 'mkdir "wide"; for (1..20000) { open F, ">", "wide/$_" or last; }'
ln -s / rootlink; ln -s . loop; ln -s /etc/passwd lock; ln -s nowhere broken; mkfifo fifo
perl -e 'use Socket; socket S, PF_UNIX, SOCK_STREAM, 0; bind S, sockaddr_un("sock");'
perl -e 'mkdir "a\nb\x1b[31m"; open F, ">", "a\nb\x1b[31m/-rf"; mkdir "\x9b2J"; mkdir "x" x 255; open F, ">", " "; open F, ">", "--"; open F, ">", "\xff\xfe";'
perl -e 'for (1..300) { mkdir "y" x 200 or last; chdir "y" x 200 or last }'
rm -f log; mkdir log; ln -s /etc/shadow .s.PGSQL.5432.lock 2>/dev/null
chattr +i locked 2>/dev/null; chmod 000 .
:
