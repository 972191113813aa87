package sqltext

// Cursor reads the tokens of a statement one after another. A copy reads on by
// itself.
type Cursor struct {
	Tokens []Token
	Pos    int // of the next one
}

// Done reports whether no token is left.
func (c *Cursor) Done() bool { return c.Pos >= len(c.Tokens) }

// Peek is the next token; after the last a Sign without text.
func (c *Cursor) Peek() Token {
	if c.Done() {
		return Token{Kind: Sign}
	}
	return c.Tokens[c.Pos]
}

// Text takes the next token and returns its text.
func (c *Cursor) Text() string {
	t := c.Peek()
	c.Pos++
	return t.Text
}

// Name takes a name; empty if none comes next, or one in escapes.
func (c *Cursor) Name() string {
	if t := c.Peek(); !t.IsName() || t.Kind == Escaped {
		return ""
	}
	return c.Text()
}

// Qualified takes a name that a schema may stand before; an empty name if none
// comes next.
func (c *Cursor) Qualified() (schema, name string) {
	first := c.Name()
	if !c.Takes(".") {
		return "", first
	}
	name = c.Name()
	if first == "" {
		return "", ""
	}
	return first, name
}

// Takes moves past these words and signs if they come next.
func (c *Cursor) Takes(words ...string) bool {
	if len(c.Tokens)-c.Pos < len(words) {
		return false
	}
	for i, w := range words {
		if !c.Tokens[c.Pos+i].Is(w) {
			return false
		}
	}
	c.Pos += len(words)
	return true
}

// Past moves past the first such word outside of parentheses; without one the
// Cursor stays where it is.
func (c *Cursor) Past(word string) bool {
	depth := 0
	for i := c.Pos; i < len(c.Tokens); i++ {
		t := c.Tokens[i]
		switch {
		case t.Is("("):
			depth++
		case t.Is(")"):
			depth--
		case depth == 0 && t.Is(word):
			c.Pos = i + 1
			return true
		}
	}
	return false
}

// Contains reports whether these words follow one another further on, outside of
// parentheses. The Cursor stays where it is.
func (c *Cursor) Contains(words ...string) bool {
	look := *c
	for look.Past(words[0]) {
		if look.Takes(words[1:]...) {
			return true
		}
	}
	return false
}
