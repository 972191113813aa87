package place

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"net/url"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/pkg/sftp"

	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

const (
	ahead      = 1 << 20   // bytes of a file that are asked for at once
	packet     = 32 << 10  // bytes of one answer, which every server can
	openPacket = 128 << 10 // that OpenSSH can
)

// mostLinks is how many connections are made, where as many reads go on at once:
// a server works for each on another processor.
const mostLinks = 4

// SFTP is a folder of an SFTP server. A connection that broke is made anew.
type SFTP struct {
	url   string
	dir   string // on the server
	route sshRoute
	retry retry

	mu    sync.Mutex // held while a connection is made
	links []*sftpLink
	full  bool // the server allows no more of them
}

// OpenSFTP is the folder of a server; one that begins with /~/ lies in the
// user's own. Problems: CodeSpec, CodeCredentialsMissing.
func OpenSFTP(src spec.Source, u *url.URL) (*SFTP, error) {
	if u.Hostname() == "" {
		return nil, verdict.Errorf(verdict.CodeSpec, "write source.url as sftp://user@host/dir/",
			"open the store: source.url names no host")
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return nil, fmt.Errorf("open the store: %w", err)
	}
	settings, err := readSettings(home)
	var way []sshServer
	if err == nil {
		way, err = settings.route(u, src, home)
	}
	if err != nil {
		return nil, verdict.Errorf(verdict.CodeSpec, "correct the SSH configuration", "open the store: %w", err)
	}
	if last := way[len(way)-1]; last.command && last.jumps == "" {
		return nil, verdict.Errorf(verdict.CodeUnsupported, "write ProxyJump, or fetch by source.exec",
			"open the store: the SSH configuration reaches %s by a ProxyCommand", last.host)
	}
	s := &SFTP{dir: path.Clean("/" + u.Path), route: sshRoute{way: way, patience: handshakeTimeout}, retry: hurried}
	if rest, ok := strings.CutPrefix(s.dir+"/", "/~/"); ok {
		s.dir = path.Clean(rest)
	}
	s.url = (&url.URL{Scheme: "sftp", Host: u.Host, User: u.User, Path: strings.TrimSuffix(u.Path, "/") + "/"}).String()
	s.route.password, s.route.passphrase, err = sshSecrets(src)
	return s, err
}

// URL is the folder's, with the user's name.
func (s *SFTP) URL() string { return s.url }

// Place is the server's machine.
func (s *SFTP) Place(context.Context) (Place, error) {
	host := s.route.way[len(s.route.way)-1].host
	return Place{Hosts: []string{host}, What: "the SFTP server " + host}, nil
}

// Close ends the connections.
func (s *SFTP) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.links {
		l.end()
	}
	s.links = nil
	return nil
}

// sftpLink is a connection to the server.
type sftpLink struct {
	client  *sftp.Client
	closers []func() error
	broken  atomic.Bool
	once    sync.Once
	users   int // reads that go on; under SFTP.mu
}

func (l *sftpLink) end() {
	l.broken.Store(true)
	l.once.Do(func() { closeAll(l.closers) })
}

// take is a connection that works, as far as is known: one that nobody uses, a
// new one, or the one that fewest use. The caller gives it back.
func (s *SFTP) take(ctx context.Context, doing string) (*sftpLink, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.links = slices.DeleteFunc(s.links, func(l *sftpLink) bool { return l.broken.Load() })
	var best *sftpLink
	for _, l := range s.links {
		if best == nil || l.users < best.users {
			best = l
		}
	}
	if best == nil || best.users > 0 && len(s.links) < mostLinks && !s.full {
		l, err := s.connect(ctx, doing)
		switch {
		case err == nil:
			s.links = append(s.links, l)
			best = l
		case best == nil || ctx.Err() != nil:
			return nil, err
		default:
			s.full = true
		}
	}
	best.users++
	return best, nil
}

func (s *SFTP) give(l *sftpLink) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l.users--
}

// connect makes a connection.
func (s *SFTP) connect(ctx context.Context, doing string) (*sftpLink, error) {
	if stop := Stopped(ctx, doing); stop != nil {
		return nil, stop
	}
	conn, closers, err := s.route.connect(ctx, doing)
	if stop := Stopped(ctx, doing); err != nil && stop != nil {
		return nil, stop
	}
	if err != nil {
		return nil, err
	}
	size := sftp.MaxPacketUnchecked(packet)
	if strings.HasPrefix(string(conn.ServerVersion()), "SSH-2.0-OpenSSH") {
		size = sftp.MaxPacketUnchecked(openPacket)
	}
	carrier := closers[len(closers)-1] // the connection to the first server carries all others
	watched := limited(ctx, s.route.patience, carrier)
	client, err := sftp.NewClient(conn, size)
	late := watched()
	if err != nil {
		closeAll(closers)
		if stop := Stopped(ctx, doing); stop != nil {
			return nil, stop
		}
		if late {
			return nil, fmt.Errorf("%s: the server lets the user in and then says nothing for %s: %w",
				doing, s.route.patience, err)
		}
		return nil, fmt.Errorf("%s: the server lets the user in and offers no SFTP: %w", doing, err)
	}
	l := &sftpLink{client: client, closers: append([]func() error{client.Close}, closers...)}
	go func() {
		_ = client.Wait() // whatever ended it, it is gone
		l.end()
	}()
	return l, nil
}

