package debian

// over mounts the packages over /usr, in a namespace that ends with the program
// that it becomes.
const over = `lower=
while [ "$1" != -- ]; do lower=$lower$1/usr:; shift; done
shift
mount -t overlay overlay -o "lowerdir=$lower/usr" /usr
exec "$@"`

// Over is the command that runs another one where the packages lie over the
// machine's own files, as if they were installed. Nobody else sees them there,
// and they go with the last process of the command. It wants root.
func Over(packages []Package, another ...string) []string {
	if len(packages) == 0 {
		return another
	}
	argv := []string{"unshare", "--mount", "--propagation", "private", "sh", "-euc", over, "over"}
	for _, p := range packages {
		argv = append(argv, p.Root)
	}
	return append(append(argv, "--"), another...)
}
