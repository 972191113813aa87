package drill

import (
	"runtime"
	"slices"

	"daybefore/internal/archive"
	"daybefore/internal/restore"
	"daybefore/internal/sandbox"
	"daybefore/internal/verdict"
)

// mostNames is how many roles, extensions or settings are told: a page is read by
// people.
const mostNames = 1000

// superuser is there on nearly every server.
const superuser = "postgres"

// keepByHand adds what a restore without the harness needs to know.
func (r *run) keepByHand(s *restore.Session) {
	b := &verdict.ByHand{Cluster: len(r.archive.ClusterRoles) > 0, Machine: verdict.Machine{
		Cores: runtime.NumCPU(), Jobs: r.jobs(), MemoryBytes: sandbox.MachineMemory(),
		System: runtime.GOOS + "/" + runtime.GOARCH,
	}}
	names := r.backup.PartNames()
	for i, piece := range r.archive.Pieces {
		if i < len(names) {
			b.Parts = append(b.Parts, partOf(names[i], piece))
		}
	}
	roles := slices.DeleteFunc(r.archive.Roles(), func(role string) bool {
		return role == superuser || slices.Contains(r.archive.ClusterRoles, role)
	})
	for _, list := range []struct {
		to    *[]string
		names []string
	}{
		{&b.Roles, roles}, {&b.Extensions, r.archive.Extensions()}, {&b.Settings, s.SettingNames()},
	} {
		for _, name := range list.names {
			if !r.names.Knows(name) || len(*list.to) == mostNames {
				b.Untold++
				continue
			}
			*list.to = append(*list.to, name)
		}
	}
	r.report.ByHand = b
}

func partOf(name string, p archive.Piece) verdict.Part {
	return verdict.Part{Name: name, Format: string(p.Format), Around: p.Around, Folder: p.Folder, Connects: p.Connects}
}
