package scenarios

import "testing"

// Each cipher, with its key and without, whole and spoiled.
func TestEncryptedBackups(t *testing.T) { catches(t, needServer(t), brokenCiphers()) }
