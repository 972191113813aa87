package spec

import (
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"time"

	"daybefore/internal/spec/amount"
	"daybefore/internal/spec/calendar"
)

func (c checker) inventory(raw *rawInventory, source Source) Inventory {
	if raw == nil {
		return Inventory{}
	}
	inv := Inventory{
		Collapse:   c.collapse(raw.Collapse),
		SizeChange: c.drift(raw.SizeChange, "inventory.size_change"),
	}
	if age := raw.BackupAge; age != nil {
		warn, fail := c.limits(age.at, "inventory.backup_age", age.WarnAfter, age.FailAfter)
		inv.BackupAge = &Age{WarnAfter: warn, FailAfter: fail}
	}
	if l := raw.MinBackups; l != nil {
		inv.MinBackups = leastOf(c, l.at, "inventory.min_backups", "2", l.WarnBelow.leaf, l.FailBelow.leaf, 1,
			func(n int64) string { return strconv.FormatInt(n, 10) })
	}
	if l := raw.MinSize; l != nil {
		inv.MinSize = leastOf(c, l.at, "inventory.min_size", "10MiB", l.WarnBelow.leaf, l.FailBelow.leaf, 0,
			amount.Size)
	}
	if l := raw.OldestAtLeast; l != nil {
		inv.OldestAtLeast = leastOf(c, l.at, "inventory.oldest_at_least", "7d", l.WarnBelow.leaf, l.FailBelow.leaf, 0,
			amount.Span)
	}
	inv.Cadence = c.cadence(raw.Cadence, inv.Retention(), source.Unit())
	inv.OffSite = c.offSite(raw.OffSite)
	inv.Protection = c.protection(raw.Protection, source)
	inv.Copies = c.copies(raw.Copies, source)
	inv.Catalogue = c.catalogue(raw.Catalogue, source, inv.Retention())
	return inv
}

func (c checker) offSite(raw *rawOffSite) *OffSite {
	if raw == nil {
		return nil
	}
	const key = "inventory.off_site.production_hosts"
	hosts := unique[string]{}
	var names []string
	for _, t := range raw.ProductionHosts {
		hosts.check(c, t, strings.ToLower(t.Value), key, "list it once")
		if _, err := netip.ParseAddr(t.Value); err != nil && !hostName.MatchString(t.Value) {
			c.refuse(t.at, "write a name such as db1.example.com, or an address, without a port",
				"%s: %s is not a host's name", key, shown(t.Value))
		}
		names = append(names, t.Value)
	}
	return &OffSite{ProductionHosts: names}
}

var hostName = regexp.MustCompile(
	`^[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?)*\.?$`,
)

func (c checker) protection(raw []text, source Source) []string {
	const key = "inventory.protection"
	kinds := unique[string]{}
	var all []string
	for _, t := range raw {
		kinds.check(c, t, t.Value, key, "say it once")
		if kind := kindOf(source.URL); kind != "" && kind != kindS3 {
			c.refuse(t.at, "remove it", "%s: %s is for s3, and source.url is %s", key, t.Value, ownerOf(kind))
		}
		all = append(all, t.Value)
	}
	return all
}

func (c checker) copies(raw []rawCopy, source Source) []Copy {
	const key = "inventory.copies"
	stores := unique[[2]string]{}
	var all []Copy
	for _, r := range raw {
		s := c.another(r, source, key)
		all = append(all, Copy{Name: r.URL.Value, Source: s, Lag: r.Lag.Value})
		id := storeID(s)
		switch {
		case s.URL == "":
		case id == storeID(source):
			c.refuse(r.URL.at, "name another store, or remove it", "%s: %s is the store itself", key,
				shown(r.URL.Value))
		default:
			stores.check(c, r.URL, id, key, "list it once")
		}
	}
	return all
}

func (c checker) catalogue(raw *rawCatalogue, source Source, retention time.Duration) *Catalogue {
	if raw == nil {
		return nil
	}
	const key = "inventory.catalogue"
	if retention > 0 && raw.Lag.Value >= retention {
		c.refuse(raw.Lag.at, "write less than oldest_at_least",
			"%s.lag: with %s, nothing of the %s of oldest_at_least is compared", key, amount.Span(raw.Lag.Value),
			amount.Span(retention))
	}
	c.oneClock(raw.Unit, raw.Timezone, key)
	return &Catalogue{
		Source:   c.sameStore(c.fileURL(raw.URL, key+".url"), source),
		Backups:  source,
		Name:     c.filled(raw.Name, key+".name", "name the field that holds a backup's name"),
		At:       c.filled(raw.At, key+".at", "name the field that tells when the backup was taken"),
		Location: c.zone(raw.Timezone, key+".timezone"),
		Unit:     raw.Unit.Value,
		Lag:      raw.Lag.Value,
	}
}

