package notify_test

import (
	"encoding/pem"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
)

// TestMain lets this process trust the certificate that httptest's servers have, and no other.
func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "notify-")
		if err != nil {
			panic(err)
		}
		defer os.RemoveAll(dir)
		s := httptest.NewTLSServer(nil)
		trusted := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
		s.Close()
		file := filepath.Join(dir, "trusted.pem")
		if err := os.WriteFile(file, trusted, 0o600); err != nil {
			panic(err)
		}
		os.Setenv("SSL_CERT_FILE", file)
		os.Setenv("SSL_CERT_DIR", dir)
		return m.Run()
	}())
}
