package sandbox

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"daybefore/internal/verdict"
)

// stalling stands between this process and the real engine, and leaves
// requests unanswered as no real engine can be made to: the connection stays,
// and nothing comes.
type stalling struct {
	real  string
	joins string // the network that it gives to each container, whatever was asked for; empty: what was

	mu      sync.Mutex
	stalls  *regexp.Regexp // of "METHOD /path", nil: none
	waiting map[int]context.CancelFunc
	next    int
}

// newStalling listens for this process only, which must not have looked for an
// engine before.
func newStalling() (*stalling, error) {
	s := &stalling{
		real:    strings.TrimPrefix(cmp.Or(os.Getenv("DOCKER_HOST"), "unix:///var/run/docker.sock"), "unix://"),
		waiting: map[int]context.CancelFunc{},
	}
	address := filepath.Join(os.TempDir(), "engine")
	listener, err := net.Listen("unix", address)
	if err != nil {
		return nil, err
	}
	limited = s.limited
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go s.serve(conn)
		}
	}()
	return s, os.Setenv("DOCKER_HOST", "unix://"+address)
}

// limited takes the clock's place: what waits when a request stalls has waited
// long enough.
func (s *stalling) limited(ctx context.Context, _ time.Duration, cause error) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next++
	n := s.next
	s.waiting[n] = func() { cancel(cause) }
	return ctx, func() {
		s.mu.Lock()
		delete(s.waiting, n)
		s.mu.Unlock()
		cancel(nil)
	}
}

// at lets requests of a kind stall from now on; none where it is empty.
func (s *stalling) at(kind string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stalls = nil
	if kind != "" {
		s.stalls = regexp.MustCompile(kind)
	}
}

// refuses reports whether a request is one to leave unanswered, and ends all
// waiting then.
func (s *stalling) refuses(r *http.Request) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stalls == nil || !s.stalls.MatchString(r.Method+" "+r.URL.Path) {
		return false
	}
	for _, end := range s.waiting {
		end()
	}
	return true
}

// serve passes one request on.
func (s *stalling) serve(conn net.Conn) {
	defer conn.Close()
	from := bufio.NewReader(conn)
	request, err := http.ReadRequest(from)
	if err != nil {
		return
	}
	if s.refuses(request) {
		select {} // as long as this process
	}
	if s.joins != "" && strings.HasSuffix(request.URL.Path, "/containers/create") {
		if err := s.join(request); err != nil {
			return
		}
	}
	engine, err := net.Dial("unix", s.real)
	if err != nil {
		return
	}
	defer engine.Close()
	request.Close = request.Header.Get("Upgrade") == ""
	if request.Write(engine) != nil {
		return
	}
	go io.Copy(engine, from)
	io.Copy(conn, engine)
}

// join has a request for a container ask for another network.
func (s *stalling) join(request *http.Request) error {
	body, err := io.ReadAll(request.Body)
	if err != nil {
		return err
	}
	body = bytes.ReplaceAll(body, []byte(`"NetworkMode":"none"`), []byte(`"NetworkMode":"`+s.joins+`"`))
	request.Body = io.NopCloser(bytes.NewReader(body))
	request.ContentLength = int64(len(body))
	return nil
}

// stalled is what a helper saw of an engine that did not answer.
type stalled struct {
	Asked, Error, Code, Kind string
	Seconds                  float64
}

// stallAll leaves one kind of request after the other unanswered, and tells of
// each what came of it. The last it tells is the container it had to leave.
func stallAll(kind string) error {
	s, err := newStalling()
	if err != nil {
		return err
	}
	tell := json.NewEncoder(os.Stdout)
	w, err := NewWorkdir()
	if err != nil {
		return err
	}
	try := func(asked string, do func() (string, error)) error {
		s.at(asked)
		begun := time.Now()
		kind, err := do()
		seen := stalled{Asked: asked, Kind: kind, Seconds: time.Since(begun).Seconds()}
		if p, ok := errors.AsType[*verdict.Problem](err); ok {
			seen.Code = string(p.Code)
		}
		if err != nil {
			seen.Error = err.Error()
		}
		return tell.Encode(seen)
	}
	var box Box
	start := func() (string, error) {
		work, err := NewWorkdir()
		if err != nil {
			return "", err
		}
		b, err := Start(context.Background(), Options{Kind: kind, Image: imageFor(kind), Work: work, Deadline: time.Now().Add(testLife), Drill: "stall"})
		if err != nil {
			return "", errors.Join(err, work.Close())
		}
		box, w = b, work
		return b.Info().Kind, nil
	}
	for _, asked := range strings.Fields(os.Getenv("SANDBOX_TEST_STALLS")) {
		do := start
		if strings.Contains(asked, "exec") {
			do = func() (string, error) {
				return "", box.Why(context.Background(), box.Run(context.Background(), Command{Args: []string{"true"}}))
			}
		}
		if strings.HasPrefix(asked, "DELETE") {
			do = func() (string, error) { return "", errors.Join(box.Close(context.Background()), w.Close()) }
		}
		if box == nil && strings.Contains(asked, "exec") {
			s.at("")
			if _, err := start(); err != nil {
				return err
			}
		}
		if err := try(strings.ReplaceAll(asked, "+", " "), do); err != nil {
			return err
		}
	}
	return nil
}

