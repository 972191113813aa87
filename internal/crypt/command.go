package crypt

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"

	"daybefore/internal/program"
	"daybefore/internal/verdict"
)

// CommandName is what a report calls a cipher that only a declared program knows.
const CommandName = "command"

// commandCipher is what a declared program decrypts.
var commandCipher = Cipher{
	Name:   CommandName,
	begins: func([]byte) bool { return false },
	open:   openCommand,
}

// openCommand starts the program, which reads the file from its standard input.
func openCommand(ctx context.Context, in *bufio.Reader, keys *Keys) (Stream, error) {
	r, err := program.Start(ctx, program.Command{Args: keys.command, Env: keys.env, Stdin: in})
	if err != nil {
		return nil, explainProgram(err)
	}
	return &commanded{Running: r}, nil
}

// commanded is what a program writes. It says itself by its status whether that
// was all.
type commanded struct {
	*program.Running
	wrote bool
}

func (c *commanded) Read(p []byte) (int, error) {
	n, err := c.Running.Read(p)
	c.wrote = c.wrote || n > 0
	switch {
	case err == nil:
		return n, nil
	case !errors.Is(err, io.EOF):
		return n, explainProgram(err)
	case !c.wrote:
		return 0, verdict.Errorf(verdict.CodeDecrypt, "let it write the plain text to standard output",
			"source.decrypt.command: it ended well and wrote nothing: %w", ErrEither)
	}
	return n, err
}

func (c *commanded) Key() string { return "" }

// Summed is false: many such ciphers notice no change at all.
func (c *commanded) Summed() bool { return false }

// explainProgram says what a program's failure means.
func explainProgram(err error) error {
	failure, ok := errors.AsType[*program.Failure](err)
	const name = "source.decrypt.command"
	switch {
	case !ok:
		return err
	case failure.Kind == program.Missing:
		return verdict.Errorf(verdict.CodeDecrypt, "install it, or write its path", "%s: %w", name, failure)
	case failure.Kind == program.Stalled, failure.Kind == program.Stopped:
		return verdict.Errorf(verdict.CodeDecrypt, "let it ask nobody: a passphrase at a terminal, a card that is not "+
			"there", "%s: %w", name, failure)
	}
	return verdict.Errorf(verdict.CodeDecrypt, "run it by hand on the same file, as this user and with these variables "+
		"alone", "%s: %w", name, fmt.Errorf("%w: %w", failure, ErrEither))
}
