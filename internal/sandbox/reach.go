package sandbox

import (
	"fmt"
	"os"
	"strings"

	"daybefore/internal/enclosure"
)

// shortfall says what a backup's code could reach in a degree below Enclosed:
// in whole sentences, for the report's first lines.
func shortfall(degree enclosure.Degree, own *accounts, refused *enclosure.Refused) (all []string) {
	say := func(format string, values ...any) { all = append(all, fmt.Sprintf(format, values...)) }
	say("the backup's code was not enclosed: %v", refused)
	switch {
	case own == nil:
		say("it ran as this user, with all of this user's files, the unscrubbed backup among them")
	default:
		say("it ran as %s, kept from the unscrubbed backup by another account, with what that account may "+
			"read and do on this machine", leastAccount)
	}
	if degree < enclosure.NoNetwork {
		say("it had this machine's network, processes and sockets")
	} else {
		say("it had no network, and this machine's sockets that have a path")
	}
	return all
}

// hinders are what keeps Linux from giving programs namespaces of their own: a
// file, what is then in it, and its hint.
var hinders = []struct{ file, is, hint string }{
	{"/proc/sys/user/max_user_namespaces", "0", "set the sysctl user.max_user_namespaces to more than 0"},
	{"/proc/sys/kernel/unprivileged_userns_clone", "0", "set the sysctl kernel.unprivileged_userns_clone to 1"},
	{"/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1",
		"set the sysctl kernel.apparmor_restrict_unprivileged_userns to 0, or give this program an " +
			"AppArmor profile with userns"},
}

// hintIsolation says what would give a local sandbox the degree of isolation
// that was refused.
func hintIsolation(refused string) string {
	var hints []string
	for _, h := range hinders {
		if is, err := os.ReadFile(h.file); err == nil && strings.TrimSpace(string(is)) == h.is {
			hints = append(hints, h.hint)
		}
	}
	if len(hints) == 0 {
		hints = []string{"let this program make user namespaces (a container's profiles may forbid it: " +
			"docker run --security-opt seccomp=unconfined --security-opt apparmor=unconfined; or a service's settings)"}
	}
	less := "no_network or no_listener"
	if refused == "no_network" {
		less = "no_listener"
	}
	return strings.Join(hints, "; ") + "; or use a container (sandbox.kind: container); " +
		"or allow less for backups whose origin is trusted (sandbox.isolation: " + less + ")"
}
