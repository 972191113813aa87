package storetest

import (
	"io"
	"net"
	"sync"
)

// proxyServer stands on loopback before the server's socket. It passes bytes on, and
// breaks connections when it is told to.
type proxyServer struct {
	listener net.Listener
	socket   string

	mu    sync.Mutex
	cuts  int   // connections still to be broken
	after int64 // bytes of the answer that pass first
	hang  bool  // fall silent instead of closing
	done  chan struct{}
	conns sync.WaitGroup
}

func newProxy(socket string) (*proxyServer, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &proxyServer{listener: l, socket: socket, done: make(chan struct{})}
	p.conns.Go(p.serve)
	return p, nil
}

func (p *proxyServer) serve() {
	for {
		conn, err := p.listener.Accept()
		if err != nil {
			return // closed
		}
		p.conns.Go(func() { p.pass(conn) })
	}
}

func (p *proxyServer) pass(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("unix", p.socket)
	if err != nil {
		return
	}
	defer server.Close()
	go func() {
		<-p.done
		_ = client.Close()
		_ = server.Close()
	}()
	p.conns.Go(func() { _, _ = io.Copy(server, client) })
	_, _ = io.Copy(&faulty{proxy: p, conn: client}, server)
}

// faulty passes an answer on. A fault hits an answer that is longer than the
// bytes it lets through, so that short ones (lists) stay whole.
type faulty struct {
	proxy *proxyServer
	conn  net.Conn
	sent  int64
}

func (f *faulty) Write(b []byte) (int, error) {
	limit, hang, hit := f.proxy.fault(f.sent + int64(len(b)))
	if !hit {
		n, err := f.conn.Write(b)
		f.sent += int64(n)
		return n, err
	}
	n, _ := f.conn.Write(b[:max(0, limit-f.sent)])
	if hang {
		<-f.proxy.done
	}
	return n, io.ErrClosedPipe
}

func (p *proxyServer) fault(total int64) (after int64, hang, hit bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cuts == 0 || total <= p.after {
		return 0, false, false
	}
	p.cuts--
	return p.after, p.hang, true
}

func (p *proxyServer) set(cuts int, after int64, hang bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cuts, p.after, p.hang = cuts, after, hang
}

func (p *proxyServer) left() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cuts
}

func (p *proxyServer) close() {
	_ = p.listener.Close()
	close(p.done)
	p.conns.Wait()
}
