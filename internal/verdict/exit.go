package verdict

// Exit is how a target ends other than well: a code and one line for stderr.
type Exit struct {
	Code   int
	Reason string
}

func (e *Exit) Error() string { return e.Reason }

// ExitStatus is what Mage ends the process with.
func (e *Exit) ExitStatus() int { return e.Code }
