package bench

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
)

// featureName is how Go's runtime calls a feature of a processor.
var featureName = regexp.MustCompile(`^[a-z0-9]+$`)

// masks are the features of the processor that drills are to do without: they
// run as on a machine that lacks them.
func (o Options) masks() []string {
	if o.Mask == "" {
		return nil
	}
	return strings.Split(o.Mask, ",")
}

// checkMask refuses what Go's runtime would leave on: it says so, and goes on.
// A worker without a job ends at once.
func (o Options) checkMask(ctx context.Context) error {
	for _, feature := range o.masks() {
		if !featureName.MatchString(feature) {
			return fmt.Errorf("-mask: %q is no feature of a processor: write its name in Go's runtime, as sha or aes", feature)
		}
		cmd, err := workerCommand(ctx, []string{feature})
		if err != nil {
			return err
		}
		said, _ := cmd.CombinedOutput()
		for line := range strings.Lines(string(said)) {
			if strings.HasPrefix(line, "GODEBUG: ") && strings.Contains(line, `"`+feature+`"`) {
				return fmt.Errorf("-mask: Go's runtime does not leave out %s here: %s", feature, strings.TrimSpace(line))
			}
		}
	}
	return nil
}

// godebug is the environment variable that masks features, beside what it
// holds already.
func godebug(features []string) string {
	var settings []string
	held := os.Getenv("GODEBUG")
	if held != "" {
		settings = append(settings, held)
	}
	for _, feature := range features {
		settings = append(settings, "cpu."+feature+"=off")
	}
	return "GODEBUG=" + strings.Join(settings, ",")
}

// unmasked leaves out the lines of golang.org/x/sys/cpu, which reads the same
// variable and knows fewer features than the runtime.
type unmasked struct {
	to   io.Writer
	line []byte // that has not ended yet
}

func (u *unmasked) Write(text []byte) (int, error) {
	u.line = append(u.line, text...)
	for {
		line, rest, whole := bytes.Cut(u.line, []byte("\n"))
		if !whole {
			return len(text), nil
		}
		u.line = rest
		if bytes.HasPrefix(line, []byte("GODEBUG sys/cpu: ")) {
			continue
		}
		if _, err := fmt.Fprintf(u.to, "%s\n", line); err != nil {
			return 0, err
		}
	}
}

// end writes a last line that did not end.
func (u *unmasked) end() error {
	_, err := u.to.Write(u.line)
	return err
}