// TestStalledEngine has a real engine leave each kind of request unanswered
// that a sandbox makes: nobody waits for it, it is told, and nothing is left
// that the next sweep does not remove.
func TestStalledEngine(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ kind, stalls, want string }{
		"a container": {Container, `GET+\S*/images/ POST+\S*/containers/create POST+\S*/containers/\S*/start$ GET+\S*/containers/\S*/json$ ` +
			`POST+\S*/containers/\S*/exec$ POST+\S*/exec/\S*/start$ GET+\S*/exec/ DELETE+\S*/containers/`, ""},
		"at its first word": {Container, `_ping .`, ""},
		"at its second":     {Container, `/info$`, ""},
		"where it need not": {Auto, `_ping`, Local},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			need(t, Options{Kind: Container, Image: imageFor(Container)})
			tmp := shortTemp(t)
			cmd := helper(t, "stall "+c.kind, tmp)
			cmd.Env = append(cmd.Env, "SANDBOX_TEST_STALLS="+c.stalls)
			out, err := cmd.Output()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			lines := strings.Split(strings.TrimSpace(string(out)), "\n")
			if len(lines) != len(strings.Fields(c.stalls)) {
				t.Fatalf("not all was tried:\n%s", out)
			}
			for _, line := range lines {
				var seen stalled
				if err := json.Unmarshal([]byte(line), &seen); err != nil {
					t.Fatal(err)
				}
				t.Logf("%+v", seen)
				if seen.Kind != c.want || c.want == "" && !strings.Contains(seen.Error, "did not answer within") {
					t.Errorf("%s: %+v", seen.Asked, seen)
				}
				if seen.Error != "" && !strings.HasPrefix(seen.Asked, "DELETE") && seen.Code != string(verdict.CodeSandbox) {
					t.Errorf("%s: told as %q: %s", seen.Asked, seen.Code, seen.Error)
				}
			}
			removed := sweepElsewhere(t, tmp)
			t.Log("swept:", removed)
			left, _ := os.ReadDir(tmp)
			for _, entry := range left {
				if entry.Name() != "engine" {
					t.Errorf("left behind: %s", entry.Name())
				}
			}
			e := testEngine(t)
			for _, c := range withLabel(t, e, labelLock, tmp) {
				t.Errorf("left behind: the container %s", c)
			}
		})
	}
}

// startJoined starts a sandbox by an engine that gives its containers a network.
func startJoined() error {
	s, err := newStalling()
	if err != nil {
		return err
	}
	s.joins = "bridge"
	w, err := NewWorkdir()
	if err != nil {
		return err
	}
	defer w.Close()
	b, err := Start(context.Background(), Options{Kind: Container, Image: imageFor(Container), Work: w, Deadline: time.Now().Add(testLife)})
	if err == nil {
		return errors.Join(errors.New("it starts"), b.Close(context.Background()))
	}
	return err
}

// TestAnotherNetwork has a real engine give containers a network though they
// asked for none: nothing of a backup gets there.
func TestAnotherNetwork(t *testing.T) {
	t.Parallel()
	need(t, Options{Kind: Container, Image: imageFor(Container)})
	tmp := shortTemp(t)
	cmd := helper(t, "joined", tmp)
	var said bytes.Buffer
	cmd.Stderr = &said
	if err := cmd.Run(); err == nil || !strings.Contains(said.String(), `was asked to have no network, and has "bridge"`) {
		t.Errorf("%v\n%s", err, &said)
	}
	for _, c := range withLabel(t, testEngine(t), labelLock, tmp) {
		t.Errorf("left behind: the container %s", c)
	}
}
