package scenarios

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"daybefore/internal/sandbox"
)

// backupLayout is how a night is written in the name of its backup.
const backupLayout = "20060102T150405Z"

// nightTimes are when the demo's backups are taken, the newest last.
func nightTimes() []time.Time {
	var all []time.Time
	for day := 1; day <= 4; day++ {
		all = append(all, time.Date(2026, 3, day, 3, 15, 0, 0, time.UTC))
	}
	return all
}

func backupName(night time.Time) string {
	return "shop-" + night.Format(backupLayout) + ".dump"
}

// RebuildDemo makes the demo's backups anew: it fills a throw-away server
// with the SQL in dir (drills/demo), night by night, and writes each night's
// dump, and the side file with its checksum, to dir/backups. The rows are the
// same every time; object ids in the archives, and so their bytes, are not.
func RebuildDemo(ctx context.Context, dir string, log *slog.Logger) (err error) {
	s, err := startServer(ctx, sandbox.Auto, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close(context.WithoutCancel(ctx))) }()
	demo, err := openShop(ctx, s, dir)
	if err != nil {
		return err
	}
	dumps := map[string][]byte{}
	for _, night := range nightTimes() {
		if err := demo.live(ctx, night); err != nil {
			return err
		}
		dumps[backupName(night)], err = s.dump(ctx, variant{database: shopDatabase}, night)
		if err != nil {
			return err
		}
	}
	return replaceBackups(filepath.Join(dir, filepath.Base(backupsDir)), dumps)
}

// replaceBackups makes the folder dir hold these backups and no other.
func replaceBackups(dir string, dumps map[string][]byte) error {
	if err := errors.Join(os.RemoveAll(dir), os.MkdirAll(dir, 0o755)); err != nil {
		return fmt.Errorf("replace the demo's backups: %w", err)
	}
	for name, dump := range dumps {
		if err := writeBackup(dir, name, dump); err != nil {
			return fmt.Errorf("replace the demo's backups: %w", err)
		}
	}
	return nil
}