// ask does something by a connection, and ends that where ctx ends meanwhile:
// the protocol knows no way to take a question back.
func ask[T any](ctx context.Context, l *sftpLink, f func(*sftp.Client) (T, error)) (T, error) {
	type answer struct {
		value T
		err   error
	}
	answered := make(chan answer, 1)
	go func() {
		value, err := f(l.client)
		answered <- answer{value, err}
	}()
	select {
	case a := <-answered:
		return a.value, a.err
	case <-ctx.Done():
		l.end()
		var none T
		return none, context.Cause(ctx)
	}
}

// WholeFolders makes it a Whole.
func (s *SFTP) WholeFolders() {}

// List reads the folder, and with deep all below it.
func (s *SFTP) List(ctx context.Context, prefix string, deep bool) iter.Seq2[Object, error] {
	return func(yield func(Object, error) bool) {
		w := sftpWalk{prefix: prefix, deep: deep, yield: yield}
		s.walk(ctx, "", &w)
	}
}

// sftpWalk is one list of a server's folders.
type sftpWalk struct {
	prefix string
	deep   bool
	names  int // that were met
	yield  func(Object, error) bool
}

// walk yields what is in a folder, and reports whether to go on.
func (s *SFTP) walk(ctx context.Context, folder string, w *sftpWalk) bool {
	entries, err := s.entries(ctx, folder, w)
	if err != nil {
		w.yield(Object{}, err)
		return false
	}
	for _, info := range entries {
		name := folder + info.Name()
		if info.IsDir() && w.deep {
			if leadsTo(name+"/", w.prefix) && !s.walk(ctx, name+"/", w) {
				return false
			}
			continue
		}
		if !strings.HasPrefix(name, w.prefix) {
			continue
		}
		o, there, err := s.object(ctx, name, info)
		if there || err != nil {
			if !w.yield(o, err) || err != nil {
				return false
			}
		}
	}
	return true
}

// entries are what is in a folder, as long as the server's folders have an end.
func (s *SFTP) entries(ctx context.Context, folder string, w *sftpWalk) ([]fs.FileInfo, error) {
	if strings.Count(folder, "/") > deepest {
		return nil, verdict.Errorf(verdict.CodeStoreUnreachable,
			"let source.url, or the folder in source.name, be nearer to the backups",
			"list %s: there are more than %d folders within one another", s.url, deepest)
	}
	entries, err := s.read(ctx, folder)
	if err != nil {
		return nil, err
	}
	entries = slices.DeleteFunc(entries, func(info fs.FileInfo) bool {
		return isDots(info.Name()) || strings.Contains(info.Name(), "/")
	})
	w.names += len(entries)
	return entries, tooMany("list "+s.url, w.names)
}

// read reads one folder.
func (s *SFTP) read(ctx context.Context, folder string) ([]fs.FileInfo, error) {
	doing := "list " + s.url + folder
	return again(ctx, s.retry, doing, func() ([]fs.FileInfo, error) {
		l, err := s.take(ctx, doing)
		if err != nil {
			return nil, err
		}
		defer s.give(l)
		entries, err := ask(ctx, l, func(c *sftp.Client) ([]fs.FileInfo, error) { return c.ReadDir(s.path(folder)) })
		if err != nil {
			return nil, s.problem(ctx, l, doing, err)
		}
		slices.SortFunc(entries, func(a, b fs.FileInfo) int { return strings.Compare(a.Name(), b.Name()) })
		return entries, nil
	})
}

func (s *SFTP) path(name string) string { return path.Join(s.dir, name) }

// object tells of a name that is no folder to go into. A link's end is asked
// for; there is false where the name was removed meanwhile.
func (s *SFTP) object(ctx context.Context, name string, info fs.FileInfo) (o Object, there bool, err error) {
	if info.Mode()&fs.ModeSymlink != 0 {
		doing := "list " + s.url + name
		info, err = again(ctx, s.retry, doing, func() (fs.FileInfo, error) {
			l, err := s.take(ctx, doing)
			if err != nil {
				return nil, err
			}
			defer s.give(l)
			end, err := ask(ctx, l, func(c *sftp.Client) (fs.FileInfo, error) { return c.Stat(s.path(name)) })
			if errors.Is(err, fs.ErrNotExist) {
				return nil, nil
			}
			if err != nil {
				return nil, s.problem(ctx, l, doing, err)
			}
			return end, nil
		})
		if err != nil {
			return Object{}, false, err
		}
		if info == nil {
			return Object{Name: name, Not: DanglingLink}, true, nil
		}
	}
	switch {
	case info.IsDir():
		return Object{Name: name, Not: Folder}, true, nil
	case !info.Mode().IsRegular():
		return Object{Name: name, Not: SpecialFile}, true, nil
	}
	return Object{Name: name, Size: info.Size(), ETag: sftpVersion(info), ModTime: info.ModTime()}, true, nil
}

