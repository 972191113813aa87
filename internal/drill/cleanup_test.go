package drill

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// Removing ten thousand tables takes its time; once somebody waits for the end
// it is cut short, whether that was before it began or after.
func TestCleaning(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		told time.Duration // after which the drill is told to stop; 0: before
		want time.Duration
		own  bool // it was the drill's own time that ran out
	}{
		"before":       {0, cleanUpTime, false},
		"meanwhile":    {30 * time.Second, 30*time.Second + cleanUpTime, false},
		"at last":      {cleanUpMost - time.Second, cleanUpMost, false},
		"never":        {cleanUpMost + time.Hour, cleanUpMost, false},
		"own, before":  {0, cleanUpLate, true},
		"own, at last": {30 * time.Second, 30*time.Second + cleanUpLate, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				told, tell := context.WithTimeout(t.Context(), c.told)
				defer tell()
				if c.told == 0 {
					<-told.Done()
				}
				begun := time.Now()
				caller := told
				if c.own {
					caller = t.Context()
				}
				ctx, cancel := cleaning(caller, told)
				defer cancel()
				<-ctx.Done()
				if took := time.Since(begun); took != c.want {
					t.Errorf("it had %v, want %v", took, c.want)
				}
			})
		})
	}
}
