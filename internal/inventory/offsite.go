package inventory

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"daybefore/internal/catalog"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// resolveTime is how long a name may take.
const resolveTime = 10 * time.Second

// machine is how the addresses of hosts, and this machine's own, are found.
type machine struct {
	lookup func(ctx context.Context, host string) ([]netip.Addr, error)
	own    func() ([]net.Addr, error)
}

var thisMachine = machine{
	lookup: func(ctx context.Context, host string) ([]netip.Addr, error) {
		return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	},
	own: net.InterfaceAddrs,
}

// offSite judges whether the store would outlive production's machines and
// this one. A name that does not resolve here leaves that open: the check is
// skipped, and a warning says which name.
func offSite(ctx context.Context, d spec.OffSite, store catalog.Store, m machine) []verdict.Check {
	c := verdict.Check{ID: "off_site", Code: verdict.CodeOffSite,
		Expected: "on none of " + strings.Join(d.ProductionHosts, ", ") + ", nor on this machine"}
	place, err := store.Place(ctx)
	if err != nil {
		fill(&c, err)
		return []verdict.Check{c}
	}
	const move = "have the backups carried to a store that does not fall with it: a bucket of another " +
		"provider, or a machine elsewhere"
	switch {
	case place.Here != "":
		c.Say(verdict.Fail, "this machine: "+place.Here, move,
			"%s is on a disk of this machine, %s: losing the machine loses the backups", store.URL(), place.Here)
		return []verdict.Check{c}
	case len(place.Hosts) == 0:
		c.Say(verdict.Skipped, place.What, "find out where it lies, and say here what can be judged",
			"which machine holds %s is not known: it is %s", store.URL(), place.What)
		return append([]verdict.Check{c}, unjudged(place.What, "it does not say which machine it is"))
	}
	known, unknown := m.resolve(ctx, slices.Concat(place.Hosts, d.ProductionHosts))
	own, err := m.addresses()
	if err != nil {
		fill(&c, fmt.Errorf("find this machine's own addresses: %w", err))
		return []verdict.Check{c}
	}
	held := known.of(place.Hosts)
	if at, ok := shared(held, own); ok {
		c.Say(verdict.Fail, "this machine: "+at.String(), move, "%s is held by %s, which is this very machine (%s)",
			store.URL(), place.What, at)
		return []verdict.Check{c}
	}
	for _, host := range d.ProductionHosts {
		at, ok := shared(held, known[host])
		if sameName := slices.ContainsFunc(place.Hosts,
			func(h string) bool { return strings.EqualFold(h, host) }); ok || sameName {
			c.Say(verdict.Fail, host, move, "%s is held by %s, which is production's %s%s", store.URL(), place.What,
				host, inBrackets(at))
			return []verdict.Check{c}
		}
	}
	if len(unknown) == 0 {
		c.Pass(place.What + ", at " + some(held))
		return []verdict.Check{c}
	}
	c.Say(verdict.Skipped, place.What, "make the name known to this machine, or write an address",
		"not judged: not every name resolves here; of the others none holds the store")
	checks := []verdict.Check{c}
	for _, host := range unknown {
		checks = append(checks, unjudged(host, "it does not resolve on this machine"))
	}
	return checks
}

// unjudged warns of what off_site could not compare.
func unjudged(what, why string) verdict.Check {
	c := verdict.Check{ID: "off_site:" + what, Code: verdict.CodeOffSite}
	c.Say(verdict.Warn, "not known",
		"correct inventory.off_site.production_hosts, or make the name known to this machine: until then a store "+
			"on that host goes unnoticed",
		"whether the store is off-site was not compared with %s: %s", what, why)
	return c
}

// addressBook has the addresses of hosts.
type addressBook map[string][]netip.Addr

func (b addressBook) of(hosts []string) []netip.Addr {
	var all []netip.Addr
	for _, host := range hosts {
		all = append(all, b[host]...)
	}
	return all
}

// resolve finds the hosts' addresses, and says which have none.
func (m machine) resolve(ctx context.Context, hosts []string) (known addressBook, unknown []string) {
	ctx, cancel := context.WithTimeout(ctx, resolveTime)
	defer cancel()
	found := make([][]netip.Addr, len(hosts))
	var lookups sync.WaitGroup
	for i, host := range hosts {
		lookups.Go(func() { found[i], _ = m.lookup(ctx, host) }) // why not is for who looks after names
	}
	lookups.Wait()
	known = addressBook{}
	for i, host := range hosts {
		if len(found[i]) == 0 && !slices.Contains(unknown, host) {
			unknown = append(unknown, host)
		}
		for _, at := range found[i] {
			known[host] = append(known[host], at.Unmap().WithZone(""))
		}
	}
	return known, unknown
}

// addresses are this machine's own.
func (m machine) addresses() ([]netip.Addr, error) {
	all, err := m.own()
	if err != nil {
		return nil, err
	}
	var own []netip.Addr
	for _, a := range all {
		if n, err := netip.ParsePrefix(a.String()); err == nil {
			own = append(own, n.Addr().Unmap().WithZone(""))
		}
	}
	return own, nil
}

// shared is an address in both lists; a loopback address is every machine's.
func shared(a, b []netip.Addr) (netip.Addr, bool) {
	for _, at := range a {
		if slices.Contains(b, at) || at.IsLoopback() && slices.ContainsFunc(b, netip.Addr.IsLoopback) {
			return at, true
		}
	}
	return netip.Addr{}, false
}

func inBrackets(at netip.Addr) string {
	if !at.IsValid() {
		return ""
	}
	return " (" + at.String() + ")"
}

// some lists a few addresses.
func some(all []netip.Addr) string {
	const most = 3
	var texts []string
	for _, at := range all[:min(len(all), most)] {
		texts = append(texts, at.String())
	}
	if len(all) > most {
		texts = append(texts, "…")
	}
	return strings.Join(texts, ", ")
}
