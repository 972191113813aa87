package inventory

import (
	"context"
	"time"

	"daybefore/internal/catalog"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// protection asks the bucket itself what keeps its objects from a clean-up
// that goes wrong, or from whoever has stolen a key.
func protection(ctx context.Context, kind string, store catalog.Store, newest catalog.Backup,
	at time.Time) verdict.Check {
	c := verdict.Check{ID: "protection:" + kind, Code: verdict.CodeProtection}
	judge := versioning
	if kind == spec.ObjectLock {
		judge = objectLock
	}
	if err := judge(ctx, &c, store, newest, at); err != nil {
		fill(&c, err)
	}
	return c
}

func versioning(ctx context.Context, c *verdict.Check, store catalog.Store, _ catalog.Backup, _ time.Time) error {
	c.Expected = "versioning is on"
	status, err := catalog.Versioning(ctx, store)
	const turnOn = "turn it on (aws s3api put-bucket-versioning), with a rule that removes old versions after the " +
		"retention; it protects what is written or deleted from then on"
	switch {
	case err != nil:
		return err
	case status == "Enabled":
		c.Pass("on")
	case status == "":
		c.Say(verdict.Fail, "off", turnOn,
			"the bucket of %s has no versioning: what is deleted or overwritten there is gone", store.URL())
	default:
		c.Say(verdict.Fail, "suspended", "find out who suspended it, and why; then "+turnOn,
			"the versioning of the bucket of %s is suspended: what is deleted or overwritten there now is gone",
			store.URL())
	}
	return nil
}

func objectLock(ctx context.Context, c *verdict.Check, store catalog.Store, newest catalog.Backup, at time.Time) error {
	c.Expected = "backups are locked"
	lock, err := catalog.ObjectLock(ctx, store, newest.Object)
	const rule = "give the bucket a default retention (aws s3api put-object-lock-configuration), or let the backup " +
		"job lock each backup as it writes it"
	switch {
	case err != nil:
		return err
	case !lock.Enabled:
		c.Say(verdict.Fail, "off", "turn it on, which versioning has to be first; then "+rule,
			"the bucket of %s has no object lock: a key that may delete can delete every backup", store.URL())
	case lock.Default != "":
		c.Pass("by default, " + lock.Default)
	case lock.Held:
		c.Pass("the newest is under a legal hold")
	case lock.Until.After(at):
		c.Pass("the newest, until " + lock.Until.UTC().Format(minute))
	default:
		c.Say(verdict.Fail, "on, and nothing is locked", rule,
			"the bucket of %s can lock objects, but has no rule for it, and the newest backup (%s) is not locked",
			store.URL(), newest.Name)
	}
	return nil
}