// sftpVersion is all that the protocol tells of a version: a file that was
// written anew in the same second, with the same size, is not told apart.
func sftpVersion(info fs.FileInfo) string {
	return fmt.Sprintf("%s%d-%d", Weak, info.Size(), info.ModTime().Unix())
}

// problem says what an error of the server means; plain where the connection is
// to be made anew.
func (s *SFTP) problem(ctx context.Context, l *sftpLink, doing string, err error) error {
	if stop := Stopped(ctx, doing); stop != nil {
		return stop
	}
	var status *sftp.StatusError
	switch {
	case errors.Is(err, fs.ErrPermission):
		return verdict.Errorf(verdict.CodeCredentialsRefused, "let the user read this directory and its files",
			"%s: the server denies it", doing)
	case errors.Is(err, fs.ErrNotExist):
		return verdict.Errorf(verdict.CodeStoreUnreachable,
			"is source.url right, and the disk mounted on the server? the path "+
				"begins at the server's /, and with /~/ at the user's folder", "%s: there is no such directory", doing)
	case errors.As(err, &status):
		return verdict.Errorf(verdict.CodeStoreUnreachable, "is source.url the one of a directory?",
			"%s: the server answered: %s", doing, verdict.Printable(status.Error()))
	}
	l.end()
	return fmt.Errorf("%s: %w", doing, err)
}

// ReadRange opens the file, and reads it by many requests at once.
func (s *SFTP) ReadRange(ctx context.Context, o Object, offset, length int64) (io.ReadCloser, error) {
	doing := "read " + s.url + o.Name
	l, err := s.take(ctx, doing)
	if err != nil {
		return nil, err
	}
	f, err := ask(ctx, l, func(c *sftp.Client) (*sftp.File, error) { return c.Open(s.path(o.Name)) })
	if err != nil {
		s.give(l)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, WasChanged(s, o, "it was removed")
		}
		return nil, s.problem(ctx, l, doing, err)
	}
	if length < 0 {
		length = o.Size - offset
	}
	r := &sftpReader{ctx: ctx, store: s, link: l, object: o, doing: doing, file: f, at: offset, end: offset + length}
	if err := r.check(); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

// sftpReader reads a range, a block ahead of who reads it. Its last bytes are
// handed on only if the file is still the one that was listed.
type sftpReader struct {
	ctx     context.Context
	store   *SFTP
	link    *sftpLink
	object  Object
	doing   string
	file    *sftp.File
	at      int64 // of the file: the next byte that is asked for
	end     int64 // after the last one
	pending chan block
	read    []byte // the block that is read
	held    []byte // what is left of it
	spare   []byte // a buffer that nobody reads
}

// block is a part of a file, and why there is no more of it.
type block struct {
	data []byte
	err  error
	last bool
}

func (r *sftpReader) Read(p []byte) (int, error) {
	if len(r.held) == 0 {
		if r.pending == nil && r.at >= r.end {
			return 0, io.EOF
		}
		if err := r.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, r.held)
	r.held = r.held[n:]
	return n, nil
}

// next takes the block that was asked for, and asks for the one after it.
func (r *sftpReader) next() error {
	if r.pending == nil {
		r.askAhead()
	}
	var b block
	select {
	case b = <-r.pending:
	case <-r.ctx.Done():
		r.link.end()
		return Stopped(r.ctx, r.doing)
	}
	r.pending = nil
	if b.err != nil {
		if b.err == io.EOF {
			return WasChanged(r.store, r.object, "it became shorter")
		}
		return r.store.problem(r.ctx, r.link, r.doing, b.err)
	}
	if b.last {
		if err := r.check(); err != nil {
			return err
		}
	}
	r.spare = r.read
	r.read = b.data
	r.held = b.data
	if r.at < r.end {
		r.askAhead()
	}
	return nil
}

// askAhead asks for the next block, into a buffer of its own.
func (r *sftpReader) askAhead() {
	if int64(cap(r.spare)) < min(ahead, r.end-r.at) {
		r.spare = make([]byte, min(ahead, r.end-r.at))
	}
	into := r.spare[:min(int64(cap(r.spare)), r.end-r.at)]
	r.spare = nil
	at := r.at
	r.at += int64(len(into))
	last := r.at >= r.end
	r.pending = make(chan block, 1)
	go func(to chan<- block, f *sftp.File) {
		n, err := f.ReadAt(into, at)
		if n == len(into) {
			err = nil
		}
		to <- block{into[:n], err, last}
	}(r.pending, r.file)
}

// check looks whether the file is still the version that was listed.
func (r *sftpReader) check() error {
	info, err := ask(r.ctx, r.link, func(*sftp.Client) (fs.FileInfo, error) { return r.file.Stat() })
	if err != nil {
		return r.store.problem(r.ctx, r.link, r.doing, err)
	}
	if sftpVersion(info) != r.object.ETag {
		return WasChanged(r.store, r.object, "it was replaced or written to")
	}
	return nil
}

// Close does not wait: a server that is silent would not answer this either.
func (r *sftpReader) Close() error {
	go r.file.Close()
	r.store.give(r.link)
	return nil
}
