#!/bin/sh
# Fills a directory with Debian and PostgreSQL. Run as root by image.Build, in
# a mount and process namespace of its own: whatever is mounted or started here
# is gone once this script is, however it ended.
#
# usage: rootfs.sh DIR SUITE BESIDE MIRROR MAJOR PGDATA [PACKAGE...]
#
# BESIDE is a suite that has the server and is no whole Debian, such as
# experimental; empty where SUITE has it.
#
# Lines that begin with "step: " tell how far it is.
set -eu
dir=$1 suite=$2 beside=$3 mirror=$4 major=$5 data=$6
shift 6

step() { echo "step: $*"; }

# debootstrap downloads without apt, and so without apt's proxy.
if [ -z "${http_proxy-}" ] && command -v apt-config >/dev/null; then
	eval "$(apt-config shell http_proxy Acquire::http::Proxy)"
	[ -z "${http_proxy-}" ] || export http_proxy
fi

# A suite younger than the host's debootstrap has no script there; those of
# all suites since 2007 are one and the same.
scripts=/usr/share/debootstrap/scripts
if [ -e "$scripts/$suite" ]; then script=$suite; else script=sid; fi

# What is lost with the machine's power is built anew: dpkg need not wait for the
# disk after each file.
mkdir -p "$dir/etc/dpkg/dpkg.cfg.d"
echo force-unsafe-io >"$dir/etc/dpkg/dpkg.cfg.d/unsafe-io"

step "unpacking Debian $suite"
# Forced: without a keyring it would only warn, and install what it was given.
debootstrap --force-check-gpg --variant=minbase "$suite" "$dir" "$mirror" "$scripts/$script"

in_root() { chroot "$dir" "$@"; }
mount -t proc proc "$dir/proc"

# Maintainer scripts must not start a server, and must not make a cluster that
# would lie in the image.
printf '#!/bin/sh\nexit 101\n' >"$dir/usr/sbin/policy-rc.d"
chmod 755 "$dir/usr/sbin/policy-rc.d"
mkdir -p "$dir/etc/postgresql-common"
echo 'create_main_cluster = false' >"$dir/etc/postgresql-common/createcluster.conf"

# The package would take the next free number; people's volumes have 999.
in_root groupadd --system --gid 999 postgres
in_root useradd --system --uid 999 --gid postgres --home-dir /var/lib/postgresql \
	--shell /bin/bash postgres

# What a suite beside the other has is taken only where it is named: the server,
# its client, and the library that they need at their own version.
server="postgresql-$major"
if [ -n "$beside" ]; then
	echo "deb $mirror $beside main" >"$dir/etc/apt/sources.list.d/beside.list"
	server="$server/$beside postgresql-client-$major/$beside libpq5/$beside"
fi

step "installing PostgreSQL $major"
# The date of the list is not looked at, as debootstrap did not: mirrors that
# stand still on purpose are common where nothing can be pulled.
in_root apt-get update -qq -o Acquire::Check-Valid-Until=false
in_root apt-get install -y -qq --no-install-recommends \
	-o Dpkg::Options::=--force-confold \
	locales $server "$@" # unquoted: one name or several, none with a space

# Debian has them compiled too, in one package of all. To unpack that takes two
# seconds of a processor, as to compile one does. Files that several share become
# each one's own.
locales='en_US en_GB de_DE fr_FR es_ES it_IT nl_NL pl_PL pt_PT sv_SE'
in_root sh -euc '
	mkdir /tmp/locales
	cd /tmp/locales
	apt-get download -qq locales-all
	dpkg-deb --extract locales-all_*.deb .
	for locale; do
		if [ -d "usr/lib/locale/$locale.utf8" ]; then
			cp -RL "usr/lib/locale/$locale.utf8" /usr/lib/locale/
		else
			localedef -i "$locale" -c -f UTF-8 "$locale.UTF-8"
		fi
		echo "$locale.UTF-8 UTF-8" >>/etc/locale.gen
	done
' sh $locales

in_root rm -rf /var/lib/postgresql /run/postgresql
in_root install -d -o postgres -g postgres /var/lib/postgresql
in_root install -d -o postgres -g postgres -m 3777 /run/postgresql
in_root install -d -o postgres -g postgres "${data%/*}"
in_root install -d -o postgres -g postgres -m 1777 "$data"

step "removing what a server never reads"
in_root apt-get clean
rm -rf "$dir"/var/lib/apt/lists/* "$dir"/var/cache/debconf/*-old "$dir"/var/log/*.log \
	"$dir"/var/log/apt "$dir"/usr/share/doc/* "$dir"/usr/share/man/* \
	"$dir"/usr/share/info/* "$dir"/usr/share/locale/* "$dir"/usr/share/lintian \
	"$dir"/usr/sbin/policy-rc.d "$dir"/etc/dpkg/dpkg.cfg.d/unsafe-io "$dir"/tmp/* "$dir"/etc/resolv.conf "$dir"/etc/hostname
umount "$dir/proc"
