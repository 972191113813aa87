package spec

import (
	"fmt"
	"strings"
)

const keyHint = "set it to 32 random bytes or more, such as the output of: openssl rand -hex 32"

// key reads the secret that key_env names. Neither its value nor a name that
// may be a secret itself is ever repeated.
func (c checker) key(name text) []byte {
	const key = "scrub.key_env"
	value := c.secret(name, key, "DRILL_SCRUB_KEY", keyHint)
	if value == "" || c.loader.WithoutSecrets {
		return nil
	}
	c.strong(name, key, value, "holds")
	return []byte(value)
}

// secret is what the variable that a key names holds, which must be set where
// secrets are not left alone; empty where there is none.
func (c checker) secret(name text, key, such, hint string) string {
	if !name.given() || !c.variable(name, key, such) {
		return ""
	}
	value, ok := c.loader.lookup(name.Value)
	if ok && value != "" {
		return value
	}
	if !c.loader.WithoutSecrets {
		c.refuse(name.at, hint, "%s: the environment variable %s is not set", key, name.Value)
	}
	return ""
}

// variable refuses what names no environment variable.
func (c checker) variable(name text, key, such string) bool {
	ok := envName.MatchString(name.Value)
	if !ok {
		c.refuse(name.at, "write the variable's name, such as "+such+", never the key",
			"%s is not the name of an environment variable", key)
	}
	return ok
}

// strong refuses a key that could be guessed.
func (c checker) strong(name text, key, value, holds string) {
	switch {
	case len(value) < minKey:
		c.refuse(name.at, keyHint, "%s: the environment variable %s %s %d bytes, fewer than %d",
			key, name.Value, holds, len(value), minKey)
	case len(distinct(value)) < minKeyBytes:
		c.refuse(name.at, keyHint,
			"%s: the environment variable %s repeats so few different characters that it could be guessed", key,
			name.Value)
	}
}

// reportKeys reads the secrets by which reports are signed and proven. None of
// them is the scrub's, which more people may have.
func (c checker) reportKeys(name text, scrub Scrub) (keys []Key) {
	const key = "history.key_env"
	value := c.secret(name, key, "DRILL_REPORT_KEY",
		"set it to the key that earlier drills had, or before the first one to 32 random bytes or more (openssl rand -hex 32)")
	if value == "" {
		return nil
	}
	for i, one := range strings.Split(value, ",") {
		one = strings.TrimSpace(one)
		holds := "holds"
		if strings.Contains(value, ",") {
			holds = fmt.Sprintf("holds as its key %d", i+1)
		}
		c.strong(name, key, one, holds)
		if one != "" && one == string(scrub.Key) || name.Value == scrub.KeyEnv {
			c.refuse(name.at, "give each a key of its own",
				"%s names the key of scrub.key_env, by which pseudonyms are made", key)
			return nil
		}
		keys = append(keys, Key(one))
	}
	return keys
}
