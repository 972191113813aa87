package transform

import "daybefore/internal/scrub/schema"

// Password makes a hash of knownPassword, of the value's kind.
const Password = "password"

func init() {
	register(Password, kind{
		fits: schema.Type.IsText, length: len(knownBcrypt), keepsShape: true,
		samples: []string{knownBcrypt, knownSCRAM, knownArgon2}, write: writePassword,
	})
}

// knownPassword is what everybody's password is in the sandbox under the
// transform password.
const knownPassword = "password"

// Hashes of knownPassword. A value's own kind is kept where it is one of these;
// all others become bcrypt's.
const (
	knownBcrypt = "$2b$10$CW3vzN0iE3The9LhmZIzAuPpaVjU6kg/CwRn5Ehze7QLweQwQft02"
	knownSCRAM  = "SCRAM-SHA-256$4096:ZGF5YmVmb3JlIGRyaWxsIQ==$" +
		"G+rhwE9r2n3gijCTePcqdftkYDLwlCd+d5rAxcINZ5A=:oODRLqmDB0/vLgkhKKWqjLtLKJ50s4OFI6ztC7PSWoU="
	knownArgon2 = "$argon2id$v=19$m=65536,t=3,p=4$ZGF5YmVmb3JlIGRyaWxsIQ$GnA3H62ox0c/Gqh33mNKjCselIgP11aQIrASde8mNsw"
)

func writePassword(_ *Masker, dst []byte, _ *Recipe, in input) ([]byte, error) {
	s := in.value
	switch {
	case hasPrefix(s, "SCRAM-SHA-256$"):
		return append(dst, knownSCRAM...), nil
	case hasPrefix(s, "$argon2id$"):
		return append(dst, knownArgon2...), nil
	case len(s) > 4 && (hasPrefix(s, "$2a$") || hasPrefix(s, "$2y$")):
		// the same for ASCII, and some libraries want their own
		return append(append(dst, s[:4]...), knownBcrypt[4:]...), nil
	}
	return append(dst, knownBcrypt...), nil
}

func hasPrefix(b []byte, prefix string) bool {
	return len(b) >= len(prefix) && string(b[:len(prefix)]) == prefix
}
