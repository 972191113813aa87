package harness

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"daybefore/internal/drill"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// toldHome is a home with a drill file whose databases the store tells.
func toldHome(t *testing.T) *Home {
	t.Helper()
	h, _ := pageHome(t)
	for name, text := range map[string]string{
		"store/shop-eu-20261129.dump": "x",
		"drills/shop.yaml": `version: 1
databases: {pattern: "shop-{database}-{time}.dump"}
source: {url: "file:../store/", time: "20060102", timezone: UTC}
expectations: {indexes: valid}
`} {
		path := filepath.Join(h.Dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	return h
}

// Where past reports cannot be read, a database that is gone would not be missed: that is no pass.
func TestDatabasesWithoutAPast(t *testing.T) {
	t.Parallel()
	h := toldHome(t)
	all, err := h.load(t.Context(), "shop", spec.Loader{})
	if err != nil || len(all) != 1 || all[0].Err != nil {
		t.Fatalf("%v, %+v", err, all)
	}
	if err := os.WriteFile(h.reportsDir(), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	all, err = h.load(t.Context(), "shop", spec.Loader{})
	if err != nil || len(all) != 2 || all[0].Name != "shop@eu" || all[0].Err != nil {
		t.Fatalf("%v, %+v", err, all)
	}
	p, ok := errors.AsType[*verdict.Problem](all[1].Err)
	if !ok || p.Code != verdict.CodeHistory || p.Outcome != verdict.Error || !strings.Contains(p.Error(), "missing from the store") {
		t.Errorf("%v", all[1].Err)
	}
	all, err = h.load(t.Context(), "shop@eu", spec.Loader{})
	if err != nil || len(all) != 1 {
		t.Errorf("%v, %+v", err, all)
	}
}

// Who interrupts while a store is asked is told so, with the code for it.
func TestInterruptedWhileAStoreIsAsked(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(drill.ErrInterrupted)
	_, err := toldHome(t).load(ctx, "shop", spec.Loader{})
	if exit, ok := errors.AsType[*verdict.Exit](err); !ok || exit.Code != verdict.ExitInterrupted {
		t.Errorf("%v", err)
	}
}