func storeID(s Source) [2]string { return [2]string{strings.TrimSuffix(s.URL, "/"), s.Endpoint} }

// another is a store that is reached as the source is, but for what it says.
func (c checker) another(raw rawCopy, source Source, key string) Source {
	s := source.reach(c.storeURL(raw.URL, key+".url"))
	s.Name = source.Name
	s.TimeLayout = source.TimeLayout
	s.Location = source.Location
	s.TimeTolerance = source.TimeTolerance
	s.Parts = source.Parts
	s.Siblings = source.Siblings
	s.Others = source.Others
	s.Known = source.Known
	s.Database = source.Database
	s.Checksum = source.Checksum
	s.MaxRatio = source.MaxRatio
	s.Anonymous = source.Anonymous && kindOf(s.URL) == kindOf(source.URL)
	c.onlyFor(key, kindOf(s.URL), map[string]Pos{
		"region": raw.Region.at, "endpoint": raw.Endpoint.at, "path_style": raw.PathStyle.at,
		"anonymous": raw.Anonymous.at, "profile": raw.Profile.at,
	})
	if raw.Region.given() {
		s.Region = c.filled(raw.Region, key+".region", "write the bucket's region, such as eu-central-1")
	}
	if raw.Endpoint.given() {
		s.Endpoint = c.endpoint(raw.Endpoint, key+".endpoint")
	}
	s.Profile = c.filled(raw.Profile, key+".profile", "write a profile's name, or remove it")
	s.PathStyle, s.Anonymous = raw.PathStyle.or(s.PathStyle), raw.Anonymous.or(s.Anonymous)
	return s
}

// leastOf checks a pair of lower limits. One of never or less cannot be
// missed: without any backup, or with an empty one, there is nothing to judge.
func leastOf[T int64 | time.Duration](c checker, at Pos, key, such string, warn, fail leaf[T], never T,
	show func(T) string) Least[T] {
	if !warn.given() && !fail.given() {
		c.refuse(at, "write "+such+", or {warn_below: …, fail_below: …}", "%s sets no limit", key)
	}
	for _, l := range []leaf[T]{warn, fail} {
		if l.given() && l.Value <= never {
			c.refuse(l.at, "write "+such+" or what fits, or remove it", "%s: %s can never fail", key, show(l.Value))
		}
	}
	if warn.given() && fail.given() && warn.Value <= fail.Value {
		c.refuse(warn.at, "let warn_below be the greater", "%s: warn_below %s can never be seen beside fail_below %s",
			key, show(warn.Value), show(fail.Value))
	}
	return Least[T]{WarnBelow: warn.Value, FailBelow: fail.Value}
}

// cadence refuses one that is never looked at, since no gap within the
// retention is wider than it; and one that names of this unit can never keep.
func (c checker) cadence(raw *rawCadence, retention time.Duration, unit calendar.Unit) *Cadence {
	if raw == nil {
		return nil
	}
	const key = "inventory.cadence"
	every := c.positive(raw.Every, key+".every", 0)
	cadence := &Cadence{Every: every, Tolerance: raw.Tolerance.or(every / 10), Severity: raw.Severity.or("fail")}
	if retention > 0 && retention <= cadence.Widest() {
		c.refuse(raw.at, "raise oldest_at_least, or remove cadence",
			"%s can never fail: no gap of %s is seen in the %s of oldest_at_least", key, amount.Span(cadence.Widest()),
			amount.Span(retention))
	}
	if cadence.Widest() < unit.Least() && every > 0 {
		c.refuse(raw.at, "write the hour into the names and into source.time, or every: "+amount.Span(unit.Least()),
			"%s can never be kept: source.time tells the %s only, and a gap of %s is narrower", key, unit,
			amount.Span(cadence.Widest()))
	}
	return cadence
}

// Retention is how far back the store is looked at; 0: to the oldest.
func (i Inventory) Retention() time.Duration {
	return max(i.OldestAtLeast.WarnBelow, i.OldestAtLeast.FailBelow)
}

// collapse is a change for the worse since the last drill that passed.
func (c checker) collapse(raw *rawCollapse) *Drift {
	if raw == nil {
		return nil
	}
	direction := text{}
	direction.Value, direction.at = DirectionDrop, raw.at
	return c.drift(&rawDrift{mapping: raw.mapping, Direction: direction, WarnPercent: raw.WarnPercent,
		FailPercent: raw.FailPercent}, "inventory.collapse")
}
