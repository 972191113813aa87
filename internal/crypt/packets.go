package crypt

import (
	"bufio"
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"errors"
	"io"

	"github.com/ProtonMail/go-crypto/openpgp/armor"
	pgperrors "github.com/ProtonMail/go-crypto/openpgp/errors"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/zlib"

	"daybefore/internal/readahead"
)

const (
	armorBegin = "-----BEGIN PGP MESSAGE-----"
	armorEnd   = "-----END PGP MESSAGE-----"
)

// begin takes the armor off, if there is any.
func (m *message) begin() error {
	head, _ := m.in.Peek(len(armorBegin))
	if string(head) != armorBegin {
		m.body = packet.NewReader(m.in)
		m.trailer = m.nothingFollows
		return nil
	}
	end := &tail{r: m.in}
	block, err := armor.Decode(end)
	if err != nil {
		return m.damagedHead(err)
	}
	m.body = packet.NewReader(bufio.NewReaderSize(block.Body, pieceSize))
	m.trailer = func() error {
		_, err := io.Copy(io.Discard, end)
		if err != nil || !bytes.HasSuffix(bytes.TrimSpace(end.last), []byte(armorEnd)) {
			return cut("openpgp", "before the last line of its armor, or something follows it")
		}
		return nil
	}
	return nil
}

// nothingFollows refuses what stands after the last packet.
func (m *message) nothingFollows() error {
	if m.ended() {
		return nil // the end, or what went wrong with the file, which its reader knows
	}
	return altered("openpgp", "something follows its end")
}

// tail remembers the last bytes of what is read through it.
type tail struct {
	r    io.Reader
	last []byte
}

func (t *tail) Read(p []byte) (int, error) {
	const enough = 64
	n, err := t.r.Read(p)
	t.last = append(t.last, p[max(0, n-enough):n]...)
	t.last = t.last[max(0, len(t.last)-enough):]
	return n, err
}

// decrypt gives the plain text of the data. Decrypting, decompressing and whatever
// reads the plain text each have a goroutine.
func (m *message) decrypt(data packet.EncryptedDataPacket, s session) (io.ReadCloser, error) {
	packets, err := s.open(data)
	if err != nil {
		return nil, m.notDecrypted(err, s)
	}
	decrypted := &closer{readahead.New(packets), packets}
	body := &plainBody{m: m, data: decrypted, sure: s.sure}
	body.literal, err = literal(decrypted)
	if err != nil {
		broken := body.broken(err)
		decrypted.stop()
		return nil, broken
	}
	return &stopped{readahead.New(body), decrypted}, nil
}

// notDecrypted is the error of data that cannot even be begun.
func (m *message) notDecrypted(err error, s session) error {
	if _, lacking := errors.AsType[pgperrors.UnsupportedError](err); lacking {
		return m.damagedHead(err)
	}
	if m.ended() {
		return cut("openpgp", "at the beginning of its data")
	}
	if !s.sure {
		return m.neither("its data cannot be read")
	}
	return altered("openpgp", "its data cannot be read")
}

// closer reads ahead of packets, and closes them, which checks them, once they
// were read to their end.
type closer struct {
	io.ReadCloser
	packets io.Closer
}

func (c *closer) Close() error {
	c.stop()
	return c.packets.Close()
}

// stop ends the reading ahead.
func (c *closer) stop() { _ = c.ReadCloser.Close() }

// stopped is the plain text, whose Close ends all that reads ahead.
type stopped struct {
	io.ReadCloser
	below *closer
}

func (s *stopped) Close() error {
	s.below.stop() // first: the other may wait for it
	return s.ReadCloser.Close()
}

// literal finds the data among decrypted packets. Signatures are not looked at:
// the bytes are known to be whole without them.
func literal(r io.Reader) (io.Reader, error) {
	in := bufio.NewReaderSize(r, pieceSize)
	unpacked, err := compressed(in)
	if err != nil {
		return nil, err
	}
	packets := packet.NewReader(unpacked)
	for {
		p, err := packets.Next()
		if err != nil {
			return nil, err
		}
		switch p := p.(type) {
		case *packet.Compressed:
			if err := packets.Push(p.Body); err != nil {
				return nil, err
			}
		case *packet.LiteralData:
			return p.Body, nil
		}
	}
}

// compressed takes off the compression that gpg puts around all of a message, and
// leaves any other to the library: it does the same with a slower decoder.
func compressed(in *bufio.Reader) (io.Reader, error) {
	const toTheEnd, zip, zlibbed = 0xa3, 1, 2 // an old packet of tag 8 without a length
	head, _ := in.Peek(2)
	if len(head) < 2 || head[0] != toTheEnd || head[1] != zip && head[1] != zlibbed {
		return in, nil
	}
	if _, err := in.Discard(2); err != nil {
		return nil, err
	}
	if head[1] == zip {
		return bufio.NewReaderSize(flate.NewReader(in), pieceSize), nil
	}
	z, err := zlib.NewReader(in)
	if err != nil {
		return nil, err
	}
	return bufio.NewReaderSize(z, pieceSize), nil
}

// open decrypts the data's packets.
func (s session) open(data packet.EncryptedDataPacket) (io.ReadCloser, error) {
	mdc, ok := data.(*packet.SymmetricallyEncrypted)
	if ok && mdc.Version == 1 {
		block, err := s.aes()
		if err != nil {
			return nil, err
		}
		if block != nil {
			return newProtected(block, mdc.Contents), nil
		}
	}
	return data.Decrypt(s.cipher, s.key)
}

// aes is the key's cipher; nil for any but AES, which the library decrypts.
func (s session) aes() (cipher.Block, error) {
	switch s.cipher {
	case packet.CipherAES128, packet.CipherAES192, packet.CipherAES256:
		return aes.NewCipher(s.key)
	}
	return nil, nil
}

// fits reports whether the beginning of the data repeats itself as it does under
// the right key; one wrong key in 65,536 passes. The beginning is left to be read.
func (s session) fits(data *packet.SymmetricallyEncrypted) bool {
	block, err := s.aes()
	if block == nil || err != nil {
		return err == nil
	}
	prefix := make([]byte, prefixSize)
	n, err := io.ReadFull(data.Contents, prefix)
	data.Contents = io.MultiReader(bytes.NewReader(prefix[:n:n]), data.Contents)
	if err != nil {
		return true // it is too short, which is told
	}
	plain := make([]byte, len(prefix))
	decryptCFB(block, make([]byte, aes.BlockSize), plain, prefix)
	return bytes.Equal(plain[aes.BlockSize-2:aes.BlockSize], plain[aes.BlockSize:])
}
